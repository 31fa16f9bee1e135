//! How accounts and the daemon look from outside: the contract's words for what is inside.

use std::sync::Arc;
use std::sync::PoisonError;
use std::time::Duration;

use authbroker_core::account::Account;
use authbroker_core::failure::Code;
use authbroker_core::lifecycle::{Ending, SignOutReport, Standing};
use authbroker_core::time::UnixTime;

use super::{Broker, vault};
use crate::platform::clock;
use crate::sessions::Seen;

/// An account as a caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// The account.
    pub account: Arc<Account>,
    /// The word for how it stands (contract §5).
    pub state: &'static str,
    /// Why, in words, where there is something to say.
    pub reason: String,
    /// Since when.
    pub since: UnixTime,
    /// When its token was last renewed, since the daemon started.
    pub renewed: Option<UnixTime>,
}

/// How the daemon is, for `brokerctl status`.
#[derive(Debug, Clone)]
pub struct Status {
    /// How long it runs.
    pub uptime: Duration,
    /// Why the newest configuration was not taken, if so.
    pub config_error: Option<String>,
    /// Where the vault's key is.
    pub vault_key: String,
    /// How the vault is: `unread`, `open`, `locked` or `damaged`.
    pub vault_state: &'static str,
    /// Why, in words.
    pub vault_reason: Option<String>,
    /// Names and issuers.
    pub providers: Vec<(String, String)>,
    /// How many accounts there are.
    pub accounts: usize,
    /// What is wrong, a sentence each.
    pub problems: Vec<String>,
}

impl Broker {
    /// How the daemon is.
    pub fn status(&self) -> Status {
        let config_error =
            self.0.config_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let accounts = self.0.sessions.list();
        let mut problems: Vec<_> =
            config_error.iter().cloned().chain(self.0.broken_records.iter().cloned()).collect();
        problems
            .extend(self.0.answers_problem.lock().unwrap_or_else(PoisonError::into_inner).clone());
        problems.extend(accounts.iter().filter_map(problem));
        problems.extend(self.0.audit.problems());
        let vault_key = self.0.vault.key_place();
        let (vault_state, vault_reason) = vault::words(self.0.vault.state());
        Status {
            uptime: self.0.started.boot.until(clock::now().boot),
            config_error,
            vault_key,
            vault_state,
            vault_reason,
            providers: self
                .0
                .providers
                .all()
                .iter()
                .map(|p| (p.settings().name.to_string(), p.settings().issuer.to_string()))
                .collect(),
            accounts: accounts.len(),
            problems,
        }
    }
}

/// The contract's word for how an account stands, and why.
pub(super) fn view(seen: Seen) -> AccountView {
    let (state, reason) = match &seen.standing {
        Standing::Ready => ("ready", String::new()),
        Standing::Unsaved => {
            ("ready", "the disk refuses to keep this sign-in: it ends with the daemon".to_owned())
        }
        Standing::Offline(failure) => ("offline", failure.message.clone()),
        Standing::Unreadable(failure) if failure.code == Code::VaultLocked => {
            ("vault-locked", failure.message.clone())
        }
        // A record that is broken: only a new sign-in helps.
        Standing::Unreadable(failure) => ("interaction-required", failure.message.clone()),
        Standing::Ended(Ending::ByProvider) => {
            ("revoked", "the provider ended this sign-in".to_owned())
        }
        Standing::Ended(Ending::Interrupted) => {
            ("interaction-required", "a renewal was interrupted".to_owned())
        }
        Standing::Ended(Ending::NoRefreshToken) => {
            ("interaction-required", "the access token has run out".to_owned())
        }
        Standing::Leaving | Standing::SignedOut => {
            ("interaction-required", "being signed out".to_owned())
        }
    };
    AccountView { account: seen.account, state, reason, since: seen.since, renewed: seen.renewed }
}

fn problem(seen: &Seen) -> Option<String> {
    let view = view(seen.clone());
    (!view.reason.is_empty()).then(|| format!("{}: {}", view.account.id, view.reason))
}

/// What the provider did, in a sentence.
pub(super) fn words(report: &SignOutReport) -> String {
    match report {
        SignOutReport::Revoked { .. } => "the provider revoked the tokens".to_owned(),
        SignOutReport::OnlyForgotten => "forgotten here; the provider was not told".to_owned(),
        SignOutReport::NotRevoked { failure, .. } => {
            format!("forgotten here, but not revoked at the provider: {}", failure.message)
        }
    }
}
