//! The session bus: the same calls, with options as `a{sv}`.
//!
//! A request for a person has an object of its own. Its path is known before the call (it is made
//! of our bus name and a word we choose), so the signals are subscribed to first and none is missed.

mod read;
mod sink;

use std::collections::HashMap;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use zbus::fdo::DBusProxy;
use zbus::message::Type;
use zbus::names::{BusName, WellKnownName};
use zbus::{Connection, MatchRule, Message, MessageStream, OwnedObjectPath, Variant};

use self::read::{
    Dict, from_zbus, no_account, number, read_account, read_reaction, read_request_signal, text,
};
use self::sink::Sink;
use super::{BACKLOG, Replies};
use crate::error::Error;
use crate::wire::broker1::{
    Account, Acquire, BUS_NAME, Change, GetHeaders, GetToken, Headers, Identity, Progress,
    ROOT_PATH, Reaction, ReportChallenge, SignOut, Token,
};

type Options<'a> = HashMap<&'static str, Variant<'a>>;
type Objects = HashMap<OwnedObjectPath, HashMap<String, Dict>>;

const MANAGER: &str = "org.authbroker.Broker1.Manager";
const ACCOUNT: &str = "org.authbroker.Broker1.Account";
const REQUEST: &str = "org.authbroker.Broker1.Request";
const OBJECT_MANAGER: &str = "org.freedesktop.DBus.ObjectManager";

/// A connection to the session bus on which a broker is, or can be started.
#[derive(Debug, Clone)]
pub(crate) struct DBus(Connection);

impl DBus {
    pub(crate) async fn open() -> Result<Self, Error> {
        let absent = |why: &str| Error::NoBroker { looked: format!("session bus: {why}") };
        let connection = Connection::session().await.map_err(|_| absent("there is none"))?;
        let bus = DBusProxy::new(&connection).await.map_err(from_zbus)?;
        let name = BusName::try_from(BUS_NAME).map_err(from_zbus)?;
        let owned = bus.name_has_owner(name).await.map_err(|e| from_zbus(e.into()))?;
        if owned || can_be_started(&bus).await {
            return Ok(Self(connection));
        }
        Err(absent("nobody has the name org.authbroker.Broker1"))
    }

    /// Has the bus start the broker, if it does not run yet: from then on its socket is there, too.
    pub(crate) async fn start(&self) -> Result<(), Error> {
        let bus = DBusProxy::new(&self.0).await.map_err(from_zbus)?;
        let name = WellKnownName::try_from(BUS_NAME).map_err(from_zbus)?;
        bus.start_service_by_name(name, 0).await.map(drop).map_err(|error| from_zbus(error.into()))
    }

    pub(crate) async fn token(&self, request: GetToken) -> Result<Token, Error> {
        let mut options = with_details();
        put_list(&mut options, "resource", request.resource);
        put_list(&mut options, "scopes", request.scopes);
        put(&mut options, "min_ttl", request.min_ttl);
        put(&mut options, "force", request.force);
        put(&mut options, "max_age", request.max_age);
        put_list(&mut options, "acr_values", request.acr_values);
        put(&mut options, "token_type", request.token_type);
        put(&mut options, "timeout", request.timeout);
        put(&mut options, "correlation_id", request.correlation_id);
        let sink = Sink::put(&mut options)?;
        self.manager("GetToken", &(request.account, options)).await?;
        sink.answer().await
    }

    pub(crate) async fn headers(&self, request: GetHeaders) -> Result<Headers, Error> {
        let mut options = with_details();
        put_list(&mut options, "resource", request.resource);
        put_list(&mut options, "scopes", request.scopes);
        put(&mut options, "min_ttl", request.min_ttl);
        put(&mut options, "force", request.force);
        put(&mut options, "max_age", request.max_age);
        put_list(&mut options, "acr_values", request.acr_values);
        put(&mut options, "token_type", request.token_type);
        put(&mut options, "timeout", request.timeout);
        put(&mut options, "correlation_id", request.correlation_id);
        let sink = Sink::put(&mut options)?;
        let body = (request.account, request.method, request.uri, options);
        self.manager("GetHeaders", &body).await?;
        sink.answer().await
    }

    pub(crate) async fn report_challenge(
        &self,
        challenge: ReportChallenge,
    ) -> Result<Reaction, Error> {
        let mut options = with_details();
        put_list(&mut options, "resource", challenge.resource);
        put_list(&mut options, "scopes", challenge.scopes);
        put(&mut options, "token_type", challenge.token_type);
        put(&mut options, "dpop_nonce", challenge.dpop_nonce);
        put(&mut options, "ath", challenge.ath);
        put(&mut options, "correlation_id", challenge.correlation_id);
        let ReportChallenge { account, uri, status, www_authenticate, .. } = challenge;
        let body = (account, uri, status, www_authenticate, options);
        let reply = self.manager("ReportChallenge", &body).await?;
        let (action, dict): (String, Dict) = reply.body().deserialize().map_err(from_zbus)?;
        Ok(read_reaction(action, &dict))
    }

    pub(crate) async fn who_am_i(&self) -> Result<Identity, Error> {
        let reply = self.manager("WhoAmI", &()).await?;
        let dict: Dict = reply.body().deserialize().map_err(from_zbus)?;
        let process = |name| u32::try_from(number(&dict, name)).ok().filter(|pid| *pid > 0);
        let words = |name| Some(text(&dict, name)).filter(|text| !text.is_empty());
        Ok(Identity {
            level: u8::try_from(number(&dict, "level")).unwrap_or(0),
            level_name: text(&dict, "level_name"),
            app: text(&dict, "app"),
            source: text(&dict, "source"),
            uid: u32::try_from(number(&dict, "uid")).unwrap_or(u32::MAX),
            pid: process("pid"),
            proves: text(&dict, "proves"),
            executable: words("executable"),
            user_unit: words("user_unit"),
            terminal: process("terminal"),
            proxy: words("proxy"),
        })
    }

    pub(crate) async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let reply = self.call(ROOT_PATH, OBJECT_MANAGER, "GetManagedObjects", &()).await?;
        let objects: Objects = reply.body().deserialize().map_err(from_zbus)?;
        let mut accounts: Vec<_> =
            objects.values().filter_map(|o| o.get(ACCOUNT)).map(read_account).collect();
        accounts.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(accounts)
    }

    pub(crate) async fn acquire(&self, request: Acquire) -> Result<Replies<Progress>, Error> {
        let mut options = with_details();
        put_list(&mut options, "resource", request.resource);
        put_list(&mut options, "scopes", request.scopes);
        put_list(&mut options, "acr_values", request.acr_values);
        put(&mut options, "max_age", request.max_age);
        put(&mut options, "token_type", request.token_type);
        put(&mut options, "prompt", request.prompt);
        put(&mut options, "login_hint", request.login_hint);
        put(&mut options, "open", request.open);
        put(&mut options, "timeout", request.timeout);
        put(&mut options, "correlation_id", request.correlation_id);
        let pending = self.prepare(&mut options).await?;
        self.manager("Acquire", &(request.account, "", options)).await?;
        Ok(self.follow(pending))
    }

    pub(crate) async fn sign_out(&self, request: SignOut) -> Result<Replies<Progress>, Error> {
        let mut options = with_details();
        put(&mut options, "local", request.local);
        put(&mut options, "correlation_id", request.correlation_id);
        let pending = self.prepare(&mut options).await?;
        let path = self.account_path(&request.account).await?;
        self.call(&path, ACCOUNT, "SignOut", &options).await?;
        Ok(self.follow(pending))
    }

    pub(crate) async fn watch(&self) -> Result<Replies<Change>, Error> {
        let ours = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(BUS_NAME)
            .path_namespace(ROOT_PATH)
            .build();
        let signals = self.subscribe(ours.map_err(from_zbus)?).await?;
        let gone = self.owner_changes().await?;
        let (changes, receiver) = mpsc::channel(BACKLOG);
        tokio::spawn(follow_accounts(self.clone(), signals, gone, changes));
        Ok(Replies(receiver))
    }

    /// Hears of the broker's leaving the bus.
    async fn owner_changes(&self) -> Result<MessageStream, Error> {
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender("org.freedesktop.DBus")
            .member("NameOwnerChanged")
            .arg(0, BUS_NAME)
            .build();
        self.subscribe(rule.map_err(from_zbus)?).await
    }

    async fn subscribe(&self, rule: MatchRule<'_>) -> Result<MessageStream, Error> {
        MessageStream::for_match_rule(rule, &self.0, NonZeroUsize::new(BACKLOG))
            .await
            .map_err(from_zbus)
    }

    /// Chooses a request's path, puts its word into the options, and listens there.
    async fn prepare(&self, options: &mut Options<'_>) -> Result<PendingRequest, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let word = format!("c{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let sender =
            self.0.unique_name().map(|name| name.trim_start_matches(':').replace('.', "_"));
        let path = format!("{ROOT_PATH}/requests/{}/{word}", sender.unwrap_or_default());
        options.insert("handle_token", Variant::from(word));
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(BUS_NAME)
            .path(path.clone())
            .interface(REQUEST)
            .build();
        let signals = self.subscribe(rule.map_err(from_zbus)?).await?;
        let gone = self.owner_changes().await?;
        Ok(PendingRequest { path, signals, gone })
    }

    fn follow(&self, pending: PendingRequest) -> Replies<Progress> {
        let (replies, receiver) = mpsc::channel(BACKLOG);
        tokio::spawn(follow_request(self.clone(), pending, replies));
        Replies(receiver)
    }

    /// The object of the account that `name` means.
    async fn account_path(&self, name: &str) -> Result<String, Error> {
        let reply = self.call(ROOT_PATH, OBJECT_MANAGER, "GetManagedObjects", &()).await?;
        let objects: Objects = reply.body().deserialize().map_err(from_zbus)?;
        let means = |account: &Account| {
            name.is_empty()
                || [&account.id, &account.provider, &account.username]
                    .into_iter()
                    .any(|word| word == name)
        };
        let accounts =
            objects.iter().filter_map(|(path, o)| Some((path, read_account(o.get(ACCOUNT)?))));
        let found: Vec<_> = accounts.filter(|(_, account)| means(account)).collect();
        match found.as_slice() {
            [(path, _)] => Ok(path.to_string()),
            [] => Err(no_account("NoSuchAccount", "no account matches")),
            _ => Err(no_account("AmbiguousAccount", "several accounts match")),
        }
    }

    async fn manager<B>(&self, method: &str, body: &B) -> Result<Message, Error>
    where
        B: serde::Serialize + zbus::wire::DynamicType + Sync,
    {
        self.call(ROOT_PATH, MANAGER, method, body).await
    }

    async fn call<B>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> Result<Message, Error>
    where
        B: serde::Serialize + zbus::wire::DynamicType + Sync,
    {
        let reply = self.0.call_method(Some(BUS_NAME), path, Some(interface), method, body).await;
        reply.map_err(from_zbus)
    }
}

/// A request's path, and what is heard of it.
struct PendingRequest {
    path: String,
    signals: MessageStream,
    gone: MessageStream,
}

/// Hands a request's signals on until its response; closes it when nobody listens any more.
async fn follow_request(
    bus: DBus,
    mut pending: PendingRequest,
    replies: mpsc::Sender<Result<Progress, Error>>,
) {
    loop {
        let message = tokio::select! {
            message = pending.signals.next() => message,
            _ = pending.gone.next() => None,
            () = replies.closed() => {
                // Withdrawn: whether the broker hears it no longer matters to anybody here.
                let _closed = bus.call(&pending.path, REQUEST, "Close", &()).await;
                return;
            }
        };
        let step = message
            .ok_or_else(broker_left)
            .and_then(|m| read_request_signal(&m.map_err(from_zbus)?));
        let goes_on = matches!(&step, Ok(progress) if progress.phase.is_some());
        if replies.send(step).await.is_err() || !goes_on {
            return;
        }
    }
}

/// Tells the accounts anew at every signal, as the difference to what was told before.
async fn follow_accounts(
    bus: DBus,
    mut signals: MessageStream,
    mut gone: MessageStream,
    changes: mpsc::Sender<Result<Change, Error>>,
) {
    let mut known: Option<Vec<Account>> = None;
    let mut heard = Heard::Something;
    loop {
        if heard == Heard::Nothing {
            tokio::select! {
                signal = signals.next() => if signal.is_none() { return },
                _ = gone.next() => {
                    let _told = changes.send(Err(broker_left())).await;
                    return;
                }
                () = changes.closed() => return,
            }
        }
        let (listed, meanwhile) = while_hearing(&mut signals, bus.accounts()).await;
        heard = meanwhile;
        let Ok(now) = listed else {
            let _told = changes.send(listed.map(|_| Change::default())).await;
            return;
        };
        if let Some(change) = Change::between(known.as_deref(), &now) {
            let (told, meanwhile) = while_hearing(&mut signals, changes.send(Ok(change))).await;
            if told.is_err() {
                return;
            }
            heard = heard.or(meanwhile);
        }
        known = Some(now);
    }
}

/// Whether a signal came while something else was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    Something,
}

impl Heard {
    fn or(self, other: Self) -> Self {
        if self == Self::Something { self } else { other }
    }
}

/// Does `work` and takes in the signals that come meanwhile. A stream that nobody reads fills up,
/// and then holds up everything on the connection, the answer to `work` included.
async fn while_hearing<T>(
    signals: &mut MessageStream,
    work: impl Future<Output = T>,
) -> (T, Heard) {
    let mut work = std::pin::pin!(work);
    let mut heard = Heard::Nothing;
    loop {
        tokio::select! {
            done = work.as_mut() => return (done, heard),
            Some(_) = signals.next() => heard = Heard::Something,
        }
    }
}

/// Options that ask for the parts of an error, and not for its text alone.
fn with_details<'a>() -> Options<'a> {
    Options::from([("error_details", Variant::Bool(true))])
}

fn put<'a, T: Into<Variant<'a>>>(options: &mut Options<'a>, name: &'static str, value: Option<T>) {
    if let Some(value) = value {
        options.insert(name, value.into());
    }
}

fn put_list(options: &mut Options<'_>, name: &'static str, values: Vec<String>) {
    if !values.is_empty() {
        options.insert(name, Variant::from(values));
    }
}

async fn can_be_started(bus: &DBusProxy<'_>) -> bool {
    let names = bus.list_activatable_names().await.unwrap_or_default();
    names.iter().any(|name| name.as_str() == BUS_NAME)
}

fn broker_left() -> Error {
    Error::Connection(io::Error::new(io::ErrorKind::BrokenPipe, "the broker left the bus"))
}
