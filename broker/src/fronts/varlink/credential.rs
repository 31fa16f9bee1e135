//! What a socket says that is for one service of the system: nothing but the token, and only while
//! the system's manager starts that service (`LoadCredential=NAME:SOCKET`). Nobody has to ask; the
//! manager reads to the end.

use authbroker_core::caller::Caller;
use interprocess::local_socket::tokio::Stream;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::limits::SLOW_READER;
use crate::broker::Broker;

/// Hands the token over, if `started` is the service that it is for, and ends the connection.
pub(super) async fn hand_over(
    mut stream: Stream,
    broker: &Broker,
    caller: &Caller,
    started: Option<&str>,
) {
    match broker.credential(caller, started).await {
        Ok(given) => {
            let token = given.access.value.expose().as_bytes();
            let _left = timeout(SLOW_READER, stream.write_all(token)).await;
        }
        // The manager cannot be told why: to it, the credential is empty.
        Err(failure) if started.is_some() => {
            tracing::warn!(unit = started, "it starts without its token: {failure}");
        }
        Err(failure) => tracing::debug!(pid = caller.pid, "{failure}"),
    }
}
