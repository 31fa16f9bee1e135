//! Who a sender on the bus is: the bus itself is asked, once, and the answer kept while it stays,
//! together with what that caller knows of the accounts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use authbroker_client::wire::broker1::Account as WireAccount;
use authbroker_core::caller::Caller;
use authbroker_core::failure::{Code, Failure};
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::message::Header;
use zbus::names::{BusName, OwnedUniqueName};

use crate::broker::Broker;
use crate::fronts::translate;
use crate::platform::{Peer, Witness};

/// How many calls and requests of one sender may be under way at once. A socket's peers wait where
/// they are; on the bus, every message is delivered.
const UNDER_WAY: usize = 64;

/// The senders that have called, by their unique names.
#[derive(Debug, Clone)]
pub(super) struct Callers {
    bus: DBusProxy<'static>,
    broker: Broker,
    witness: Witness,
    // A std mutex: held for a lookup, never across an await.
    known: Arc<Mutex<HashMap<OwnedUniqueName, Known>>>,
}

#[derive(Debug)]
struct Known {
    caller: Caller,
    /// The accounts as it last saw them: when it first called, or when it was last told.
    accounts: Vec<WireAccount>,
    /// As many more of these as there are turns.
    turns: Turn,
}

/// One call of a sender, or one request, under way until this is dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct Turn(Arc<()>);

impl Callers {
    pub(super) async fn new(
        connection: &Connection,
        broker: Broker,
        witness: Witness,
    ) -> zbus::Result<Self> {
        let bus = DBusProxy::new(connection).await?;
        Ok(Self { bus, broker, witness, known: Arc::default() })
    }

    /// The caller behind a message.
    pub(super) async fn of(&self, header: &Header<'_>) -> Result<Caller, Failure> {
        let name = sender(header)?;
        if let Some(known) = self.known().get(&name) {
            return Ok(known.caller.clone());
        }
        let asked = self.bus.get_connection_credentials(BusName::from(name.as_ref())).await;
        let credentials = asked.map_err(|_| unknown())?;
        let peer = Peer::on_bus(credentials).ok_or_else(unknown)?;
        let caller = self.witness.describe(peer).await;
        let accounts = self.seen_by(&caller);
        let known = Known { caller: caller.clone(), accounts, turns: Turn::default() };
        self.known().entry(name.clone()).or_insert(known);
        // Who left while it was looked at was forgotten before it was known.
        if !self.bus.name_has_owner(BusName::from(name.as_ref())).await.unwrap_or(false) {
            self.forget(name.as_str());
        }
        Ok(caller)
    }

    /// The same for a call that may take long, while this sender has not too many of them.
    pub(super) async fn enter(&self, header: &Header<'_>) -> Result<(Caller, Turn), Failure> {
        let caller = self.of(header).await?;
        let known = |known: &Known| known.turns.clone();
        let turn = self.known().get(&sender(header)?).map(known).unwrap_or_default();
        // Itself, and the one that is kept.
        if Arc::strong_count(&turn.0) > UNDER_WAY + 1 {
            let message = format!("{UNDER_WAY} calls of this program are under way already");
            return Err(Failure::new(Code::Busy, message, "wait for one of them to be answered"));
        }
        Ok((caller, turn))
    }

    /// The accounts that a caller may see.
    pub(super) fn seen_by(&self, caller: &Caller) -> Vec<WireAccount> {
        self.broker.visible_to(caller).iter().map(translate::account).collect()
    }

    /// Everybody who has called and is still there.
    pub(super) fn all(&self) -> Vec<(OwnedUniqueName, Caller)> {
        self.known().iter().map(|(name, known)| (name.clone(), known.caller.clone())).collect()
    }

    /// Takes note of what a caller is about to be told, and gives what it knew before; `None` if
    /// it has left meanwhile.
    pub(super) fn now_knows(
        &self,
        name: &OwnedUniqueName,
        accounts: &[WireAccount],
    ) -> Option<Vec<WireAccount>> {
        let mut known = self.known();
        Some(std::mem::replace(&mut known.get_mut(name)?.accounts, accounts.to_vec()))
    }

    /// Forgets one that has left the bus.
    pub(super) fn forget(&self, name: &str) {
        self.known().retain(|known, _| known.as_str() != name);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<OwnedUniqueName, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sender(header: &Header<'_>) -> Result<OwnedUniqueName, Failure> {
    header.sender().map(|name| name.to_owned().into()).ok_or_else(unknown)
}

fn unknown() -> Failure {
    Failure::new(Code::PolicyDenied, "the bus does not say who calls", "try again")
}
