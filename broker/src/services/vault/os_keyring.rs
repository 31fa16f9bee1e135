//! The key in the session's keyring (the Secret Service), reached without ever hanging.
//!
//! 1. Over our own bus connection we look whether the keyring is there and open. A locked one is
//!    not touched unless a person is at hand, because the store unlocks what it searches, which
//!    pops up a dialogue.
//! 2. The store itself blocks and may wait for that dialogue for ever. So it runs on a thread of
//!    its own with a time limit, and a thread that never came back is the last one started.
//! 3. A new store is built each time: one that outlived its keyring's restart answers errors.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyring::api::CredentialStoreApi as _;
use tokio::sync::oneshot;
use zbus::{Connection, OwnedObjectPath, proxy};

use super::seal::Key;
use super::{Prompt, VaultError};

/// The key's name in the keyring.
const SERVICE: &str = "authbroker";
const USER: &str = "vault-key";

/// How long an open keyring may take.
const OPEN_LIMIT: Duration = Duration::from_secs(5);
/// How long a person may take to type the keyring's password.
const PROMPT_LIMIT: Duration = Duration::from_mins(2);

/// Whether a call is still out that outlived its limit. At most one thread is ever given up.
static STUCK: AtomicBool = AtomicBool::new(false);

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
        Ok(Err(error)) => Err(locked(&format!("no keyring answers on the session bus ({error})"))),
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
    if STUCK.load(Ordering::Acquire) {
        return Err(locked("an earlier question to the keyring is still open"));
    }
    let (sender, answer) = oneshot::channel();
    let run = move || {
        let _nobody_waits = sender.send(call());
        STUCK.store(false, Ordering::Release);
    };
    let started = std::thread::Builder::new().name("keyring".into()).spawn(run);
    started.map_err(|error| locked(&format!("no thread for the keyring: {error}")))?;
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) => Err(locked(&error.to_string())),
        Ok(Err(_)) => Err(locked("the keyring's thread ended")),
        Err(_) => {
            STUCK.store(true, Ordering::Release);
            Err(locked("the keyring did not answer in time"))
        }
    }
}

fn locked(why: &str) -> VaultError {
    VaultError::Locked(why.to_owned())
}
