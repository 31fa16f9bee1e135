//! Accounts without a person (RFC 6749 §4.4): they are in the configuration, and nowhere else.

use std::sync::Arc;

use authbroker_core::account::{Account, Grant, Person};
use authbroker_core::ids::AccountId;
use authbroker_core::lifecycle::Session;
use authbroker_core::time::UnixTime;

use super::{Sessions, lock};
use crate::config::{Flow, Use};
use crate::services::oidc::Oidc;
use crate::services::oidc::dpop::DpopKey;

impl Sessions {
    /// Takes up the providers that need no person, and drops those that are configured no more.
    pub fn take_up_clients(&self) {
        let providers = self.0.providers.all();
        let clients: Vec<_> = providers.iter().filter_map(client_of).collect();
        self.drop_clients_but(&clients);
        for (account, provider) in clients {
            if self.entry(&account.id).is_none() {
                self.add(account, Session::of_client(grant_of(&provider)));
            }
        }
    }

    fn drop_clients_but(&self, clients: &[(Account, Arc<Oidc>)]) {
        let stays = |id: &AccountId| clients.iter().any(|(account, _)| account.id == *id);
        let gone: Vec<_> = {
            let mut entries = lock(&self.0.entries);
            let gone = entries
                .extract_if(|id, entry| lock(&entry.desk).session.is_of_client() && !stays(id));
            gone.map(|(_, entry)| entry).collect()
        };
        for entry in &gone {
            let tick = lock(&entry.desk).tick.take();
            self.0.agenda.reschedule(&entry.id, tick, None);
        }
        if !gone.is_empty() {
            self.tell();
        }
    }
}

/// The account that a provider stands for by itself.
fn client_of(provider: &Arc<Oidc>) -> Option<(Account, Arc<Oidc>)> {
    let settings = provider.settings();
    if settings.flow != Flow::ClientCredentials {
        return None;
    }
    let name = Person { username: Some(settings.client_id.clone()), ..Person::default() };
    let account = provider.account(settings.client_id.clone(), name, UnixTime::default());
    Some((account, Arc::clone(provider)))
}

/// What it has been granted: whatever it asks for, as far as the provider agrees. A key that its
/// tokens are bound to lives as long as the process: there is no refresh token that would need it.
fn grant_of(provider: &Oidc) -> Grant {
    let key = (provider.settings().dpop == Use::Always).then(DpopKey::generate);
    Grant { dpop_key: key.and_then(Result::ok), ..Grant::default() }
}
