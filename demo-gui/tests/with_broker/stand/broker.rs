//! A broker of a hundred lines: speaks `org.authbroker.Broker1` on a socket, keeps nothing.
//!
//! All it knows is a [`World`] in a watch channel. Tests change the world and wait for it to change;
//! so does every connection.

use std::fs;
use std::path::{Path, PathBuf};

use authbroker_client::wire::broker1::{
    Acquire, Change, GetHeaders, GetToken, INTERFACE, Progress, ReportChallenge, SignOut,
};
use authbroker_client::wire::frame::{Call, MAX_MESSAGE, Reply, codec};
use authbroker_client::{Account, Identity};
use data_encoding::BASE64URL_NOPAD;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::codec::{AnyDelimiterCodec, Framed};
use tokio_util::task::AbortOnDropHandle;

use super::{PATIENCE, alice};

/// Where a person is sent.
pub(crate) const SIGN_IN_PAGE: &str = "https://login.example/authorize?state=x";

/// What the person at the browser does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Person {
    /// Takes their time.
    #[default]
    Thinks,
    SignsIn,
    Refuses,
}

/// Everything there is.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) accounts: Vec<Account>,
    pub(crate) person: Person,
    /// What `GetToken` fails with: error name and parameters.
    pub(crate) refusal: Option<(&'static str, Value)>,
    /// How often a token was renewed by force.
    pub(crate) renewals: u32,
    /// How many sign-ins were begun, and how many of them the caller withdrew.
    pub(crate) sign_ins: u32,
    pub(crate) withdrawn: u32,
    /// The last token request.
    pub(crate) asked: Option<GetToken>,
    /// How recent the sign-in was to be that was begun last, in seconds.
    pub(crate) max_age: Option<u32>,
    /// When tokens expire, in seconds since the epoch; in 2026 where a test does not say.
    pub(crate) expiry: Option<u64>,
    /// How many follow the accounts.
    pub(crate) watchers: u32,
    /// The methods that were called, in their order.
    pub(crate) calls: Vec<String>,
}

impl World {
    fn expires_at(&self) -> u64 {
        self.expiry.unwrap_or(1_790_000_000)
    }
}

/// The broker. It is gone, with its connections, when this is dropped.
pub(crate) struct Broker {
    world: watch::Sender<World>,
    socket: PathBuf,
    _task: AbortOnDropHandle<()>,
}

impl Broker {
    pub(crate) fn start(socket: &Path, world: World) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let (world, _) = watch::channel(world);
        let task = AbortOnDropHandle::new(tokio::spawn(serve(listener, world.clone())));
        Self { world, socket: socket.to_owned(), _task: task }
    }

    /// Changes the world.
    pub(crate) fn change(&self, change: impl FnOnce(&mut World)) {
        self.world.send_modify(change);
    }

    /// Waits until the world is so.
    pub(crate) async fn until(&self, mut so: impl FnMut(&World) -> bool) {
        let mut world = self.world.subscribe();
        timeout(PATIENCE, world.wait_for(|world| so(world))).await.unwrap().unwrap();
    }

    pub(crate) fn world(&self) -> World {
        self.world.borrow().clone()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.socket);
    }
}

async fn serve(listener: UnixListener, world: watch::Sender<World>) {
    // Dropped with this task, and so is every connection.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(Framed::new(stream, codec(MAX_MESSAGE)), world.clone()));
    }
}

type Connection = Framed<UnixStream, AnyDelimiterCodec>;

async fn converse(mut connection: Connection, world: watch::Sender<World>) {
    while let Some(Ok(text)) = connection.next().await {
        let call: Call = serde_json::from_slice(&text).unwrap();
        let method = call.method.strip_prefix(INTERFACE).unwrap().trim_start_matches('.');
        world.send_modify(|world| world.calls.push(method.to_owned()));
        match method {
            "Watch" => return follow(connection, world).await,
            "Acquire" => return acquire(connection, &world, read(call.parameters)).await,
            "SignOut" => return sign_out(connection, &world, &read(call.parameters)).await,
            "GetToken" => {
                let reply = get_token(&world, read(call.parameters));
                send(&mut connection, &reply).await;
            }
            "GetHeaders" => {
                let reply = get_headers(&world, read(call.parameters));
                send(&mut connection, &reply).await;
            }
            "ReportChallenge" => {
                let reply = report_challenge(&world, &read(call.parameters));
                send(&mut connection, &reply).await;
            }
            "WhoAmI" => send(&mut connection, &last(json!(identity()))).await,
            other => panic!("the broker was asked for {other}"),
        }
    }
}

fn read<P: DeserializeOwned>(parameters: Value) -> P {
    serde_json::from_value(parameters).unwrap()
}

async fn send(connection: &mut Connection, reply: &Reply) {
    // A caller that has left misses nothing.
    let _ = connection.send(serde_json::to_string(reply).unwrap()).await;
}

async fn follow(mut connection: Connection, world: watch::Sender<World>) {
    let mut changes = world.subscribe();
    world.send_modify(|world| world.watchers += 1);
    let mut known: Option<Vec<Account>> = None;
    loop {
        let accounts = changes.borrow_and_update().accounts.clone();
        if known.as_ref() != Some(&accounts) {
            let gone = |account: &Account| accounts.iter().all(|a| a.id != account.id);
            let before = known.unwrap_or_default();
            let removed = before.iter().filter(|a| gone(a)).map(|a| a.id.clone()).collect();
            let change = Change { accounts: accounts.clone(), removed };
            send(&mut connection, &Reply::of(&change, true).unwrap()).await;
            known = Some(accounts);
        }
        tokio::select! {
            news = changes.changed() => if news.is_err() { return },
            _ = connection.next() => return,
        }
    }
}

async fn acquire(mut connection: Connection, world: &watch::Sender<World>, request: Acquire) {
    world.send_modify(|world| {
        world.sign_ins += 1;
        world.max_age = request.max_age;
    });
    let url = Some(SIGN_IN_PAGE.to_owned());
    let phases = [("url", url), ("browser-opened", None)];
    for (phase, url) in phases {
        let progress = Progress { phase: Some(phase.into()), url, ..Progress::default() };
        send(&mut connection, &Reply::of(&progress, true).unwrap()).await;
    }
    let mut changes = world.subscribe();
    let person = tokio::select! {
        decided = changes.wait_for(|world| world.person != Person::Thinks) => {
            decided.unwrap().person
        }
        _ = connection.next() => return world.send_modify(|world| world.withdrawn += 1),
    };
    let reply = match person {
        Person::SignsIn => {
            world.send_modify(sign_alice_in);
            Reply::of(json!({"account": "demo-alice"}), false).unwrap()
        }
        _ => error("UserDenied", json!({"message": "the person said no", "hint": "try again"})),
    };
    send(&mut connection, &reply).await;
}

fn sign_alice_in(world: &mut World) {
    let known = world.accounts.iter_mut().find(|account| account.id == "demo-alice");
    match known {
        Some(account) => account.state = "ready".into(),
        None => world.accounts.push(alice()),
    }
    world.refusal = None;
    world.person = Person::Thinks;
}

async fn sign_out(mut connection: Connection, world: &watch::Sender<World>, request: &SignOut) {
    let progress = Progress { phase: Some("revoking".into()), ..Progress::default() };
    send(&mut connection, &Reply::of(&progress, true).unwrap()).await;
    let account = if request.account.is_empty() { "demo-alice" } else { &request.account };
    world.send_modify(|world| world.accounts.retain(|known| known.id != account));
    send(&mut connection, &Reply::of(json!({"account": account}), false).unwrap()).await;
}

fn get_token(world: &watch::Sender<World>, request: GetToken) -> Reply {
    world.send_modify(|world| {
        world.renewals += u32::from(request.force == Some(true));
        world.asked = Some(request);
    });
    let world = world.borrow();
    granted(&world, |account| {
        json!({"access_token": token(world.renewals), "token_type": "Bearer",
               "expires_at": world.expires_at(), "scopes": ["openid", "messages.read"],
               "resource": ["urn:demo"], "account": account.id, "subject": account.subject})
    })
}

fn get_headers(world: &watch::Sender<World>, request: GetHeaders) -> Reply {
    world.send_modify(|world| {
        let GetHeaders { account, resource, scopes, .. } = request;
        world.asked = Some(GetToken { account, resource, scopes, ..GetToken::default() });
    });
    let world = world.borrow();
    granted(&world, |account| {
        let authorization = format!("Bearer {}", token(world.renewals));
        json!({"headers": {"Authorization": authorization}, "token_type": "Bearer",
               "expires_at": world.expires_at(), "scopes": ["openid", "messages.read"],
               "resource": ["urn:demo"], "account": account.id, "subject": account.subject})
    })
}

/// The only reply, or the last one.
fn last(parameters: Value) -> Reply {
    Reply::of(parameters, false).unwrap()
}

/// What the real broker would say: renews a token that is not taken, hands a step-up on, and knows
/// no help else.
fn report_challenge(world: &watch::Sender<World>, report: &ReportChallenge) -> Reply {
    let says = |word: &str| report.www_authenticate.iter().any(|header| header.contains(word));
    if says("insufficient_user_authentication") {
        let terms = json!({"action": "interaction-required", "max_age": 300});
        return last(terms);
    }
    if says("invalid_token") {
        world.send_modify(|world| world.renewals += 1);
        return last(json!({"action": "retry"}));
    }
    last(json!({"action": "not-mine"}))
}

fn identity() -> Identity {
    Identity {
        level: 1,
        level_name: "described".into(),
        app: "exe:/usr/bin/demo-gui".into(),
        source: "the program's path".into(),
        uid: 1000,
        pid: Some(4711),
        executable: Some("/usr/bin/demo-gui".into()),
        proves: "nothing: a label for people and records".into(),
        user_unit: None,
        terminal: None,
        proxy: None,
    }
}

/// A result with the account, unless there is none or the test says otherwise.
fn granted(world: &World, result: impl FnOnce(&Account) -> Value) -> Reply {
    if let Some((name, details)) = &world.refusal {
        return error(name, details.clone());
    }
    let Some(account) = world.accounts.first() else {
        let details = json!({"message": "nobody is signed in", "hint": "brokerctl login demo"});
        return error("InteractionRequired", details);
    };
    last(result(account))
}

/// The token after so many renewals: looks like a JWT, and is signed by nobody.
pub(crate) fn token(renewals: u32) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let payload = json!({"sub": "u-1", "aud": "urn:demo", "jti": renewals});
    format!("{}.{}.c2lnbmF0dXJl", part(&json!({"alg": "RS256"})), part(&payload))
}

fn error(name: &str, details: Value) -> Reply {
    Reply::error(format!("{INTERFACE}.{name}"), details)
}
