//! Every system that is not Linux: moments by tokio's timers, looked at again often enough that a
//! machine which slept is not late for long.

use std::io;
use std::time::Duration;

use authbroker_core::caller::{Caller, Door};
use authbroker_core::time::BootTime;

use super::{News, clock};

/// The longest sleep before a moment to come is compared with the clock again: tokio's timers may
/// stand still while the machine sleeps.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Whether the process at the other end of a socket can be held fast here.
pub const fn holds_callers_fast() -> bool {
    false
}

/// Whether there is a session bus, or why not.
pub async fn session_bus() -> Result<(), String> {
    Err("this system has none".to_owned())
}

/// The machine, as far as it tells anything.
#[derive(Debug)]
pub struct Machine(());

impl Machine {
    /// Begins to listen.
    pub fn listen() -> io::Result<Self> {
        Ok(Self(()))
    }

    /// Waits for the next thing that it tells, [`News::Due`] once the boot clock reaches `due`.
    /// Dropping the future loses nothing.
    pub async fn next(&mut self, due: Option<BootTime>) -> News {
        let Some(due) = due else { return std::future::pending().await };
        loop {
            let left = clock::now().boot.until(due);
            if left.is_zero() {
                return News::Due;
            }
            tokio::time::sleep(left.min(LOOK_AGAIN)).await;
        }
    }
}

/// A peer as its door shows it.
#[derive(Debug)]
pub struct Peer(Caller);

impl Peer {
    /// The other end of a socket, whose user and process the system has named.
    pub fn of_socket<S>(_socket: &S, uid: u32, pid: Option<u32>, door: Door) -> Self {
        Self(Caller { pid, ..Caller::of_user(uid, door) })
    }
}

/// Who describes peers: here, by their user alone.
#[derive(Debug, Clone, Default)]
pub struct Witness(());

impl Witness {
    /// The unit that the system's manager asks a credential for: here, there is none.
    pub const fn credential_asked<S>(&self, _peer: &Peer, _socket: &S) -> Option<String> {
        None
    }

    /// Describes a peer.
    #[expect(clippy::unused_async, reason = "where more can be seen, it takes time")]
    pub async fn describe(&self, peer: Peer) -> Caller {
        peer.0
    }
}
