//! The option `sink`: an answer on a socket that only the caller reads. What travels in a reply can
//! be read by every program of the user that makes itself a monitor of the bus.

use std::os::fd::OwnedFd;

use authbroker_core::caller::Caller;
use authbroker_core::failure::{Code, Failure};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::platform::Sink;

/// Looks at what a caller gave as its sink, before anything is asked for.
pub(super) fn open(given: Option<OwnedFd>, caller: &Caller) -> Result<Option<Sink>, Failure> {
    let open = |descriptor| {
        Sink::of(descriptor, caller.uid).map_err(|error| unfit(&format!("cannot be used: {error}")))
    };
    given.map(open).transpose()
}

/// Writes an answer into the sink, ended by a NUL byte. Tells whether it must stand in the reply
/// instead, because there is no sink.
pub(super) fn pour(sink: Option<Sink>, answer: &impl Serialize) -> Result<bool, Failure> {
    let Some(sink) = sink else { return Ok(true) };
    let text = serde_json::to_vec(answer).map(Zeroizing::new);
    let mut text =
        text.map_err(|error| Failure::new(Code::Internal, error.to_string(), "report this"))?;
    text.push(0);
    sink.pour(&text).map_err(|error| unfit(&format!("takes no answer: {error}")))?;
    Ok(false)
}

fn unfit(why: &str) -> Failure {
    let hint = "give one end of a Unix stream socket pair (socketpair) and keep the other open";
    Failure::new(Code::InvalidArgs, format!("the sink {why}"), hint)
}
