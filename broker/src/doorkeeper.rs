//! The keeper of the vault's door: looks out for the key while it is out of reach, and tells the
//! sessions whenever the vault opens or is locked, so that nobody has to ask before it shows.

use authbroker_core::audit::{Event, Record};
use authbroker_core::failure::{Code, Failure};

use crate::services::audit::Audit;
use crate::services::vault::{Vault, VaultState};
use crate::sessions::Sessions;

/// Keeps the door for as long as the process lives.
pub(crate) async fn keep(vault: Vault, sessions: Sessions, audit: Audit) {
    let mut states = vault.states();
    let mut key = Box::pin(vault.wait_for_key());
    loop {
        let state = states.borrow_and_update().clone();
        if let Some(key) = vault.chain_key().filter(|_| state == VaultState::Open) {
            audit.unlocked(key);
        }
        record(&audit, &state);
        tell(&sessions, &state);
        // Without accounts nobody needs the key, and looking for it would make one.
        let wanted = state != VaultState::Open && !vault.is_barred() && sessions.need_the_vault();
        if !wanted {
            // Nothing is listened to in vain.
            key.set(vault.wait_for_key());
        }
        tokio::select! {
            changed = states.changed() => if changed.is_err() { return },
            () = &mut key, if wanted => {}
        }
    }
}

fn tell(sessions: &Sessions, state: &VaultState) {
    match state {
        VaultState::Unread => {}
        VaultState::Open => sessions.unlocked(),
        VaultState::Locked(why, hint) => {
            tracing::warn!("the vault is locked: {why}");
            sessions.locked(&locked(why, hint));
        }
        VaultState::Damaged(why) => {
            tracing::error!("the vault cannot be opened: {why}");
            sessions.locked(&locked(why, "brokerctl vault status"));
        }
    }
}

fn record(audit: &Audit, state: &VaultState) {
    match state {
        VaultState::Unread => {}
        VaultState::Open => audit.record(Record::of(Event::VaultOpened)),
        VaultState::Locked(why, _) | VaultState::Damaged(why) => {
            audit.record(Record::of(Event::VaultLocked).saying(why.clone()));
        }
    }
}

fn locked(why: &str, hint: &str) -> Failure {
    Failure::new(Code::VaultLocked, format!("the vault is locked: {why}"), hint)
}
