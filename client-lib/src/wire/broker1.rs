//! `org.authbroker.Broker1`: what an app may ask.
//!
//! The names of parameters and results are the same on the socket and on D-Bus, where the options
//! travel as `a{sv}`. Whatever is left out has its default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SecretText;
pub use super::account::{Account, Accounts, Change};

/// The interface's name. Method and error names follow it after a dot.
pub const INTERFACE: &str = "org.authbroker.Broker1";

/// The bus name of the broker.
pub const BUS_NAME: &str = "org.authbroker.Broker1";

/// The root object on the bus.
pub const ROOT_PATH: &str = "/org/authbroker/Broker1";

/// The interface in Varlink's own language, as introspection shows it.
pub const IDL: &str = include_str!("org.authbroker.Broker1.varlink");

/// What to ask a token with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GetToken {
    /// Account id, provider name or username; empty for the default or only one.
    pub account: String,
    /// The APIs that the token is for (RFC 8707); empty for the provider's first one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// The scopes it must have; empty for all that were granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// How long it must be valid at least, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ttl: Option<u32>,
    /// Whether to renew it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
    /// How long ago, at most, the person may have proved who they are, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    /// The authentication contexts that the sign-in behind it may have; empty for any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// How it is to be presented: `Bearer` or `DPoP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// How long to wait for the answer, in seconds; 20 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// A word of the caller's own, given back with the answer and kept in the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// An access token and what is known of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Token {
    /// The token.
    pub access_token: SecretText,
    /// How it is presented: `Bearer`, or `DPoP` where it is bound to a key of the broker's.
    pub token_type: String,
    /// When it expires, in seconds since the epoch.
    pub expires_at: u64,
    /// The scopes it has.
    pub scopes: Vec<String>,
    /// The APIs it is for.
    pub resource: Vec<String>,
    /// The account's id.
    pub account: String,
    /// Who it speaks for, in the issuer's words.
    pub subject: String,
    /// The authentication context of the sign-in behind it, where the provider tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The caller's own word, where it sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// What to get the headers of one request to an API with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GetHeaders {
    /// Account id, provider name or username; empty for the default or only one.
    pub account: String,
    /// The request's method.
    pub method: String,
    /// Its address. Its origin must be one of the API's.
    pub uri: String,
    /// The APIs that the token is for (RFC 8707); empty for the one that lives at the address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// The scopes it must have; empty for all that were granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// How long it must be valid at least, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ttl: Option<u32>,
    /// Whether to renew it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
    /// How long ago, at most, the person may have proved who they are, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    /// The authentication contexts that the sign-in behind it may have; empty for any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// How it is to be presented: `Bearer` or `DPoP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// How long to wait for the answer, in seconds; 20 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// A word of the caller's own, given back with the answer and kept in the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// The headers of one request, and what is known of the token in them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Headers {
    /// `Authorization`, and `DPoP` with a proof for this one request where the token is bound.
    pub headers: BTreeMap<String, SecretText>,
    /// How the token is presented: `Bearer` or `DPoP`.
    pub token_type: String,
    /// When it expires, in seconds since the epoch.
    pub expires_at: u64,
    /// The scopes it has.
    pub scopes: Vec<String>,
    /// The APIs it is for.
    pub resource: Vec<String>,
    /// The account's id.
    pub account: String,
    /// Who it speaks for, in the issuer's words.
    pub subject: String,
    /// The authentication context of the sign-in behind it, where the provider tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The caller's own word, where it sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// What an API answered to a token.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportChallenge {
    /// The account whose token it was.
    pub account: String,
    /// The address that was asked.
    pub uri: String,
    /// The answer's status.
    pub status: u32,
    /// Each of its `WWW-Authenticate` headers.
    pub www_authenticate: Vec<String>,
    /// The APIs that the token was for, as they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// The scopes, as they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// How the token was presented; left out, as the account's tokens are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// The answer's `DPoP-Nonce` header. Worth reporting with any status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop_nonce: Option<String>,
    /// The hash of the token that was presented (`ath`, RFC 9449 §4.2): tells whether a newer one
    /// is at hand already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ath: Option<String>,
    /// A word of the caller's own, given back with the answer and kept in the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// What to do about a challenge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// `retry` (once, with headers asked for anew and with what stands here),
    /// `interaction-required` (`Acquire` with what stands here) or `not-mine`.
    pub action: String,
    /// The scopes to ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The authentication contexts to ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// How recent the sign-in must be, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
    /// How the token must be presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The caller's own word, where it sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// What to get a person's sign-in with. Silent, if there is one already.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Acquire {
    /// Account or provider; empty for the default or only one.
    pub account: String,
    /// The APIs that tokens will be asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// Scopes beyond those that the broker's configuration names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// OpenID Connect's `prompt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The authentication contexts wanted, best first.
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
    /// Whether to open the page where a code is typed in, at a provider whose sign-in is one for
    /// other devices. Any other sign-in page is opened in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// How long to wait for the person, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// A word of the caller's own, given back with the end and kept in the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// How a request that waits for a person goes on. The last one names the account and has no phase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// `consent` (a person is asked), `url`, `device-code`, `browser-opened`, `browser-missing`, `rejected-answer`, `exchanging`,
    /// `report`, and on the admin socket `end-session`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// An address that a browser is to open: with `device-code` any browser on any device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The code that the person types in there. It must be shown in every case: it is how the person
    /// knows that the page belongs to this sign-in (RFC 8628 §3.3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_code: Option<String>,
    /// The same address with the code in it, where the provider has one: for a link or a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_complete: Option<String>,
    /// How long the code can be used, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The account that was signed in or out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The caller's own word, where it sent one; at the end alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// What to sign out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignOut {
    /// The account.
    pub account: String,
    /// Whether to forget it here without telling the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<bool>,
    /// A word of the caller's own, given back with the end and kept in the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// How the broker sees a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// 0 (only the user is known) to 4.
    pub level: u8,
    /// The level in a word.
    pub level_name: String,
    /// What rules and records call this caller, as `flatpak:org.acme.Mail`.
    #[serde(default)]
    pub app: String,
    /// What the level rests on.
    pub source: String,
    /// The user.
    pub uid: u32,
    /// The process, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// What this proves and what it does not, in words.
    pub proves: String,
    /// The program that it runs, as far as can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
    /// The unit of the user's own service manager that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_unit: Option<String>,
    /// The process that leads its session on a terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<u32>,
    /// The proxy that passes its messages on: what is seen is the proxy, not who is behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
}

/// What an error tells.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ErrorDetails {
    /// What happened.
    #[serde(default)]
    pub message: String,
    /// A command that helps.
    #[serde(default)]
    pub hint: String,
    /// When it is worth trying again, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The provider's own error word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_error: Option<String>,
    /// The authentication contexts that a sign-in must ask for, where that is what is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// How long ago, at most, the person may have proved who they are, where that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
    /// The caller's own word, where it sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}
