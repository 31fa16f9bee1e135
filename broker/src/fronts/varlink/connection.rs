//! One connection: calls in, answers out, in their order.
//!
//! A peer is bounded before a byte of it is believed: silence, half a message, a message too long
//! and an answer never read each end the connection, and none of the peer's bytes reaches a log.

use std::collections::VecDeque;

use authbroker_client::wire::frame::{Call, Reply, codec};
use futures_util::{SinkExt as _, StreamExt as _};
use interprocess::local_socket::tokio::Stream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::bytes::Bytes;
use tokio_util::codec::{AnyDelimiterCodec, Framed};
use tokio_util::sync::CancellationToken;

use super::limits::{CALLS_AHEAD, SILENCE, SLOW_READER};
use super::router::Router;

/// Why a connection ends. Nobody is told more than that it did.
struct Over;

/// Serves a peer until it leaves or breaks a rule. At `stop`, a call under way is still answered; a
/// stream, which might never end by itself, is not.
pub(super) async fn serve(stream: Stream, router: Router, stop: CancellationToken) {
    let mut peer = Peer {
        connection: Framed::new(stream, codec()),
        ahead: VecDeque::new(),
        reading: Reading::Open,
    };
    let first = stop.run_until_cancelled(peer.first_message()).await;
    let Some(Ok(mut text)) = first else { return };
    while let Ok(()) = peer.answer(&router, &text, &stop).await {
        let next = stop.run_until_cancelled(peer.next_message()).await;
        let Some(Ok(next)) = next else { return };
        text = next;
    }
}

/// A peer, and what it has sent ahead of its turn.
struct Peer {
    connection: Framed<Stream, AnyDelimiterCodec>,
    ahead: VecDeque<Bytes>,
    reading: Reading,
}

/// Whether more can come from the peer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Open,
    /// It closed its end: scripts do, right after their last call.
    Ended,
}

impl Peer {
    async fn first_message(&mut self) -> Result<Bytes, Over> {
        match timeout(SILENCE, self.connection.next()).await {
            Ok(Some(Ok(text))) => Ok(text),
            _ => Err(Over),
        }
    }

    /// Waits for another message: for ever between messages, not for ever within one.
    async fn next_message(&mut self) -> Result<Bytes, Over> {
        if let Some(text) = self.ahead.pop_front() {
            return Ok(text);
        }
        if self.reading == Reading::Ended {
            return Err(Over);
        }
        loop {
            let begun = !self.connection.read_buffer().is_empty();
            match timeout(SILENCE, self.connection.next()).await {
                Ok(Some(Ok(text))) => return Ok(text),
                Err(_) if !begun => {}
                _ => return Err(Over),
            }
        }
    }

    /// Answers one call, and meanwhile hears what else the peer does.
    async fn answer(
        &mut self,
        router: &Router,
        text: &[u8],
        stop: &CancellationToken,
    ) -> Result<(), Over> {
        let call: Call = serde_json::from_slice(text).map_err(|_| Over)?;
        let (oneway, streams) = (call.oneway, call.more);
        // Room for one: a method that tells more waits for the peer to read.
        let (replies, mut outgoing) = mpsc::channel(1);
        let mut answering = std::pin::pin!(router.call(call, replies));
        let mut answered = false;
        loop {
            let listening = self.reading == Reading::Open && self.ahead.len() < CALLS_AHEAD;
            tokio::select! {
                // In this order, an answer that is at once there wakes nobody: not this task again,
                // and for its sake another thread.
                biased;
                () = answering.as_mut(), if !answered => answered = true,
                () = stop.cancelled(), if streams => return Err(Over),
                reply = outgoing.recv() => match reply {
                    Some(_) if oneway => {}
                    Some(reply) => self.send(&reply).await?,
                    None => return Ok(()),
                },
                heard = self.connection.next(), if listening => match heard {
                    Some(Ok(text)) => self.ahead.push_back(text),
                    // Who leaves a stream has lost interest in it; a single answer is still sent.
                    None if !streams => self.reading = Reading::Ended,
                    _ => return Err(Over),
                },
            }
        }
    }

    async fn send(&mut self, reply: &Reply) -> Result<(), Over> {
        let text = serde_json::to_string(reply).map_err(|_| Over)?;
        let sent = timeout(SLOW_READER, self.connection.send(text.as_str())).await;
        sent.map_err(|_| Over)?.map_err(|_| Over)
    }
}
