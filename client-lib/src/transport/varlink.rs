//! The socket: one JSON object each way, ended by a NUL byte.
//!
//! Plain calls share a small pool of open connections, so that a second token costs no second
//! connect. Streams have a connection of their own, because answers come in the order of calls.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{SinkExt as _, StreamExt as _};
use interprocess::local_socket::GenericFilePath;
use interprocess::local_socket::tokio::{Stream, prelude::*};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, Framed};

use super::{BACKLOG, Replies};
use crate::error::Error;
use crate::wire::frame::{Call, MAX_ANSWER, Reply, codec};

/// The connections that wait for the next call. More are closed after use.
const POOL: usize = 4;

type Connection = Framed<Stream, AnyDelimiterCodec>;

/// One broker's socket, and the connections that are open to it.
#[derive(Debug, Clone)]
pub(crate) struct Varlink(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    // A std mutex: held for a push or a pop, never across an await.
    idle: Mutex<Vec<Connection>>,
}

impl Varlink {
    /// Connects once, so that a missing broker is known now.
    pub(crate) async fn open(path: PathBuf) -> Result<Self, Error> {
        let connection = connect(&path).await?;
        Ok(Self(Arc::new(Shared { path, idle: Mutex::new(vec![connection]) })))
    }

    /// One call, one answer.
    pub(crate) async fn call<P, R>(&self, method: &str, parameters: &P) -> Result<R, Error>
    where
        P: Serialize + Sync,
        R: DeserializeOwned,
    {
        let text = encode(method, parameters, false)?;
        // A pooled connection may have died with a broker that was restarted: then a new one.
        if let Some(connection) = self.take() {
            match self.exchange(connection, &text).await {
                Err(Error::Connection(_)) => {}
                answered => return answered.and_then(|value| decode(&value)),
            }
        }
        let connection = connect(&self.0.path).await?;
        self.exchange(connection, &text).await.and_then(|value| decode(&value))
    }

    /// One call, many answers, on a connection of its own.
    pub(crate) async fn stream<P, R>(&self, method: &str, params: &P) -> Result<Replies<R>, Error>
    where
        P: Serialize + Sync,
        R: DeserializeOwned + Send + 'static,
    {
        let mut connection = connect(&self.0.path).await?;
        connection.send(&encode(method, params, true)?).await.map_err(broken)?;
        let (replies, receiver) = mpsc::channel(BACKLOG);
        tokio::spawn(forward(connection, replies));
        Ok(Replies(receiver))
    }

    async fn exchange(
        &self,
        mut connection: Connection,
        text: &str,
    ) -> Result<Box<RawValue>, Error> {
        connection.send(text).await.map_err(broken)?;
        let reply = receive(&mut connection).await?;
        self.give_back(connection);
        unwrap(reply).map(|(value, _)| value)
    }

    fn take(&self) -> Option<Connection> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < POOL {
            idle.push(connection);
        }
    }
}

/// Hands answers on until the last one, an error, or a reader that has gone.
async fn forward<R: DeserializeOwned>(
    mut connection: Connection,
    replies: mpsc::Sender<Result<R, Error>>,
) {
    loop {
        let reply = tokio::select! {
            reply = receive(&mut connection) => reply,
            () = replies.closed() => return,
        };
        let answer = reply.and_then(unwrap);
        let goes_on = matches!(answer, Ok((_, true)));
        let answer = answer.and_then(|(value, _)| decode(&value));
        if replies.send(answer).await.is_err() || !goes_on {
            return;
        }
    }
}

async fn connect(path: &Path) -> Result<Connection, Error> {
    let name = path.to_fs_name::<GenericFilePath>().map_err(Error::Connection)?;
    match Stream::connect(name).await {
        Ok(stream) => Ok(Framed::new(stream, codec(MAX_ANSWER))),
        Err(error) if is_absent(&error) => {
            Err(Error::NoBroker { looked: format!("looked at {}", path.display()) })
        }
        Err(error) => Err(Error::Connection(error)),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn encode<P: Serialize>(method: &str, parameters: &P, more: bool) -> Result<String, Error> {
    let parameters = serde_json::to_value(parameters).map_err(not_understood)?;
    let call = Call { method: method.to_owned(), parameters, more, oneway: false };
    serde_json::to_string(&call).map_err(not_understood)
}

async fn receive(connection: &mut Connection) -> Result<Reply, Error> {
    match connection.next().await {
        Some(Ok(text)) => serde_json::from_slice(&text).map_err(not_understood),
        Some(Err(error)) => Err(broken(error)),
        None => Err(Error::Connection(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// The parameters of a good reply and whether more follow, or the error of a bad one.
fn unwrap(reply: Reply) -> Result<(Box<RawValue>, bool), Error> {
    match reply.error {
        None => Ok((reply.parameters, reply.continues)),
        Some(name) => {
            let details = serde_json::from_str(reply.parameters.get()).unwrap_or_default();
            Err(Error::from_wire(&name, details))
        }
    }
}

fn decode<R: DeserializeOwned>(value: &RawValue) -> Result<R, Error> {
    serde_json::from_str(value.get()).map_err(not_understood)
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn not_understood(error: serde_json::Error) -> Error {
    // The category and place only: the text itself may hold a token.
    Error::Protocol(format!("{:?} error at column {}", error.classify(), error.column()))
}

fn broken(error: AnyDelimiterCodecError) -> Error {
    Error::Connection(match error {
        AnyDelimiterCodecError::Io(error) => error,
        AnyDelimiterCodecError::MaxChunkLengthExceeded => {
            io::Error::new(io::ErrorKind::InvalidData, "the message is too long")
        }
    })
}
