//! `org.freedesktop.DBus.ObjectManager`, our own: it shows each caller what that caller may see,
//! and its signals are sent by `audience`, to one at a time.

use std::collections::HashMap;

use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::{OwnedObjectPath, interface};

use super::Desk;
use super::account::{self, Properties};
use crate::fronts::translate;

/// The interface's name.
pub(super) const INTERFACE: &str = "org.freedesktop.DBus.ObjectManager";

/// Interfaces and their properties, by object.
pub(super) type Objects = HashMap<OwnedObjectPath, HashMap<String, Properties>>;

pub(super) struct ObjectManager {
    desk: Desk,
}

impl ObjectManager {
    pub(super) fn new(desk: Desk) -> Self {
        Self { desk }
    }
}

#[interface(name = "org.freedesktop.DBus.ObjectManager")]
impl ObjectManager {
    /// Every account that the caller may see.
    async fn get_managed_objects(
        &self,
        #[zbus(header)] header: Header<'_>,
    ) -> zbus::fdo::Result<Objects> {
        let caller = self.desk.callers.of(&header).await;
        let caller = caller.map_err(|failure| zbus::fdo::Error::AccessDenied(failure.message))?;
        let mut objects = Objects::new();
        for view in self.desk.broker.visible_to(&caller) {
            let account = translate::account(&view);
            if let Ok(path) = OwnedObjectPath::try_from(account::path_of(&account.id)) {
                let interfaces =
                    HashMap::from([(account::INTERFACE.to_owned(), account::properties(&account))]);
                objects.insert(path, interfaces);
            }
        }
        Ok(objects)
    }

    /// An account has come.
    #[zbus(signal)]
    async fn interfaces_added(
        emitter: &SignalEmitter<'_>,
        object_path: OwnedObjectPath,
        interfaces_and_properties: HashMap<String, Properties>,
    ) -> zbus::Result<()>;

    /// An account is gone.
    #[zbus(signal)]
    async fn interfaces_removed(
        emitter: &SignalEmitter<'_>,
        object_path: OwnedObjectPath,
        interfaces: Vec<String>,
    ) -> zbus::Result<()>;
}
