//! What a peer sends: message by message, each bounded in size and in the time it takes to arrive.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use authbroker_client::wire::frame::{MAX_MESSAGE, codec};
use futures_util::{SinkExt as _, StreamExt as _};
use interprocess::local_socket::tokio::Stream;
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::bytes::Bytes;
use tokio_util::codec::{AnyDelimiterCodec, Framed};

use super::limits::{SILENCE, SLOW_READER};

/// A connection is over: the peer has left, or has broken a rule. Nobody is told which.
#[derive(Debug)]
pub(super) struct Over;

/// A connection as a sequence of texts.
pub(super) struct Messages {
    connection: Framed<Stream, AnyDelimiterCodec>,
    /// Runs out on a message that has begun and is not whole.
    patience: Option<Pin<Box<Sleep>>>,
}

impl Messages {
    pub(super) fn of(stream: Stream) -> Self {
        Self { connection: Framed::new(stream, codec(MAX_MESSAGE)), patience: None }
    }

    /// Waits for a message of a peer that has not said anything yet.
    pub(super) async fn first(&mut self) -> Result<Bytes, Over> {
        match timeout(SILENCE, self.next()).await {
            Ok(Some(heard)) => heard,
            _ => Err(Over),
        }
    }

    /// Waits for a message: for ever between messages, not for ever within one. `None` once the
    /// peer has closed its end. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, Over>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Over>>> {
        if let Poll::Ready(heard) = self.connection.poll_next_unpin(context) {
            self.patience = None;
            return Poll::Ready(heard.map(|text| text.map_err(|_| Over)));
        }
        if self.connection.read_buffer().is_empty() {
            return Poll::Pending;
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(SILENCE)));
        patience.as_mut().poll(context).map(|()| Some(Err(Over)))
    }

    /// Sends a text, if the peer reads it in time.
    pub(super) async fn send(&mut self, text: &str) -> Result<(), Over> {
        let sent = timeout(SLOW_READER, self.connection.send(text)).await;
        sent.map_err(|_| Over)?.map_err(|_| Over)
    }
}
