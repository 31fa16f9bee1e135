//! The system's manager, asked which unit a process belongs to.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zbus::fdo::PropertiesProxy;
use zbus::names::InterfaceName;
use zbus::{Connection, Fd, OwnedObjectPath, OwnedVariant};

use super::pin::Pinned;

/// How long the manager may take. Without its word the caller is known less well.
const PATIENCE: Duration = Duration::from_secs(2);

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Manager",
    default_service = "org.freedesktop.systemd1",
    default_path = "/org/freedesktop/systemd1"
)]
trait Manager {
    /// Since systemd 254: the unit's object, its name, its invocation.
    #[zbus(name = "GetUnitByPIDFD")]
    fn unit_by_handle(&self, handle: Fd<'_>) -> zbus::Result<(OwnedObjectPath, String, Vec<u8>)>;

    #[zbus(name = "GetUnitByPID")]
    fn unit_by_pid(&self, pid: u32) -> zbus::Result<OwnedObjectPath>;
}

/// The way to the system's manager, found when it is first needed.
#[derive(Debug)]
pub(super) struct Units {
    // A std mutex: held to take or put a handle, never across an await.
    bus: Mutex<Option<Connection>>,
    patience: Duration,
}

impl Default for Units {
    fn default() -> Self {
        Self { bus: Mutex::default(), patience: PATIENCE }
    }
}

impl Units {
    /// A manager at the other end of a connection that is there already.
    #[cfg(test)]
    pub(super) fn on(bus: Connection, patience: Option<Duration>) -> Self {
        Self { bus: Mutex::new(Some(bus)), patience: patience.unwrap_or(PATIENCE) }
    }

    /// Whether the manager says that a process belongs to this service, and that nothing in the
    /// service can gain privileges. Silence and every error mean no.
    pub(super) async fn confirms(&self, process: &Pinned, service: &str) -> bool {
        let asked = tokio::time::timeout(self.patience, self.ask(process, service)).await;
        match asked {
            Ok(Ok(confirmed)) => confirmed,
            Ok(Err(error)) => {
                tracing::debug!(%error, service, "the system's manager does not confirm the unit");
                self.hang_up_after(&error);
                false
            }
            Err(_) => {
                tracing::warn!(service, "the system's manager does not answer");
                self.hang_up();
                false
            }
        }
    }

    async fn ask(&self, process: &Pinned, service: &str) -> zbus::Result<bool> {
        let bus = self.bus().await?;
        let manager = ManagerProxy::builder(&bus)
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await?;
        let path = unit_of(&manager, process).await?;
        let unit = Unit { bus: &bus, path };
        let name: String = unit.property("org.freedesktop.systemd1.Unit", "Id").await?;
        // A process that put the flag on itself is not in a service whose every process has it.
        let bounded: bool =
            unit.property("org.freedesktop.systemd1.Service", "NoNewPrivileges").await?;
        Ok(name == service && bounded)
    }

    async fn bus(&self) -> zbus::Result<Connection> {
        let held = self.lock().clone();
        if let Some(bus) = held {
            return Ok(bus);
        }
        let bus = Connection::system().await?;
        *self.lock() = Some(bus.clone());
        Ok(bus)
    }

    /// A refusal is an answer; anything else may be the connection's end.
    fn hang_up_after(&self, error: &zbus::Error) {
        if !matches!(error, zbus::Error::MethodError(..) | zbus::Error::FDO(_)) {
            self.hang_up();
        }
    }

    fn hang_up(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.bus.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By the handle, where there is one and the manager takes it. Else by the number: whoever reads
/// the answer makes sure afterwards that the number was still the process's own.
async fn unit_of(manager: &ManagerProxy<'_>, process: &Pinned) -> zbus::Result<OwnedObjectPath> {
    if let Some(handle) = process.handle() {
        match manager.unit_by_handle(Fd::from(handle)).await {
            Err(error) if is_unknown_method(&error) => {}
            found => return found.map(|(path, ..)| path),
        }
    }
    manager.unit_by_pid(process.pid()).await
}

fn is_unknown_method(error: &zbus::Error) -> bool {
    match error {
        zbus::Error::MethodError(name, ..) => name.ends_with(".UnknownMethod"),
        zbus::Error::FDO(error) => matches!(**error, zbus::fdo::Error::UnknownMethod(_)),
        _ => false,
    }
}

/// One unit's object.
struct Unit<'a> {
    bus: &'a Connection,
    path: OwnedObjectPath,
}

impl Unit<'_> {
    async fn property<T>(&self, interface: &'static str, name: &str) -> zbus::Result<T>
    where
        T: TryFrom<OwnedVariant, Error = zbus::Error>,
    {
        let properties = PropertiesProxy::builder(self.bus)
            .destination("org.freedesktop.systemd1")
            .path(self.path.as_ref())
            .build()
            .await?;
        let interface = InterfaceName::from_static_str(interface)?;
        properties.get(interface, name).await?.try_into()
    }
}
