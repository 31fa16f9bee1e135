//! The vault's part of `org.authbroker.Admin1`.

use serde::{Deserialize, Serialize};

use super::SecretText;

/// How the vault is, after a look at every record.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct VaultStatus {
    /// `keyring`, `credential:NAME`, `file:PATH`, `passphrase` or `memory`.
    pub key: String,
    /// `open`, `locked`, `damaged` or `unread`.
    pub state: String,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the key is behind a passphrase: `chosen`, or `not-chosen` until the first unlocking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// How many records there are, the broken ones included.
    pub records: usize,
    /// The format that records are written in now.
    pub format: u32,
    /// How many records are still in an older one.
    pub older: usize,
    /// `opened` where every record was; `headers` where the vault is locked.
    pub depth: String,
    /// Records that cannot be used.
    pub broken: Vec<BrokenRecord>,
    /// What was wrong with the vault's index, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
}

/// A record that cannot be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenRecord {
    /// Its name: the account's id.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Opens the vault.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unlock {
    /// What a person typed; without it, the keyring asks for what it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<SecretText>,
    /// Whether this is to be the passphrase of a vault that has none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<bool>,
}

/// Seals every record with a new key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rekey {
    /// The passphrase, where the key is behind one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<SecretText>,
    /// The passphrase that takes its place, if another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_passphrase: Option<SecretText>,
}

/// What that has done.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Rekeyed {
    /// How many records the new key opens.
    pub records: usize,
    /// Records that did not open before, and so do not now.
    pub broken: Vec<BrokenRecord>,
}
