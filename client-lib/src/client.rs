//! The client: one handle, whichever door the broker is behind.

mod agent;

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::agent::Questions;
use crate::error::Error;
use crate::request::{AcquireRequest, Challenge, TokenRequest};
use crate::token::AccessToken;
use crate::transport::{Replies, Transport, varlink::Varlink};
use crate::wire::broker1::{Account, Change, Headers, Identity, Progress, Reaction, SignOut};
use crate::wire::{admin1, audit, places, sockets, vault};

/// A way to the broker. Cheap to clone; calls may run side by side.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
}

/// Which door to knock at. By default: the socket that `AUTHBROKER_SOCKET` names, the session's
/// socket, the session bus, the system's socket, whichever answers first.
#[derive(Debug, Clone, Default)]
pub enum Door {
    /// Whatever is there.
    #[default]
    Any,
    /// This socket, and no other.
    Socket(PathBuf),
    /// The session bus.
    #[cfg(target_os = "linux")]
    SessionBus,
}

impl Client {
    /// Finds the broker and connects.
    pub async fn connect() -> Result<Self, Error> {
        Self::connect_to(Door::Any).await
    }

    /// Connects at one door.
    pub async fn connect_to(door: Door) -> Result<Self, Error> {
        let transport = Transport::open(door).await?;
        Ok(Self { transport })
    }

    /// An access token, without asking anybody.
    ///
    /// Fails with [`InteractionRequired`](crate::ErrorCode::InteractionRequired) where a person
    /// must sign in first: see [`Client::acquire`].
    pub async fn token(&self, request: TokenRequest) -> Result<AccessToken, Error> {
        self.transport.token(request.0).await.map(AccessToken::from)
    }

    /// The headers of one request to an API: the token, and a proof for this request alone where
    /// the token is bound to a key (RFC 9449). Given only for the API's own origin.
    ///
    /// [`http`](crate::http) sends whole requests, and does what their answers ask for.
    pub async fn headers(
        &self,
        method: &str,
        uri: &str,
        request: &TokenRequest,
    ) -> Result<Headers, Error> {
        self.transport.headers(request.headers(method, uri)).await
    }

    /// Tells what an API answered to a token, and asks what to do about it.
    pub async fn report_challenge(&self, challenge: Challenge) -> Result<Reaction, Error> {
        self.transport.report_challenge(challenge.0).await
    }

    /// A sign-in, silent if there is one already. The broker opens the browser.
    pub async fn acquire(&self, request: AcquireRequest) -> Result<Pending, Error> {
        Ok(Pending(self.transport.acquire(request.0).await?))
    }

    /// Signs an account out, for every app.
    pub async fn sign_out(&self, account: impl Into<String>) -> Result<Pending, Error> {
        let request = SignOut { account: account.into(), ..SignOut::default() };
        Ok(Pending(self.transport.sign_out(request).await?))
    }

    /// Every account that this app may see.
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        self.transport.accounts().await
    }

    /// Every account now, and then each change.
    pub async fn watch(&self) -> Result<Watch, Error> {
        Ok(Watch(self.transport.watch().await?))
    }

    /// How the broker sees this app.
    pub async fn who_am_i(&self) -> Result<Identity, Error> {
        self.transport.who_am_i().await
    }
}

/// A request that waits for a person. Dropping it withdraws it.
#[derive(Debug)]
pub struct Pending(Replies<Progress>);

/// How a [`Pending`] request goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// What is happening.
    Progress(Progress),
    /// It is done, for the account of this id.
    Done(String),
}

impl Pending {
    /// Waits for the next step. After [`Step::Done`] or an error there is none.
    pub async fn next(&mut self) -> Result<Step, Error> {
        let progress = self.0.next().await?.ok_or_else(ended)?;
        Ok(match progress {
            Progress { phase: None, account: Some(account), .. } => Step::Done(account),
            progress => Step::Progress(progress),
        })
    }

    /// Waits for the end, and gives the account's id.
    pub async fn done(mut self) -> Result<String, Error> {
        loop {
            if let Step::Done(account) = self.next().await? {
                return Ok(account);
            }
        }
    }
}

/// The accounts, kept up to date. Dropping it ends the stream.
#[derive(Debug)]
pub struct Watch(Replies<Change>);

impl Watch {
    /// Waits for the next change; the first call gives every account at once.
    pub async fn next(&mut self) -> Result<Change, Error> {
        self.0.next().await?.ok_or_else(ended)
    }
}

/// Lines of the audit record. Dropping it ends the reading.
#[derive(Debug)]
pub struct AuditLines(Replies<audit::Audited>);

impl AuditLines {
    /// Waits for the next lines; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<audit::Entry>>, Error> {
        Ok(self.0.next().await?.map(|audited| audited.entries))
    }
}

fn ended() -> Error {
    Error::Connection(std::io::ErrorKind::UnexpectedEof.into())
}

/// The broker's own user, at the admin socket: what `brokerctl` is made of.
#[derive(Debug, Clone)]
pub struct Admin {
    connections: Varlink,
}

impl Admin {
    /// Connects at the admin socket in `runtime_dir`, or in the place where it usually is.
    pub async fn connect(runtime_dir: Option<PathBuf>) -> Result<Self, Error> {
        let folder = runtime_dir.or_else(places::runtime_dir).unwrap_or_default();
        let connections = Varlink::open(folder.join(places::ADMIN_SOCKET)).await?;
        Ok(Self { connections })
    }

    /// The same broker, as an app would see it.
    pub fn client(&self) -> Client {
        Client { transport: Transport::Varlink(self.connections.clone()) }
    }

    /// Signs a person in. The caller opens the browser at the address that the phase `url` brings.
    pub async fn sign_in(&self, request: &admin1::SignIn) -> Result<Pending, Error> {
        self.connections.stream(&self.method("SignIn"), request).await.map(Pending)
    }

    /// Signs an account out; `local` only forgets it.
    pub async fn sign_out(&self, account: &str, local: bool) -> Result<Pending, Error> {
        let account = account.to_owned();
        let request = SignOut { account, local: Some(local), ..SignOut::default() };
        self.connections.stream("org.authbroker.Broker1.SignOut", &request).await.map(Pending)
    }

    /// How the daemon is.
    pub async fn status(&self) -> Result<admin1::Status, Error> {
        self.connections.call(&self.method("Status"), &serde_json::json!({})).await
    }

    /// How the vault is, after a look at every record.
    pub async fn vault_status(&self) -> Result<vault::VaultStatus, Error> {
        self.connections.call(&self.method("VaultStatus"), &serde_json::json!({})).await
    }

    /// Opens the vault. Without a passphrase the keyring may ask a person, and this waits for it.
    pub async fn unlock(&self, request: &vault::Unlock) -> Result<(), Error> {
        self.connections.call::<_, Value>(&self.method("Unlock"), request).await.map(drop)
    }

    /// Puts the vault's key, and all that it opened, out of the daemon's memory.
    pub async fn lock(&self) -> Result<(), Error> {
        let nothing = serde_json::json!({});
        self.connections.call::<_, Value>(&self.method("Lock"), &nothing).await.map(drop)
    }

    /// Seals every record with a new key.
    pub async fn rekey(&self, request: &vault::Rekey) -> Result<vault::Rekeyed, Error> {
        self.connections.call(&self.method("Rekey"), request).await
    }

    /// The audit record: lines as they were written, and with `follow` those that come.
    pub async fn audit(&self, request: &audit::Audit) -> Result<AuditLines, Error> {
        self.connections.stream(&self.method("Audit"), request).await.map(AuditLines)
    }

    /// Checks the chain of the whole audit record.
    pub async fn verify_audit(&self) -> Result<audit::AuditCheck, Error> {
        self.connections.call(&self.method("VerifyAudit"), &serde_json::json!({})).await
    }

    /// Makes a socket for one consumer.
    pub async fn mint_socket(&self, order: &sockets::MintSocket) -> Result<sockets::Socket, Error> {
        self.connections.call(&self.method("MintSocket"), order).await
    }

    /// The minted sockets.
    pub async fn sockets(&self) -> Result<Vec<sockets::Socket>, Error> {
        let nothing = serde_json::json!({});
        let listed: sockets::Sockets =
            self.connections.call(&self.method("ListSockets"), &nothing).await?;
        Ok(listed.sockets)
    }

    /// Ends a minted socket and every connection on it.
    pub async fn close_socket(&self, name: &str) -> Result<(), Error> {
        let request = sockets::CloseSocket { name: name.to_owned() };
        self.connections.call::<_, Value>(&self.method("CloseSocket"), &request).await.map(drop)
    }

    /// Has the daemon read its configuration again.
    pub async fn reload(&self) -> Result<(), Error> {
        let _: serde_json::Value =
            self.connections.call(&self.method("Reload"), &serde_json::json!({})).await?;
        Ok(())
    }

    /// Calls a method of the admin interface.
    pub(crate) async fn call<P: Serialize + Sync, R: DeserializeOwned>(
        &self,
        method: &str,
        parameters: &P,
    ) -> Result<R, Error> {
        self.connections.call(&self.method(method), parameters).await
    }

    #[expect(clippy::unused_self, reason = "reads as a property of the interface")]
    fn method(&self, name: &str) -> String {
        format!("{}.{name}", admin1::INTERFACE)
    }
}
