//! What the vault's lock means to the sessions.

use std::sync::Arc;
use std::time::Duration;

use authbroker_core::failure::Failure;
use authbroker_core::ids::AccountId;
use authbroker_core::lifecycle::Event;

use super::perform::Performer;
use super::{Entry, Sessions, lock};

/// How long a lock waits for refresh tokens that are in use: longer than a provider is given to
/// answer in.
const PATIENCE: Duration = Duration::from_secs(20);

impl Sessions {
    /// Whether there is an account with anything in the vault.
    pub fn need_the_vault(&self) -> bool {
        self.entries().iter().any(|entry| !lock(&entry.desk).session.is_of_client())
    }

    /// Whether an account is the client's own: there is nothing of it in the vault.
    pub fn is_of_client(&self, id: &AccountId) -> bool {
        self.entry(id).is_some_and(|entry| lock(&entry.desk).session.is_of_client())
    }

    /// Takes note that the vault was opened.
    pub fn unlocked(&self) {
        self.post_to_all(&Event::Unlocked);
    }

    /// Takes note that the vault is locked. Gives the accounts whose grants are still in memory,
    /// because they would be lost.
    pub fn locked(&self, failure: &Failure) -> Vec<AccountId> {
        let holding =
            |entry: &std::sync::Arc<Entry>| self.put_away(entry, failure) == Kept::InMemory;
        let entries = self.entries().into_iter().filter(holding);
        entries.map(|entry| lock(&entry.account).id.clone()).collect()
    }

    /// Puts every grant out of memory, and waits for those that are in use or being written.
    pub async fn put_all_away(&self, failure: &Failure) -> Result<(), Vec<AccountId>> {
        let all_away = async {
            loop {
                let mut moved = std::pin::pin!(self.0.moved.notified());
                // From here on nothing is missed.
                moved.as_mut().enable();
                if self.locked(failure).is_empty() {
                    return;
                }
                moved.await;
            }
        };
        match tokio::time::timeout(PATIENCE, all_away).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.locked(failure)),
        }
    }

    /// Puts one grant out of memory, if nothing is owed for it any more.
    fn put_away(&self, entry: &Arc<Entry>, failure: &Failure) -> Kept {
        let kept = {
            let mut desk = lock(&entry.desk);
            if desk.session.is_of_client() {
                return Kept::InTheVault;
            }
            if desk.performer == Performer::Works {
                return Kept::InMemory;
            }
            let effects = self.step(entry, &mut desk, Event::Locked(failure.clone()));
            self.enqueue(entry, &mut desk, effects);
            desk.session.grant().map_or(Kept::InTheVault, |_| Kept::InMemory)
        };
        self.publish(entry);
        kept
    }

    fn entries(&self) -> Vec<Arc<Entry>> {
        lock(&self.0.entries).values().cloned().collect()
    }
}

/// Where a grant is, after an attempt to put it away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// Where a lock would lose it.
    InMemory,
    /// Where a lock leaves it, or nowhere.
    InTheVault,
}
