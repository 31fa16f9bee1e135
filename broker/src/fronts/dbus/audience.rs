//! Tells those who have called what changes, each by itself and only what it may see; keeps the
//! account objects on the bus; and forgets callers that leave.

use std::collections::HashMap;

use authbroker_client::wire::broker1::{Account as WireAccount, ROOT_PATH};
use authbroker_core::caller::{Caller, Door};
use futures_util::StreamExt as _;
use zbus::fdo::DBusProxy;
use zbus::names::OwnedUniqueName;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedObjectPath};

use super::Desk;
use super::account::{self, Account, Properties};
use super::object_manager;
use crate::platform;

pub(super) struct Audience {
    connection: Connection,
    desk: Desk,
    /// The accounts that have objects.
    objects: Vec<String>,
}

impl Audience {
    /// Puts the accounts on the bus and goes on telling what changes.
    pub(super) async fn start(connection: &Connection, desk: Desk) -> zbus::Result<()> {
        let mut left = DBusProxy::new(connection).await?.receive_name_owner_changed().await?;
        let mut news = desk.broker.changes();
        let mut audience = Self { connection: connection.clone(), desk, objects: Vec::new() };
        audience.place_objects().await;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    told = news.changed() => {
                        if told.is_err() {
                            return;
                        }
                        audience.place_objects().await;
                        audience.tell_everybody().await;
                    }
                    signal = left.next() => {
                        let Some(signal) = signal else { return };
                        if let Ok(args) = signal.args() && args.new_owner().is_none() {
                            audience.desk.callers.forget(args.name().as_str());
                        }
                    }
                }
            }
        });
        Ok(())
    }

    /// Makes objects for new accounts and removes those of accounts that are gone.
    async fn place_objects(&mut self) {
        let now: Vec<_> = self.everything().into_iter().map(|account| account.id).collect();
        let objects = self.connection.object_server();
        for id in now.iter().filter(|id| !self.objects.contains(id)) {
            let account = Account::new(self.desk.clone(), id.clone());
            if let Err(error) = objects.at(account::path_of(id), account).await {
                tracing::warn!(%error, account = id, "no object on the bus");
            }
        }
        for id in self.objects.iter().filter(|id| !now.contains(id)) {
            let _gone = objects.remove::<Account, _>(account::path_of(id)).await;
        }
        self.objects = now;
    }

    /// Every account, as the broker's own user sees it.
    fn everything(&self) -> Vec<WireAccount> {
        let own = Caller::of_user(platform::own_uid(), Door::Bus);
        self.desk.callers.seen_by(&own)
    }

    async fn tell_everybody(&self) {
        let callers = &self.desk.callers;
        for (name, caller) in callers.all() {
            let now = callers.seen_by(&caller);
            let Some(known) = callers.now_knows(&name, &now) else { continue };
            if let Err(error) = self.tell(&name, &known, &now).await {
                tracing::debug!(%error, "a caller was not told of a change");
            }
        }
    }

    /// Tells one caller the difference between what it knew and what is.
    async fn tell(
        &self,
        to: &OwnedUniqueName,
        known: &[WireAccount],
        now: &[WireAccount],
    ) -> zbus::Result<()> {
        for account in now.iter().filter(|account| !known.contains(account)) {
            let old = known.iter().find(|old| old.id == account.id);
            match old {
                Some(old) => self.tell_changed(to, old, account).await?,
                None => self.tell_added(to, account).await?,
            }
        }
        for old in known.iter().filter(|old| !now.iter().any(|account| account.id == old.id)) {
            self.tell_removed(to, &old.id).await?;
        }
        Ok(())
    }

    async fn tell_added(&self, to: &OwnedUniqueName, account: &WireAccount) -> zbus::Result<()> {
        let path = OwnedObjectPath::try_from(account::path_of(&account.id))?;
        let interfaces = HashMap::from([(account::INTERFACE, account::properties(account))]);
        self.emitter(to, ROOT_PATH)?
            .emit(object_manager::INTERFACE, "InterfacesAdded", &(path, interfaces))
            .await
    }

    async fn tell_removed(&self, to: &OwnedUniqueName, id: &str) -> zbus::Result<()> {
        let path = OwnedObjectPath::try_from(account::path_of(id))?;
        self.emitter(to, ROOT_PATH)?
            .emit(object_manager::INTERFACE, "InterfacesRemoved", &(path, vec![account::INTERFACE]))
            .await
    }

    async fn tell_changed(
        &self,
        to: &OwnedUniqueName,
        old: &WireAccount,
        new: &WireAccount,
    ) -> zbus::Result<()> {
        let before = account::properties(old);
        let changed: Properties = account::properties(new)
            .into_iter()
            .filter(|(name, value)| before.get(name) != Some(value))
            .collect();
        let body = (account::INTERFACE, changed, Vec::<String>::new());
        self.emitter(to, &account::path_of(&new.id))?
            .emit("org.freedesktop.DBus.Properties", "PropertiesChanged", &body)
            .await
    }

    fn emitter(&self, to: &OwnedUniqueName, path: &str) -> zbus::Result<SignalEmitter<'static>> {
        let emitter = SignalEmitter::new(&self.connection, path.to_owned())?;
        Ok(emitter.set_destination(to.clone().into()))
    }
}
