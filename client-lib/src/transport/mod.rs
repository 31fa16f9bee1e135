//! The two roads to the broker, behind one set of calls.

#[cfg(target_os = "linux")]
pub(crate) mod dbus;
pub(crate) mod varlink;

use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::client::Door;
use crate::error::Error;
use crate::wire::broker1::{
    Account, Acquire, Change, GetHeaders, GetToken, Headers, Identity, Progress, Reaction,
    ReportChallenge, SignOut, Token,
};
use crate::wire::places;

/// The road that this client is on.
#[derive(Debug, Clone)]
pub(crate) enum Transport {
    Varlink(varlink::Varlink),
    #[cfg(target_os = "linux")]
    DBus(dbus::DBus),
}

/// A stream of answers to one call. The call is withdrawn when this is dropped.
#[derive(Debug)]
pub(crate) struct Replies<T>(pub(crate) mpsc::Receiver<Result<T, Error>>);

impl<T> Replies<T> {
    /// The next answer, or `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, Error> {
        self.0.recv().await.transpose()
    }
}

/// How many answers wait for a client that reads slowly.
pub(crate) const BACKLOG: usize = 16;

impl Transport {
    pub(crate) async fn open(door: Door) -> Result<Self, Error> {
        match door {
            Door::Any => Self::find().await,
            Door::Socket(path) => varlink::Varlink::open(path).await.map(Self::Varlink),
            #[cfg(target_os = "linux")]
            Door::SessionBus => dbus::DBus::open().await.map(Self::DBus),
        }
    }

    /// Tries the doors in their order. A socket that was named is the only one tried.
    async fn find() -> Result<Self, Error> {
        if let Some(path) = std::env::var_os(places::SOCKET_VARIABLE) {
            return varlink::Varlink::open(path.into()).await.map(Self::Varlink);
        }
        let mut looked = Vec::new();
        if let Some(socket) = session_socket() {
            match varlink::Varlink::open(socket.clone()).await {
                Ok(varlink) => return Ok(Self::Varlink(varlink)),
                Err(_) => looked.push(socket.display().to_string()),
            }
        }
        #[cfg(target_os = "linux")]
        match dbus::DBus::open().await {
            Ok(bus) => return Ok(Self::found_by(bus).await),
            Err(_) => looked.push("the session bus".to_owned()),
        }
        let system = PathBuf::from(places::SYSTEM_RUNTIME_DIR).join(places::APP_SOCKET);
        if let Ok(varlink) = varlink::Varlink::open(system.clone()).await {
            return Ok(Self::Varlink(varlink));
        }
        looked.push(system.display().to_string());
        Err(Error::NoBroker { looked: format!("looked at {}", looked.join(", ")) })
    }

    /// A broker that was found through the bus is spoken to on its socket, once it runs: there is
    /// less between the two. Where its socket cannot be reached, the bus does.
    #[cfg(target_os = "linux")]
    async fn found_by(bus: dbus::DBus) -> Self {
        if bus.start().await.is_ok()
            && let Some(socket) = session_socket()
            && let Ok(varlink) = varlink::Varlink::open(socket).await
        {
            return Self::Varlink(varlink);
        }
        Self::DBus(bus)
    }

    pub(crate) async fn token(&self, request: GetToken) -> Result<Token, Error> {
        match self {
            Self::Varlink(varlink) => varlink.call(&method("GetToken"), &request).await,
            #[cfg(target_os = "linux")]
            Self::DBus(bus) => bus.token(request).await,
        }
    }

    pub(crate) async fn headers(&self, request: GetHeaders) -> Result<Headers, Error> {
        match self {
            Self::Varlink(varlink) => varlink.call(&method("GetHeaders"), &request).await,
            #[cfg(target_os = "linux")]
            Self::DBus(bus) => bus.headers(request).await,
        }
    }

    pub(crate) async fn report_challenge(
        &self,
        challenge: ReportChallenge,
    ) -> Result<Reaction, Error> {
        match self {
            Self::Varlink(varlink) => varlink.call(&method("ReportChallenge"), &challenge).await,
            #[cfg(target_os = "linux")]
            Self::DBus(bus) => bus.report_challenge(challenge).await,
        }
    }

    pub(crate) async fn who_am_i(&self) -> Result<Identity, Error> {
        match self {
            Self::Varlink(varlink) => varlink.call(&method("WhoAmI"), &nothing()).await,
            #[cfg(target_os = "linux")]
            Self::DBus(bus) => bus.who_am_i().await,
        }
    }

    pub(crate) async fn accounts(&self) -> Result<Vec<Account>, Error> {
        match self {
            Self::Varlink(varlink) => {
                let listed: crate::wire::broker1::Accounts =
                    varlink.call(&method("ListAccounts"), &nothing()).await?;
                Ok(listed.accounts)
            }
            #[cfg(target_os = "linux")]
            Self::DBus(bus) => bus.accounts().await,
        }
    }

    pub(crate) async fn acquire(&self, request: Acquire) -> Result<Replies<Progress>, Error> {
        match self {
            Self::Varlink(varlink) => varlink.stream(&method("Acquire"), &request).await,
            #[cfg(target_os = "linux")]
            Self::DBus(bus) => bus.acquire(request).await,
        }
    }

    pub(crate) async fn sign_out(&self, request: SignOut) -> Result<Replies<Progress>, Error> {
        match self {
            Self::Varlink(varlink) => varlink.stream(&method("SignOut"), &request).await,
            #[cfg(target_os = "linux")]
            Self::DBus(bus) => bus.sign_out(request).await,
        }
    }

    pub(crate) async fn watch(&self) -> Result<Replies<Change>, Error> {
        match self {
            Self::Varlink(varlink) => varlink.stream(&method("Watch"), &nothing()).await,
            #[cfg(target_os = "linux")]
            Self::DBus(bus) => bus.watch().await,
        }
    }
}

fn session_socket() -> Option<PathBuf> {
    let moved = std::env::var_os(places::RUNTIME_DIR_VARIABLE).map(PathBuf::from);
    Some(moved.or_else(places::runtime_dir)?.join(places::APP_SOCKET))
}

fn method(name: &str) -> String {
    format!("{}.{name}", crate::wire::broker1::INTERFACE)
}

fn nothing() -> serde_json::Value {
    serde_json::json!({})
}
