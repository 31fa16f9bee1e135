//! Linux: what the kernel tells a process that sleeps until something happens, and what it tells of
//! another process.
//!
//! | file | what it hears |
//! | --- | --- |
//! | `timer` | that a moment has come, suspend included, and that the wall clock was set |
//! | `network` | that links, addresses and routes have come |
//! | `peer` | who is at the other end of a connection |

mod network;
mod peer;
mod sink;
mod timer;

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use authbroker_core::time::BootTime;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use self::network::Network;
pub use self::sink::Sink;
use self::timer::{Alarm, WallClock};
use super::News;

pub use self::peer::{Peer, Witness, holds_callers_fast};

/// How long a bus may take to answer.
const BUS_LIMIT: Duration = Duration::from_secs(5);

/// The machine, listened to. It costs nothing while there is nothing to tell: no polling.
#[derive(Debug)]
pub struct Machine {
    alarm: Alarm,
    wall_clock: WallClock,
    network: Option<Network>,
}

impl Machine {
    /// Begins to listen. A machine that does not tell about its network is served without that.
    pub fn listen() -> io::Result<Self> {
        let network = Network::listen();
        if let Err(error) = &network {
            tracing::warn!(%error, "the network is not watched: who was offline tries when asked");
        }
        Ok(Self { alarm: Alarm::new()?, wall_clock: WallClock::new()?, network: network.ok() })
    }

    /// Waits for the next thing that it tells, [`News::Due`] once the boot clock reaches `due`.
    /// Dropping the future loses nothing.
    pub async fn next(&mut self, due: Option<BootTime>) -> News {
        tokio::select! {
            () = self.alarm.ring_at(due) => News::Due,
            () = self.wall_clock.set() => News::ClockSet,
            () = changed(self.network.as_mut()) => News::NetworkChanged,
        }
    }
}

/// Whether there is a session bus, or why not.
pub async fn session_bus() -> Result<(), String> {
    let connecting = zbus::Connection::session();
    match tokio::time::timeout(BUS_LIMIT, connecting).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it does not answer".to_owned()),
    }
}

/// Has the runtime tell when `fd` can be read.
#[expect(
    deprecated,
    reason = "its successor is unsafe, for descriptors that may be closed meanwhile: an owned one is not"
)]
fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(fd, Interest::READABLE)
}

async fn changed(network: Option<&mut Network>) {
    match network {
        Some(network) => network.changed().await,
        None => std::future::pending().await,
    }
}
