//! One connection: calls in, answers out, in their order.
//!
//! A peer is bounded before a byte of it is believed: silence, half a message, a message too long
//! and an answer never read each end the connection, and none of the peer's bytes reaches a log.

use std::collections::VecDeque;

use authbroker_client::wire::frame::{MAX_MESSAGE, Reply};
use authbroker_core::failure::Failure;
use interprocess::local_socket::tokio::Stream;
use tokio::sync::mpsc;
use tokio_util::bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::incoming::{Messages, Over};
use super::limits::{CALLS_AHEAD, Place};
use super::router::{Answers, Call, Router, Telling, bad};

/// Serves a peer until it leaves or breaks a rule. At `stop`, a call under way is still answered; a
/// stream, which might never end by itself, is not.
pub(super) async fn serve(
    stream: Stream,
    mut place: Place,
    router: Router,
    stop: CancellationToken,
) {
    let mut peer = Peer::new(stream);
    let first = stop.run_until_cancelled(peer.messages.first()).await;
    let Some(Ok(mut text)) = first else { return };
    place.has_spoken();
    while let Ok(()) = peer.answer(&router, &text, &stop).await {
        let next = stop.run_until_cancelled(peer.next_message()).await;
        let Some(Ok(next)) = next else { return };
        text = next;
    }
}

/// Tells a peer that is not served why, as soon as it asks for something.
pub(super) async fn refuse(stream: Stream, why: &Failure, stop: CancellationToken) {
    let mut peer = Peer::new(stream);
    if let Some(Ok(_asked)) = stop.run_until_cancelled(peer.messages.first()).await {
        let _left = peer.send(&bad(why, None)).await;
    }
}

/// A peer, and what it has sent ahead of its turn.
struct Peer {
    messages: Messages,
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
    fn new(stream: Stream) -> Self {
        Self { messages: Messages::of(stream), ahead: VecDeque::new(), reading: Reading::Open }
    }

    async fn next_message(&mut self) -> Result<Bytes, Over> {
        if let Some(text) = self.ahead.pop_front() {
            return Ok(text);
        }
        match self.reading {
            Reading::Open => self.messages.next().await.unwrap_or(Err(Over)),
            Reading::Ended => Err(Over),
        }
    }

    fn listens(&self) -> bool {
        self.reading == Reading::Open && self.has_room()
    }

    /// Whether another call may wait here. Where not, it waits in the socket, and its sender too.
    fn has_room(&self) -> bool {
        let bytes: usize = self.ahead.iter().map(Bytes::len).sum();
        self.ahead.len() < CALLS_AHEAD && bytes < MAX_MESSAGE
    }

    /// Answers one call, and meanwhile hears what else the peer does.
    async fn answer(
        &mut self,
        router: &Router,
        text: &[u8],
        stop: &CancellationToken,
    ) -> Result<(), Over> {
        let call: Call<'_> = serde_json::from_slice(text).map_err(|_| Over)?;
        match router.answers(&call) {
            Answers::One => self.answer_once(router, &call).await,
            Answers::Many(method) => self.tell(router, method, &call, stop).await,
        }
    }

    async fn answer_once(&mut self, router: &Router, call: &Call<'_>) -> Result<(), Over> {
        let mut answering = std::pin::pin!(router.answer(call));
        let reply = loop {
            let listening = self.listens();
            tokio::select! {
                // In this order, an answer that is at once there wakes nobody: not this task again,
                // and for its sake another thread.
                biased;
                reply = answering.as_mut() => break reply,
                heard = self.messages.next(), if listening => match heard {
                    Some(text) => self.ahead.push_back(text?),
                    None => self.reading = Reading::Ended,
                },
            }
        };
        if call.oneway { Ok(()) } else { self.send(&reply).await }
    }

    async fn tell(
        &mut self,
        router: &Router,
        method: Telling,
        call: &Call<'_>,
        stop: &CancellationToken,
    ) -> Result<(), Over> {
        let (oneway, streams) = (call.oneway, call.more);
        // Room for one: a method that tells more waits for the peer to read.
        let (replies, mut outgoing) = mpsc::channel(1);
        let mut answering = std::pin::pin!(router.tell(method, call, replies));
        let mut answered = false;
        loop {
            let listening = self.listens();
            // A stream lasts until its peer goes. It must be heard going.
            if streams && !listening {
                return Err(Over);
            }
            tokio::select! {
                biased;
                () = answering.as_mut(), if !answered => answered = true,
                () = stop.cancelled(), if streams => return Err(Over),
                reply = outgoing.recv() => match reply {
                    Some(_) if oneway => {}
                    Some(reply) => self.send(&reply).await?,
                    None => return Ok(()),
                },
                heard = self.messages.next(), if listening => match heard {
                    Some(text) => self.ahead.push_back(text?),
                    // Who leaves a stream has lost interest in it; a single answer is still sent.
                    None if !streams => self.reading = Reading::Ended,
                    None => return Err(Over),
                },
            }
        }
    }

    async fn send(&mut self, reply: &Reply) -> Result<(), Over> {
        let text = serde_json::to_string(reply).map_err(|_| Over)?;
        self.messages.send(&text).await
    }
}
