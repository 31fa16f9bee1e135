//! Answers with a token in them: on a socket pair of our own. What stands in a reply on the bus can
//! be read by every program of the user.

use std::io;
use std::os::unix::net::UnixStream as StdStream;

use serde::de::DeserializeOwned;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use zbus::Fd;
use zbus::Variant;
use zeroize::Zeroizing;

use super::Options;
use crate::error::Error;
use crate::wire::frame::MAX_ANSWER;

/// Our end of the pair, on which the broker's answer comes.
pub(super) struct Sink(UnixStream);

impl Sink {
    /// Makes a pair, and puts the other end into the options of a call.
    pub(super) fn put(options: &mut Options<'_>) -> Result<Self, Error> {
        let (ours, theirs) = StdStream::pair().map_err(Error::Connection)?;
        ours.set_nonblocking(true).map_err(Error::Connection)?;
        options.insert("sink", Variant::Fd(Fd::Owned(theirs.into())));
        UnixStream::from_std(ours).map(Self).map_err(Error::Connection)
    }

    /// Reads the answer to a call that went well: it is all there when the reply comes.
    pub(super) async fn answer<T: DeserializeOwned>(self) -> Result<T, Error> {
        let mut text = Zeroizing::new(Vec::new());
        let mut limited = self.0.take(MAX_ANSWER as u64);
        limited.read_to_end(&mut text).await.map_err(Error::Connection)?;
        let text = text.strip_suffix(&[0]).ok_or_else(cut_off)?;
        // The category only: the text itself holds a token.
        serde_json::from_slice(text)
            .map_err(|error| Error::Protocol(format!("{:?} error in the sink", error.classify())))
    }
}

fn cut_off() -> Error {
    Error::Connection(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer was cut off"))
}
