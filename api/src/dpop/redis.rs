//! The used proofs and the nonces' key in Redis or Valkey, for several instances of one API.
//!
//! 1. A proof is `SET … NX EX`: one command that says whether it was there, and that has the store
//!    forget it by itself. No two instances can both be told that they were first.
//! 2. The nonces' key is set by whoever comes first and read by all. Each instance keeps it, and
//!    puts it back if the store has lost it.
//! 3. One connection serves all requests; it is made with the first, and made anew when it breaks.
//! 4. A store that does not answer within `PATIENCE` is no reason to accept a proof: the caller gets
//!    503 and is told to come back. The log says so once, and once more when it is over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{
    Client, ConnectionInfo, ExistenceCheck, FromRedisValue, IntoConnectionInfo, RedisError,
    SetExpiry, SetOptions,
};
use tokio::sync::OnceCell;

use super::store::{Pending, ProofId, ProofStore, StoreUnavailable, new_nonce_key};
use crate::secret::Secret;

/// For one question, the connection included: a caller waits for the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Seconds by which a proof is remembered longer than it is good here: the clocks of the other
/// instances may be that much behind.
const CLOCKS_APART: u64 = 30;

/// Before all names, since others may use the same server.
const PREFIX: &str = "private-api:dpop:";

/// Remembers the proofs in a server that the instances share.
pub struct RedisStore {
    client: Client,
    /// Made with the first question, because it belongs to the runtime that it is made in.
    connection: OnceCell<ConnectionManager>,
    /// The one that was last seen there. A std mutex, because it is held for a copy and never across
    /// an `.await`.
    nonce_key: Mutex<Option<[u8; 32]>>,
    /// What the log said last.
    said: Said,
}

impl RedisStore {
    /// A store at `redis://HOST:PORT`, `rediss://HOST:PORT` (TLS, by the system's roots) or
    /// `unix:///PATH`; for `redis` and `rediss` the path may be the number of a database. It is
    /// reached when the first proof comes.
    pub fn new(address: &str, password: Option<&Secret>) -> Result<Self, InvalidStore> {
        // The crate makes TLS with the process's choice. An error means that there is one already.
        let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::open(place(address, password)?).map_err(|_| InvalidStore::Address)?;
        let (connection, nonce_key, said) = (OnceCell::new(), Mutex::default(), Said::default());
        Ok(Self { client, connection, nonce_key, said })
    }

    /// Asks one question within [`PATIENCE`].
    async fn ask<T: FromRedisValue>(&self, question: &redis::Cmd) -> Result<T, StoreUnavailable> {
        let asked = async { question.query_async(&mut self.connection().await?).await };
        let answer = match tokio::time::timeout(PATIENCE, asked).await {
            // The kind and not the text, which may have more of the address than a log should.
            Ok(answer) => answer.map_err(|error: RedisError| format!("{:?}", error.kind())),
            Err(_) => Err(format!("no answer in {} s", PATIENCE.as_secs())),
        };
        self.said.of(answer.as_ref().err());
        answer.map_err(StoreUnavailable)
    }

    async fn connection(&self) -> Result<ConnectionManager, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            // The next question tries again.
            .set_number_of_retries(0);
        let made = async || ConnectionManager::new_lazy_with_config(self.client.clone(), config);
        self.connection.get_or_try_init(made).await.cloned()
    }

    async fn shared_nonce_key(&self) -> Result<[u8; 32], StoreUnavailable> {
        let name = format!("{PREFIX}nonce-key");
        let known = *self.known_nonce_key();
        let own = known.map_or_else(new_nonce_key, Ok)?;
        let set = set_if_new(name.as_bytes(), &own, SetOptions::default());
        self.ask::<Option<String>>(&set).await?;
        let key: Vec<u8> = self.ask(redis::cmd("GET").arg(name)).await?;
        let key = key.try_into();
        let key = key.map_err(|_| StoreUnavailable("the nonces' key is damaged".to_owned()))?;
        *self.known_nonce_key() = Some(key);
        Ok(key)
    }

    fn known_nonce_key(&self) -> std::sync::MutexGuard<'_, Option<[u8; 32]>> {
        self.nonce_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProofStore for RedisStore {
    fn first_use(&self, proof: ProofId, now: u64, until: u64) -> Pending<'_, bool> {
        Box::pin(async move {
            let name = [PREFIX.as_bytes(), b"used:", proof.as_bytes()].concat();
            let life = SetExpiry::EX(until.saturating_sub(now) + CLOCKS_APART);
            let set = set_if_new(&name, b"", SetOptions::default().with_expiration(life));
            Ok(self.ask::<Option<String>>(&set).await?.is_some())
        })
    }

    fn nonce_key(&self) -> Pending<'_, [u8; 32]> {
        Box::pin(self.shared_nonce_key())
    }
}

/// Answered with `OK`, or with nothing if the name is taken.
fn set_if_new(name: &[u8], value: &[u8], options: SetOptions) -> redis::Cmd {
    let mut set = redis::cmd("SET");
    set.arg(name).arg(value).arg(options.conditional_set(ExistenceCheck::NX));
    set
}

/// Where the server is, and how to speak to it.
fn place(address: &str, password: Option<&Secret>) -> Result<ConnectionInfo, InvalidStore> {
    let place = address.into_connection_info().map_err(|_| InvalidStore::Address)?;
    let mut access = place.redis_settings().clone();
    if access.password().is_some() {
        return Err(InvalidStore::Password);
    }
    if let Some(password) = password {
        access = access.set_password(password.expose());
    }
    Ok(place.set_redis_settings(access).set_tcp_settings(tcp()))
}

fn tcp() -> TcpSettings {
    let tcp = TcpSettings::default().set_nodelay(true);
    // Otherwise a server that vanished without a word would be waited for a quarter of an hour,
    // one question after the other.
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(2 * PATIENCE);
    tcp
}

/// Tells the log when the store falls silent, and when it is back: not with every request.
#[derive(Default)]
struct Said {
    silent: AtomicBool,
}

impl Said {
    fn of(&self, failure: Option<&String>) {
        match (self.silent.swap(failure.is_some(), Ordering::Relaxed), failure) {
            (false, Some(reason)) => {
                tracing::warn!(reason, "the store of used proofs does not answer");
            }
            (true, None) => tracing::info!("the store of used proofs answers again"),
            _ => {}
        }
    }
}

/// Why there can be no store at an address.
#[derive(Debug, thiserror::Error)]
pub enum InvalidStore {
    /// It is none of a Redis or Valkey server.
    #[error("the store's address must be redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH")]
    Address,
    /// It has a password, and addresses get into logs and lists of processes.
    #[error("the store's password belongs into a file of its own (--proof-store-password-file)")]
    Password,
}
