//! Accounts, as `ListAccounts` and `Watch` of `org.authbroker.Broker1` tell them.

use serde::{Deserialize, Serialize};

/// An account as its user sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Stable id, as in `acme-k3v9q2ma`.
    pub id: String,
    /// The provider's name in the broker's configuration.
    pub provider: String,
    /// The issuer.
    pub issuer: String,
    /// What to call it in a list.
    pub username: String,
    /// What to call the person in a greeting.
    pub label: String,
    /// Who it is, in the issuer's words.
    pub subject: String,
    /// The address of a picture; empty where the provider gave none.
    #[serde(default)]
    pub picture: String,
    /// `ready`, `interaction-required`, `offline`, `vault-locked`, `revoked` or `disabled`.
    pub state: String,
    /// Why, in words; empty where there is nothing to say.
    #[serde(default)]
    pub state_reason: String,
    /// Since when, in seconds since the epoch.
    #[serde(default)]
    pub state_since: u64,
    /// When the person last proved who they are, in seconds since the epoch.
    #[serde(default)]
    pub auth_time: u64,
    /// When its access token was last renewed, in seconds since the epoch; 0 where that has not
    /// happened since the broker started.
    #[serde(default)]
    pub renewed_at: u64,
}

/// The answer to `ListAccounts`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Accounts {
    /// Every account that the caller may see.
    pub accounts: Vec<Account>,
}

/// One reply of `Watch`. The first has every account; each later one what changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// New accounts, and accounts in their new state.
    pub accounts: Vec<Account>,
    /// Ids of accounts that are gone.
    #[serde(default)]
    pub removed: Vec<String>,
}

impl Change {
    /// What a watcher that was told `before` is to be told `now`; `None` where nothing changed.
    /// One that was told nothing yet is told everything.
    pub fn between(before: Option<&[Account]>, now: &[Account]) -> Option<Self> {
        let known = before.unwrap_or_default();
        let news = now.iter().filter(|account| !known.contains(account));
        let stays = |old: &&Account| now.iter().any(|account| account.id == old.id);
        let gone = known.iter().filter(|old| !stays(old));
        let change = Self {
            accounts: news.cloned().collect(),
            removed: gone.map(|old| old.id.clone()).collect(),
        };
        (before.is_none() || change != Self::default()).then_some(change)
    }
}
