//! The clients that are known, by their ids.

use std::collections::HashMap;
use std::sync::Arc;

use crate::options::Client;

/// All clients.
#[derive(Debug, Default)]
pub(crate) struct Clients(HashMap<String, Arc<Client>>);

impl Clients {
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Client>> {
        self.0.get(id).map(Arc::clone)
    }
}

impl FromIterator<Client> for Clients {
    fn from_iter<T: IntoIterator<Item = Client>>(clients: T) -> Self {
        Self(clients.into_iter().map(|client| (client.id.clone(), Arc::new(client))).collect())
    }
}
