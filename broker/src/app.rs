//! The daemon put together: each step of its start, in order, with the words for what may fail.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use authbroker_client::wire::places;
use authbroker_core::caller::Door;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::broker::Broker;
use crate::config::{self, ConfigError, Settings, VaultKey, env};
use crate::fronts::varlink::{self, DaemonFacts, Services, Socket};
use crate::platform::{self, FolderLock, LockError, Machine, clock};
use crate::services::audit::Audit;
use crate::services::grants::Grants;
use crate::services::mintings::Mintings;
use crate::services::vault::{Vault, VaultError};
use crate::telemetry::Log;

/// How long callers are given to hear their answers when the daemon ends.
const DRAIN: Duration = Duration::from_secs(5);

/// Where the daemon reads and writes.
#[derive(Debug, Clone)]
pub struct Places {
    /// The user's configuration file.
    pub config: Option<PathBuf>,
    /// Whether that file was named, and so must exist.
    pub config_named: bool,
    /// Sockets and locks.
    pub runtime_dir: PathBuf,
    /// The vault.
    pub state_dir: PathBuf,
}

/// Why the daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong. Exit code 7.
    #[error("the configuration is wrong:\n{0}")]
    Config(#[from] ConfigError),
    /// Another broker runs already.
    #[error("{0}")]
    Second(#[from] LockError),
    /// A folder cannot be used.
    #[error("{} cannot be used: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A socket cannot be opened.
    #[error("{} cannot be opened: {source}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The vault's folder cannot be used.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// There is no home to keep anything in.
    #[error("neither a home folder nor --runtime-dir and --state-dir say where to work")]
    NoPlace,
    /// The machine does not tell the time.
    #[error("the machine's timers cannot be used: {0}")]
    Timers(io::Error),
    /// The audit record has no thread to be written by.
    #[error("the audit record cannot be written: {0}")]
    Audit(io::Error),
    /// Signals cannot be heard.
    #[error("signals cannot be heard: {0}")]
    Signals(io::Error),
}

impl StartError {
    /// The exit code of the contract (§4).
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 7,
            Self::Vault(_) => 8,
            _ => 1,
        }
    }

    /// What helps.
    pub fn hint(&self) -> &str {
        match self {
            Self::Config(_) => "brokerctl config check",
            Self::Second(_) => {
                "brokerctl status; or give this one folders of its own with --runtime-dir and --state-dir"
            }
            Self::Folder { .. } | Self::Socket { .. } | Self::NoPlace => {
                "name another folder with --runtime-dir or --state-dir"
            }
            Self::Vault(_) => "check the folder's owner and the disk",
            Self::Timers(_) | Self::Audit(_) | Self::Signals(_) => "restart this machine",
        }
    }
}

impl Places {
    /// The folders to use: those given, else the environment's, else the usual ones.
    pub fn find(
        config: Option<PathBuf>,
        runtime_dir: Option<PathBuf>,
        state_dir: Option<PathBuf>,
    ) -> Result<Self, StartError> {
        let config_named = config.is_some() || env::path(env::CONFIG).is_some();
        let runtime =
            runtime_dir.or_else(|| env::path(env::RUNTIME_DIR)).or_else(places::runtime_dir);
        let state = state_dir.or_else(|| env::path(env::STATE_DIR)).or_else(places::state_dir);
        Ok(Self {
            config: config::user_file(config),
            config_named,
            runtime_dir: runtime.ok_or(StartError::NoPlace)?,
            state_dir: state.ok_or(StartError::NoPlace)?,
        })
    }

    /// Reads the configuration.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        config::load(self.config.as_deref(), self.config_named)
    }

    /// Makes the folders and takes them for this process alone.
    pub fn take(&self) -> Result<[FolderLock; 2], StartError> {
        let take = |path: &Path| {
            let made = platform::private_folder(path);
            made.map_err(|source| StartError::Folder { path: path.to_path_buf(), source })?;
            platform::lock_folder(path).map_err(StartError::Second)
        };
        Ok([take(&self.runtime_dir)?, take(&self.state_dir)?])
    }
}

/// Opens the vault and takes up the accounts in it.
pub fn start_broker(places: &Places, settings: Settings) -> Result<Broker, StartError> {
    let vault = Vault::open(settings.vault_key.clone(), &places.state_dir)?;
    let machine = Machine::listen().map_err(StartError::Timers)?;
    let safe = Arc::new(vault.clone());
    let journal = env::journal_socket();
    let audit = Audit::start(&places.state_dir, safe, journal).map_err(StartError::Audit)?;
    let durable = settings.vault_key != VaultKey::Memory;
    let grants = Grants::open(durable.then_some(places.state_dir.as_path()));
    let mintings = Mintings::within(&places.state_dir, clock::now().wall);
    Ok(Broker::start(platform::own_uid(), settings, vault, machine, audit, grants, mintings)?)
}

/// What the admin tool may ask of the daemon.
pub fn facts(places: &Places) -> Arc<DaemonFacts> {
    let again = places.clone();
    Arc::new(DaemonFacts {
        config: places.config.clone().unwrap_or_default(),
        socket: varlink::path_of(&places.runtime_dir, Door::Socket),
        bus: AtomicBool::new(false),
        reload: Box::new(move || again.settings()),
    })
}

/// The sockets: those that systemd opened, else our own.
pub fn open_sockets(places: &Places) -> Result<Vec<Socket>, StartError> {
    let inherited = inherited_sockets();
    if !inherited.is_empty() {
        return Ok(inherited);
    }
    let open = |door| {
        Socket::open(&places.runtime_dir, door).map_err(|source| StartError::Socket {
            path: varlink::path_of(&places.runtime_dir, door),
            source,
        })
    };
    Ok(vec![open(Door::Socket)?, open(Door::Admin)?])
}

/// Sockets from systemd are told apart by their names: the same that we would give them.
fn inherited_sockets() -> Vec<Socket> {
    let mut passed = listenfd::ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..passed.len() {
        let Ok(Some(socket)) = passed.take_unix_listener(index) else { continue };
        let path =
            socket.local_addr().ok().and_then(|address| address.as_pathname().map(PathBuf::from));
        let is_admin = path
            .is_some_and(|path| path.file_name().is_some_and(|name| name == places::ADMIN_SOCKET));
        let door = if is_admin { Door::Admin } else { Door::Socket };
        match Socket::inherited(socket, door) {
            Ok(socket) => sockets.push(socket),
            Err(error) => tracing::warn!(%error, "a socket from systemd cannot be used"),
        }
    }
    sockets
}

/// The doors at work.
#[derive(Debug)]
pub struct Doors {
    stop: CancellationToken,
    tasks: TaskTracker,
    #[cfg(target_os = "linux")]
    bus: Option<crate::fronts::dbus::Bus>,
}

impl Doors {
    /// Begins to serve the sockets.
    pub fn open(sockets: Vec<Socket>, services: &Services) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for socket in sockets {
            tokio::spawn(varlink::serve(socket, services.clone(), stop.clone(), tasks.clone()));
        }
        varlink::open_minted(services, &stop, &tasks);
        Self {
            stop,
            tasks,
            #[cfg(target_os = "linux")]
            bus: None,
        }
    }

    /// Takes the name on the session bus, if there is one. Without, the sockets do.
    #[cfg(target_os = "linux")]
    pub async fn open_bus(&mut self, services: &Services, log: Log) {
        tokio::spawn(services.broker.clone().follow_session_lock());
        tokio::spawn(services.broker.clone().ask_by_notification());
        let (broker, witness) = (services.broker.clone(), services.witness.clone());
        match crate::fronts::dbus::Bus::open(broker, witness, log).await {
            Ok(bus) => {
                services.facts.bus.store(true, std::sync::atomic::Ordering::Relaxed);
                self.bus = Some(bus);
            }
            Err(error) => tracing::warn!("no session bus, serving the sockets only: {error}"),
        }
    }

    /// There is no session bus on this system.
    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_async, reason = "as on systems that have one")]
    pub async fn open_bus(&mut self, _services: &Services, _log: Log) {
        tracing::info!("no session bus on this system, serving the sockets only");
    }

    /// Takes no new callers, and lets the others hear their answers.
    pub async fn close(self) {
        self.tasks.close();
        #[cfg(target_os = "linux")]
        if let Some(bus) = self.bus {
            let _late = tokio::time::timeout(DRAIN, bus.close()).await;
        }
        self.stop.cancel();
        let _late = tokio::time::timeout(DRAIN, self.tasks.wait()).await;
    }
}
