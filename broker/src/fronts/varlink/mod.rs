//! The sockets: Varlink, one JSON object a message, ended by a NUL byte.
//!
//! 1. A listener accepts, asks the kernel whose the peer is, and lets another user's peer go.
//! 2. Each connection has a task of its own (`connection`), bounded in number, size and time
//!    (`limits`, `incoming`). There the peer is described, before a byte of it is read. Who finds no
//!    place is told so, and nobody else notices.
//! 3. A socket that is for a service of the system gives that its token (`credential`), and ends.
//! 4. At any other, a call finds its method in `router`; `broker1` and `admin1` make the one call to
//!    the broker.

mod admin1;
mod audit;
mod broker1;
mod connection;
mod consent;
mod credential;
mod incoming;
mod limits;
mod minted;
mod policy;
mod router;
mod service;
mod vault;
mod wasted;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use authbroker_client::wire::places;
use authbroker_core::caller::{Caller, Door, Identity};
use authbroker_core::minting::Minting;
use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ListenerOptions};
use interprocess::os::unix::local_socket::ListenerOptionsExt as _;
use interprocess::os::unix::uds_local_socket::tokio::Listener as UnixListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::limits::{Full, Limits};
use self::router::Router;
use crate::platform::{self, Peer, Witness};

pub use self::admin1::{DaemonFacts, Reload};
pub use self::minted::open_all as open_minted;

/// One socket, open.
#[derive(Debug)]
pub struct Socket {
    listener: Listener,
    door: Door,
    /// What it was minted for, at [`Door::Minted`].
    minting: Option<Arc<Minting>>,
}

impl Socket {
    /// Opens `name` in the runtime folder, which this process owns: a file that is still there
    /// was left by a broker that is gone.
    pub fn open(runtime_dir: &Path, door: Door) -> io::Result<Self> {
        let listener = listen(&path_of(runtime_dir, door))?;
        Ok(Self { listener, door, minting: None })
    }

    /// Opens a socket for one consumer.
    fn minted(path: &Path, minting: Arc<Minting>) -> io::Result<Self> {
        Ok(Self { listener: listen(path)?, door: Door::Minted, minting: Some(minting) })
    }

    /// Takes over a socket that systemd opened.
    #[cfg(unix)]
    pub fn inherited(socket: std::os::unix::net::UnixListener, door: Door) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let listener = UnixListener::try_from(std::os::fd::OwnedFd::from(socket))?;
        Ok(Self { listener: listener.into(), door, minting: None })
    }
}

fn listen(path: &Path) -> io::Result<Listener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let name = path.to_fs_name::<GenericFilePath>()?;
    ListenerOptions::new().name(name).mode(0o600).create_tokio()
}

/// Where a door's socket is.
pub fn path_of(runtime_dir: &Path, door: Door) -> PathBuf {
    runtime_dir.join(match door {
        Door::Admin => places::ADMIN_SOCKET,
        Door::Socket | Door::Bus | Door::Minted => places::APP_SOCKET,
    })
}

/// Serves a socket until `stop`.
pub async fn serve(
    socket: Socket,
    services: Services,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let services = Arc::new(services);
    let limits = Limits::within(platform::allow_open_files(limits::OPEN_FILES));
    let hall = Hall { services, limits, stop, tasks };
    loop {
        let accepted = tokio::select! {
            accepted = socket.listener.accept() => accepted,
            () = hall.stop.cancelled() => return,
        };
        match accepted {
            Ok(stream) => hall.greet(stream, &socket),
            Err(error) => {
                // Out of descriptors, most likely: others must close before this can go on.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(limits::AFTER_A_FAILED_ACCEPT).await;
            }
        }
    }
}

/// What the sockets serve.
#[derive(Debug, Clone)]
pub struct Services {
    /// The broker.
    pub broker: crate::broker::Broker,
    /// What the admin tool may ask of the daemon.
    pub facts: Arc<DaemonFacts>,
    /// Who describes the peers.
    pub witness: Witness,
}

impl Services {
    /// The service of the system that is started, if the peer is here for its credential.
    fn started(&self, stream: &Stream, peer: &Peer) -> Option<String> {
        let Stream::UdSocket(socket) = stream;
        self.witness.credential_asked(peer, socket)
    }
}

/// Where the peers of one socket are received.
struct Hall {
    services: Arc<Services>,
    limits: Limits,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Hall {
    /// Asks whose the peer is and gives it a task, if it may stay.
    fn greet(&self, stream: Stream, socket: &Socket) {
        let Some(unseen) = peer_of(&stream, socket.door) else { return };
        if let Err(failure) = self.services.broker.admit(&unseen) {
            tracing::warn!(uid = unseen.uid, "{failure}");
            return;
        }
        let stop = self.stop.clone();
        match self.limits.enter(&unseen) {
            Ok(place) => {
                let (services, tasks) = (Arc::clone(&self.services), self.tasks.clone());
                let minting = socket.minting.clone();
                let peer = hold(&stream, &unseen);
                self.tasks.spawn(async move {
                    let is_credential =
                        minting.as_ref().is_some_and(|minting| minting.unit.is_some());
                    let started =
                        if is_credential { services.started(&stream, &peer) } else { None };
                    let mut caller = services.witness.describe(peer).await;
                    // Whoever holds the socket is its consumer, whatever else can be seen of it.
                    if let Some(minting) = minting {
                        caller.identity = Identity::Socket(minting.name.as_str().into());
                    }
                    if is_credential {
                        let (broker, started) = (&services.broker, started.as_deref());
                        return credential::hand_over(stream, broker, &caller, started).await;
                    }
                    let router = Router { services, caller, stop: stop.clone(), tasks };
                    connection::serve(stream, place, router, stop).await;
                });
            }
            Err(full) => {
                // Whoever says nothing would not ask why.
                if full == Full::Wasteful {
                    return;
                }
                let Some(seat) = self.limits.seat() else { return };
                self.tasks.spawn(async move {
                    let _seat = seat;
                    connection::refuse(stream, &full.failure(), stop).await;
                });
            }
        }
    }
}

/// Whose the peer is, which costs next to nothing to ask.
fn peer_of(stream: &Stream, door: Door) -> Option<Caller> {
    let credentials = stream.peer_creds().ok()?;
    let pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0);
    Some(Caller { pid, ..Caller::of_user(credentials.euid()?, door) })
}

fn hold(stream: &Stream, unseen: &Caller) -> Peer {
    let Stream::UdSocket(socket) = stream;
    Peer::of_socket(socket, unseen.uid, unseen.pid, unseen.door)
}
