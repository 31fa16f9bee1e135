//! Who a sender on the bus is: the bus itself is asked, once, and the answer kept while it stays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use authbroker_core::caller::{Caller, Door};
use authbroker_core::failure::{Code, Failure};
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::message::Header;
use zbus::names::{BusName, OwnedUniqueName};

use crate::platform;

/// The senders that have called, by their unique names.
#[derive(Debug, Clone)]
pub(super) struct Callers {
    bus: DBusProxy<'static>,
    // A std mutex: held for a lookup, never across an await.
    known: Arc<Mutex<HashMap<OwnedUniqueName, Caller>>>,
}

impl Callers {
    pub(super) async fn new(connection: &Connection) -> zbus::Result<Self> {
        Ok(Self { bus: DBusProxy::new(connection).await?, known: Arc::default() })
    }

    /// The caller behind a message.
    pub(super) async fn of(&self, header: &Header<'_>) -> Result<Caller, Failure> {
        let unknown =
            || Failure::new(Code::PolicyDenied, "the bus does not say who calls", "try again");
        let name: OwnedUniqueName = header.sender().ok_or_else(unknown)?.to_owned().into();
        if let Some(caller) = self.known().get(&name) {
            return Ok(caller.clone());
        }
        let asked = self.bus.get_connection_credentials(BusName::from(name.as_ref())).await;
        let credentials = asked.map_err(|_| unknown())?;
        let pid = credentials.process_id();
        let caller = Caller {
            uid: credentials.unix_user_id().ok_or_else(unknown)?,
            pid,
            executable: pid.and_then(platform::executable_of),
            door: Door::Bus,
        };
        self.known().insert(name, caller.clone());
        Ok(caller)
    }

    /// Everybody who has called and is still there.
    pub(super) fn all(&self) -> Vec<(OwnedUniqueName, Caller)> {
        self.known().iter().map(|(name, caller)| (name.clone(), caller.clone())).collect()
    }

    /// Forgets one that has left the bus.
    pub(super) fn forget(&self, name: &str) {
        self.known().retain(|known, _| known.as_str() != name);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<OwnedUniqueName, Caller>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
