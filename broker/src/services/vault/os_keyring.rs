//! The key in the session's keyring (the Secret Service), reached without ever hanging.
//!
//! 1. Over our own bus connection we look whether the keyring is there and open. A locked one is
//!    not touched unless a person is at hand, because the store unlocks what it searches, which
//!    pops up a dialogue.
//! 2. The store itself blocks and may wait for that dialogue for ever. So it runs on a thread of
//!    its own with a time limit, and a thread that never came back is the last one started.
//! 3. A new store is built each time: one that outlived its keyring's restart answers errors.
//! 4. While it is locked, its own signals and those of the bus say when to look again.

use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::stream::{BoxStream, select};
use futures_util::{FutureExt as _, StreamExt as _};
use keyring::api::CredentialStoreApi as _;
use tokio::sync::oneshot;
use zbus::message::Type;
use zbus::{Connection, MatchRule, Message, MessageStream, OwnedObjectPath, proxy};

use super::seal::Key;
use super::{Prompt, VaultError};

/// The key's name in the keyring.
const SERVICE: &str = "authbroker";
const USER: &str = "vault-key";

/// How long an open keyring may take.
const OPEN_LIMIT: Duration = Duration::from_secs(5);
/// How long a person may take to type the keyring's password.
const PROMPT_LIMIT: Duration = Duration::from_mins(2);

/// The pause before a keyring is looked at again that gave no sign, or whose bus cannot be heard.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// How long a burst of signs lasts that means one thing.
const BURST: Duration = Duration::from_millis(100);

/// The keyring's name on the bus, and where its objects are.
const NAME: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
/// The bus's own name.
const BUS: &str = "org.freedesktop.DBus";

/// The call that outlived its limit, if it is still out. At most one thread is ever given up.
static STUCK: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);

#[proxy(
    interface = "org.freedesktop.Secret.Service",
    default_service = "org.freedesktop.secrets",
    default_path = "/org/freedesktop/secrets"
)]
trait SecretService {
    fn read_alias(&self, name: &str) -> zbus::Result<OwnedObjectPath>;
}

#[proxy(
    interface = "org.freedesktop.Secret.Collection",
    default_service = "org.freedesktop.secrets"
)]
trait Collection {
    #[zbus(property)]
    fn locked(&self) -> zbus::Result<bool>;
}

/// What our own look at the keyring found.
enum Door {
    Open,
    Locked,
    /// No collection has been made yet: the first write makes it, with a prompt.
    Unmade,
}

/// Reads the key. Where there is none and no record waits for one, makes it.
pub(super) async fn load_or_make(prompt: Prompt, empty: bool) -> Result<Key, VaultError> {
    let limit = match (look().await?, prompt) {
        (Door::Open, _) => OPEN_LIMIT,
        (Door::Locked | Door::Unmade, Prompt::Allowed) => PROMPT_LIMIT,
        (Door::Locked, Prompt::Never) => return Err(locked("the keyring is locked")),
        (Door::Unmade, Prompt::Never) => {
            return Err(locked("the keyring has no default collection yet"));
        }
    };
    match on_own_thread(read, limit).await? {
        Some(text) => Key::from_text(&text).ok_or_else(|| {
            VaultError::Damaged("the keyring's entry authbroker/vault-key is no key".into())
        }),
        None if empty => {
            let key = Key::generate()?;
            let text = key.to_text();
            on_own_thread(move || write(&text), limit).await?;
            Ok(key)
        }
        None => Err(VaultError::Damaged(
            "the keyring has no entry authbroker/vault-key, and there are records that need it"
                .into(),
        )),
    }
}

/// Puts another key in the place of the one there. Only called while the keyring is open.
pub(super) async fn store_key(key: &Key) -> Result<(), VaultError> {
    let text = key.to_text();
    on_own_thread(move || write(&text), OPEN_LIMIT).await
}

/// What tells that a keyring may have been opened, or has come back: signals of its own, and the
/// bus's word that its name has another owner. Heard from the moment this is made.
pub(super) struct Signs(Option<BoxStream<'static, zbus::Result<Message>>>);

impl Signs {
    /// Begins to listen.
    pub(super) async fn listen() -> Self {
        let listening = tokio::time::timeout(OPEN_LIMIT, subscribe()).await;
        Self(listening.ok().and_then(Result::ok))
    }

    /// Waits for the next one. Where none comes, or none can be heard, the keyring is looked at now
    /// and then.
    pub(super) async fn next(&mut self) {
        let Some(signs) = &mut self.0 else {
            tokio::time::sleep(LOOK_AGAIN).await;
            *self = Self::listen().await;
            return;
        };
        match tokio::time::timeout(LOOK_AGAIN, signs.next()).await {
            Ok(Some(_)) => {
                // A keyring that opens says so several times.
                tokio::time::sleep(BURST).await;
                while let Some(Some(_)) = signs.next().now_or_never() {}
            }
            // The bus has gone.
            Ok(None) => self.0 = None,
            Err(_) => {}
        }
    }
}

async fn subscribe() -> zbus::Result<BoxStream<'static, zbus::Result<Message>>> {
    let bus = Connection::session().await?;
    let signal = || MatchRule::builder().msg_type(Type::Signal);
    let owner = signal().sender(BUS).member("NameOwnerChanged").arg(0, NAME).build()?;
    let own = signal().path_namespace(ROOT).build()?;
    let owner = MessageStream::for_match_rule(owner, &bus, None).await?;
    let own = MessageStream::for_match_rule(own, &bus, None).await?;
    Ok(select(owner, own).boxed())
}

/// Whether the keyring is there and open. Nobody is asked for anything.
pub async fn look_at_keyring() -> Result<(), VaultError> {
    match look().await? {
        Door::Open => Ok(()),
        Door::Locked => Err(locked("the keyring is locked")),
        Door::Unmade => Err(locked("the keyring has no default collection yet")),
    }
}

/// Looks whether the keyring is there and open, without asking it for anything secret.
async fn look() -> Result<Door, VaultError> {
    let looking = async {
        let bus = Connection::session().await?;
        let path = SecretServiceProxy::new(&bus).await?.read_alias("default").await?;
        if path.as_str() == "/" {
            return Ok(Door::Unmade);
        }
        let collection = CollectionProxy::builder(&bus).path(path).build().await?;
        Ok::<_, zbus::Error>(if collection.locked().await? { Door::Locked } else { Door::Open })
    };
    match tokio::time::timeout(OPEN_LIMIT, looking).await {
        Ok(Ok(door)) => Ok(door),
        Ok(Err(error)) => {
            let why = format!("no keyring answers on the session bus ({error})");
            Err(VaultError::locked(why, "start a keyring, or set [vault] key = \"file:…\""))
        }
        Err(_) => Err(locked("the keyring does not answer")),
    }
}

fn read() -> keyring::Result<Option<String>> {
    match entry()?.get_password() {
        Ok(text) => Ok(Some(text)),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    }
}

fn write(text: &str) -> keyring::Result<()> {
    entry()?.set_password(text)
}

fn entry() -> keyring::Result<keyring::Entry> {
    zbus_secret_service_keyring_store::Store::new()?.build(SERVICE, USER, None)
}

/// Runs one keyring call on a thread that nobody waits for beyond the limit.
async fn on_own_thread<T: Send + 'static>(
    call: impl FnOnce() -> keyring::Result<T> + Send + 'static,
    limit: Duration,
) -> Result<T, VaultError> {
    if is_stuck() {
        return Err(locked("an earlier question to the keyring is still open"));
    }
    let (sender, answer) = oneshot::channel();
    let run = move || {
        let _nobody_waits = sender.send(call());
    };
    let started = std::thread::Builder::new().name("keyring".into()).spawn(run);
    let thread = started.map_err(|error| locked(&format!("no thread for the keyring: {error}")))?;
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) => Err(locked(&error.to_string())),
        Ok(Err(_)) => Err(locked("the keyring's thread ended")),
        Err(_) => {
            *STUCK.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
            Err(locked("the keyring did not answer in time"))
        }
    }
}

/// Whether a call is still out that was given up.
fn is_stuck() -> bool {
    let mut stuck = STUCK.lock().unwrap_or_else(PoisonError::into_inner);
    if stuck.as_ref().is_some_and(JoinHandle::is_finished) {
        *stuck = None;
    }
    stuck.is_some()
}

fn locked(why: &str) -> VaultError {
    VaultError::locked(why, "brokerctl unlock, or set [vault] key = \"file:…\"")
}
