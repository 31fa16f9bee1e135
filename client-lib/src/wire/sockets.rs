//! The part of `org.authbroker.Admin1` about minted sockets.

use serde::{Deserialize, Serialize};

/// What to mint a socket for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MintSocket {
    /// What to call it: 1 to 32 of a-z, 0-9, - and _, beginning with a letter.
    pub name: String,
    /// Account id, provider name or username; empty for the default or only one.
    pub account: String,
    /// The APIs that its tokens are for; empty for the provider's first one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// The scopes that its tokens may have; empty for all that were granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The system's service that its token is a credential of: it is handed over when the service
    /// starts (`LoadCredential=`), and the socket is good for nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// How long it lasts, in seconds; left out, until it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u32>,
}

/// A minted socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// Its name.
    pub name: String,
    /// Where it is. Its folder is its own, and can be mounted into a container.
    pub path: String,
    /// The account it is for.
    pub account: String,
    /// The APIs.
    pub resource: Vec<String>,
    /// The scopes; empty for all that were granted.
    pub scopes: Vec<String>,
    /// The system's service that its token is a credential of, if it is one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// When it was made, in seconds since the epoch.
    pub created: u64,
    /// When it ends by itself, in seconds since the epoch, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
}

/// The minted sockets.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Sockets {
    /// By name.
    pub sockets: Vec<Socket>,
}

/// Which one to close.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CloseSocket {
    /// Its name.
    pub name: String,
}
