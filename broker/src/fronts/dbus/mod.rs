//! The session bus, one file per interface.
//!
//! 1. `caller` asks the bus who a sender is, and remembers it until the sender leaves.
//! 2. `manager`, `account` and `request` are the interfaces of the contract (§5); `object_manager`
//!    is ours too, because the library's would show everybody everything.
//!    `log_control` is systemd's interface for the log's level.
//! 3. What changes is told to those who have called before, each by itself: a broadcast would
//!    reach whoever listens.

mod account;
mod audience;
mod caller;
mod error;
mod log_control;
mod manager;
mod object_manager;
mod options;
mod request;
mod sink;

use authbroker_client::wire::broker1::{BUS_NAME, ROOT_PATH};
use tokio_util::task::TaskTracker;
use zbus::Connection;
use zbus::fdo::{RequestNameFlags, RequestNameReply};

use self::audience::Audience;
use self::caller::Callers;
use self::log_control::LogControl;
use self::manager::Manager;
use self::object_manager::ObjectManager;
use crate::broker::Broker;
use crate::platform::Witness;
use crate::telemetry::Log;

/// How long the bus may take. A mute one must not keep the sockets from being served.
const OPEN_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// What every interface needs.
#[derive(Debug, Clone)]
struct Desk {
    broker: Broker,
    callers: Callers,
    /// The calls that may take long, so that an ending broker can wait for them.
    answering: TaskTracker,
}

/// The broker's place on the session bus.
#[derive(Debug)]
pub struct Bus {
    connection: Connection,
    answering: TaskTracker,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// No bus, or it refuses.
    #[error("{0}")]
    Bus(#[from] zbus::Error),
    /// It takes messages and answers none.
    #[error("the session bus does not answer")]
    Silent,
    /// Another process has the name.
    #[error("another process has the name {BUS_NAME}")]
    NameTaken,
}

impl Bus {
    /// Opens the objects, and takes the name last: who sees it can call at once.
    pub async fn open(broker: Broker, witness: Witness, log: Log) -> Result<Self, BusError> {
        let place = Self::take_place(broker, witness, log);
        tokio::time::timeout(OPEN_LIMIT, place).await.unwrap_or(Err(BusError::Silent))
    }

    async fn take_place(broker: Broker, witness: Witness, log: Log) -> Result<Self, BusError> {
        let connection = zbus::connection::Builder::session().build().await?;
        let callers = Callers::new(&connection, broker.clone(), witness).await?;
        let answering = TaskTracker::new();
        let desk = Desk { broker, callers, answering: answering.clone() };
        let objects = connection.object_server();
        objects.at(ROOT_PATH, Manager::new(desk.clone())).await?;
        objects.at(ROOT_PATH, ObjectManager::new(desk.clone())).await?;
        objects.at(log_control::PATH, LogControl::new(desk.clone(), log)).await?;
        Audience::start(&connection, desk).await?;
        // Never replaceable: a name that can be taken over is a door that anybody can stand in.
        let flags = RequestNameFlags::DO_NOT_QUEUE;
        match connection.request_name_with_flags(BUS_NAME, flags).await {
            Ok(RequestNameReply::PrimaryOwner | RequestNameReply::AlreadyOwner) => {
                Ok(Self { connection, answering })
            }
            Ok(_) | Err(zbus::Error::NameTaken) => Err(BusError::NameTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the name back, so that nobody else calls, and waits for the answers under way. The
    /// connection itself ends with the process: the objects on it hold it, too.
    pub async fn close(self) {
        let _gone = self.connection.release_name(BUS_NAME).await;
        self.answering.close();
        self.answering.wait().await;
    }
}
