//! The clients that are known, by their ids: those the issuer was started with, and those that have
//! registered since.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::options::Client;

/// All clients.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    by_id: HashMap<String, Arc<Client>>,
    registrations: HashMap<String, Arc<Registration>>,
}

/// What a client that registered itself can come back to.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) access_token: String,
    /// What it was told at its registration.
    pub(crate) document: Value,
}

impl Clients {
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Client>> {
        self.by_id.get(id).map(Arc::clone)
    }

    pub(crate) fn registration(&self, id: &str) -> Option<Arc<Registration>> {
        self.registrations.get(id).map(Arc::clone)
    }

    pub(crate) fn register(&mut self, client: Client, registration: Registration) {
        self.registrations.insert(client.id.clone(), Arc::new(registration));
        self.by_id.insert(client.id.clone(), Arc::new(client));
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.registrations.remove(id);
        self.by_id.remove(id);
    }
}

impl FromIterator<Client> for Clients {
    fn from_iter<T: IntoIterator<Item = Client>>(clients: T) -> Self {
        let clients = clients.into_iter();
        let by_id = clients.map(|client| (client.id.clone(), Arc::new(client))).collect();
        Self { by_id, registrations: HashMap::new() }
    }
}
