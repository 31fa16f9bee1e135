//! What all handlers share.
//!
//! Each part sits behind its own lock. No lock is held across an `.await`, and none is taken while
//! another is held, so they cannot deadlock. A poisoned lock is taken over: a panicking handler
//! leaves no half-made state, because each change is one call.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::browser::Browsers;
use crate::clients::Clients;
use crate::clock::{Clock, UnixSeconds};
use crate::device::Devices;
use crate::dpop::NonceStore;
use crate::faults::FaultBoard;
use crate::grants::Grants;
use crate::keys::KeySet;
use crate::options::{Client, Options};
use crate::par::PushedRequests;
use crate::record::Recorder;
use crate::replay::SeenIds;

/// A handle on the provider, as handlers take it.
pub(crate) type Shared = Arc<Provider>;

/// The running provider.
pub(crate) struct Provider {
    /// The issuer identifier, without a slash at its end.
    pub(crate) url: String,
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) faults: FaultBoard,
    pub(crate) recorder: Recorder,
    keys: RwLock<KeySet>,
    clients: RwLock<Clients>,
    grants: Mutex<Grants>,
    browsers: Mutex<Browsers>,
    pushed: Mutex<PushedRequests>,
    devices: Mutex<Devices>,
    nonces: Mutex<NonceStore>,
    seen_proofs: Mutex<SeenIds>,
    seen_assertions: Mutex<SeenIds>,
}

impl Provider {
    pub(crate) fn new(url: String, options: Options, keys: KeySet) -> Self {
        let clients = options.clients.iter().cloned().collect();
        Self {
            url,
            options,
            clock: Clock::default(),
            faults: FaultBoard::default(),
            recorder: Recorder::default(),
            keys: RwLock::new(keys),
            clients: RwLock::new(clients),
            grants: Mutex::default(),
            browsers: Mutex::default(),
            pushed: Mutex::default(),
            devices: Mutex::default(),
            nonces: Mutex::default(),
            seen_proofs: Mutex::default(),
            seen_assertions: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    pub(crate) fn keys(&self) -> RwLockReadGuard<'_, KeySet> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs with new keys from now on. Where none can be made, the old ones stay.
    pub(crate) fn rotate_keys(&self) -> io::Result<()> {
        let successor = self.keys().successor()?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = successor;
        Ok(())
    }

    pub(crate) fn client(&self, id: &str) -> Option<Arc<Client>> {
        self.clients().get(id)
    }

    pub(crate) fn clients(&self) -> RwLockReadGuard<'_, Clients> {
        self.clients.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clients_mut(&self) -> RwLockWriteGuard<'_, Clients> {
        self.clients.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn browsers(&self) -> MutexGuard<'_, Browsers> {
        self.browsers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pushed(&self) -> MutexGuard<'_, PushedRequests> {
        self.pushed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn devices(&self) -> MutexGuard<'_, Devices> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn nonces(&self) -> MutexGuard<'_, NonceStore> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn seen_proofs(&self) -> MutexGuard<'_, SeenIds> {
        self.seen_proofs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn seen_assertions(&self) -> MutexGuard<'_, SeenIds> {
        self.seen_assertions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The URL of one of our own paths.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The audience of access tokens that were asked for without a resource.
    pub(crate) fn userinfo_url(&self) -> String {
        self.at("/userinfo")
    }
}
