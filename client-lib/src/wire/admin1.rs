//! `org.authbroker.Admin1`: what only the broker's own user may do, on the admin socket.

use serde::{Deserialize, Serialize};

/// The interface's name.
pub const INTERFACE: &str = "org.authbroker.Admin1";

/// The interface in Varlink's own language.
pub const IDL: &str = include_str!("org.authbroker.Admin1.varlink");

/// What to sign in with. Unlike `Acquire` it always asks a person.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    /// Provider, account or username; empty for the default or only provider.
    pub provider: String,
    /// Whether to sign in with a code on another device, whatever the configuration says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<bool>,
    /// Scopes beyond those that the configuration names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The APIs that tokens will be asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// OpenID Connect's `prompt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The authentication contexts wanted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// How long ago, at most, the person may have proved who they are, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    /// How tokens are to be presented: `Bearer` or `DPoP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// Who will probably sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    /// How long to wait for the person, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// A word of the caller's own, given back with the end and kept in the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// How the daemon is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Status {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Seconds since it started.
    pub uptime: u64,
    /// The file its settings came from.
    pub config: String,
    /// Why the newest configuration was not taken, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_error: Option<String>,
    /// Where it listens for apps.
    pub socket: String,
    /// Whether it owns its name on the session bus.
    pub bus: bool,
    /// Where the vault's key is, and how that is going.
    pub vault: Vault,
    /// The providers that are configured.
    pub providers: Vec<Provider>,
    /// How many accounts there are.
    pub accounts: usize,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
}

/// The vault's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Vault {
    /// `keyring`, `credential:NAME`, `file:PATH`, `passphrase` or `memory`.
    pub key: String,
    /// `open`, `locked`, `damaged` or `unread`.
    pub state: String,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A configured provider.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
}
