//! The vault, as its owner sees and handles it.

use authbroker_core::audit::Event;
use authbroker_core::caller::Caller;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::ids::AccountId;

use super::Broker;
pub use crate::services::vault::{
    Broken, Depth, Inspection, Passphrase, PassphraseState, Rekeyed, Retyped,
};
use crate::services::vault::{VaultError, VaultState};

/// The vault from outside.
#[derive(Debug, Clone)]
pub struct VaultView {
    /// Where the key is kept.
    pub key: String,
    /// `unread`, `open`, `locked` or `damaged`.
    pub state: &'static str,
    /// Why, in words.
    pub reason: Option<String>,
    /// Whether a passphrase is chosen, where the key is behind one.
    pub passphrase: Option<PassphraseState>,
    /// What a look at the records found.
    pub inspection: Inspection,
}

impl Broker {
    /// How the vault is, with a look at every record.
    pub async fn vault_status(&self, caller: &Caller) -> Result<VaultView, Failure> {
        self.admit(caller)?;
        let vault = &self.0.vault;
        let passphrase = vault.passphrase().map_err(failure)?;
        let inspection = vault.inspect().await.map_err(failure)?;
        let (state, reason) = words(vault.state());
        Ok(VaultView { key: vault.key_place(), state, reason, passphrase, inspection })
    }

    /// Opens the vault: with a passphrase, or with whatever the keyring asks for.
    pub async fn unlock(&self, caller: &Caller, typed: Option<Passphrase>) -> Result<(), Failure> {
        self.admit(caller)?;
        let unlocked = match typed {
            Some(typed) => self.0.vault.unlock_with(typed).await,
            None => self.0.vault.unlock().await,
        };
        self.record_vault(caller, Event::Unlock, unlocked.map_err(failure))
    }

    /// Locks the vault: the key and all that it opened are put out of memory. Renewals under way
    /// are waited for; a sign-in that would be lost keeps the vault open.
    pub async fn lock(&self, caller: &Caller) -> Result<(), Failure> {
        self.admit(caller)?;
        let locked = self.lock_up().await;
        self.record_vault(caller, Event::Lock, locked)
    }

    async fn lock_up(&self) -> Result<(), Failure> {
        let locking = self.0.vault.begin_to_lock().map_err(failure)?;
        let put_away = self.0.sessions.put_all_away(&somebody_locked_it()).await;
        put_away.map_err(|accounts| would_be_lost(&accounts))?;
        self.write_answers().await;
        locking.finish();
        self.end_until_locked();
        tracing::info!("the vault was locked");
        Ok(())
    }

    /// Seals every record with a new key.
    pub async fn rekey(&self, caller: &Caller, typed: Option<Retyped>) -> Result<Rekeyed, Failure> {
        self.admit(caller)?;
        let rekeyed = self.0.vault.rekey(typed).await.map_err(failure);
        if let Some(key) = self.0.vault.chain_key() {
            self.0.audit.unlocked(key);
        }
        let rekeyed = self.record_vault(caller, Event::Rekey, rekeyed)?;
        self.reseal_answers().await;
        Ok(rekeyed)
    }

    /// Nobody is given anything from a vault that a person has locked, or is about to. An account
    /// without a person has nothing in it.
    pub(super) fn unbarred(&self, id: &AccountId) -> Result<(), Failure> {
        if self.0.vault.is_barred() && !self.0.sessions.is_of_client(id) {
            return Err(somebody_locked_it());
        }
        Ok(())
    }
}

/// The word for a state of the vault, and why.
pub(super) fn words(state: VaultState) -> (&'static str, Option<String>) {
    match state {
        VaultState::Unread => ("unread", None),
        VaultState::Open => ("open", None),
        VaultState::Locked(why, _) => ("locked", Some(why)),
        VaultState::Damaged(why) => ("damaged", Some(why)),
    }
}

fn somebody_locked_it() -> Failure {
    Failure::new(Code::VaultLocked, "the vault is locked: somebody locked it", "brokerctl unlock")
}

fn would_be_lost(accounts: &[AccountId]) -> Failure {
    let names: Vec<_> = accounts.iter().map(ToString::to_string).collect();
    let message = format!(
        "the vault stays open: locked now, these would be lost, because they are being renewed or \
         the disk refuses them: {}",
        names.join(", ")
    );
    Failure::new(Code::Busy, message, "brokerctl status, then try again")
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn failure(error: VaultError) -> Failure {
    error.to_failure()
}
