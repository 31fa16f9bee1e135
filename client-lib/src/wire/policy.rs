//! The part of `org.authbroker.Admin1` that is about who may have what.

use serde::{Deserialize, Serialize};

/// What an app would meet if it asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Why {
    /// The app, as `flatpak:org.acme.Mail` or `exe:/usr/bin/curl`.
    pub app: String,
    /// Provider, account or username; empty for the default or only account.
    pub account: String,
    /// The APIs; empty for the provider's default one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// The scopes; empty for all that were granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// The decision, and what it rests on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Explanation {
    /// The app.
    pub app: String,
    /// How well such a caller is known, from 0 to 4.
    pub level: u8,
    /// The same in a word.
    pub level_name: String,
    /// The account's id; empty where nobody is signed in.
    pub account: String,
    /// Its provider.
    pub provider: String,
    /// The APIs that the token would be good for.
    pub resource: Vec<String>,
    /// The scopes it would have; empty for all that were granted.
    pub scopes: Vec<String>,
    /// `allow`, `ask` or `deny`.
    pub decision: String,
    /// `rule`, `answer`, `policy`, `manifest`, `admin` or `minted`.
    pub basis: String,
    /// The rule or the manifest: its file, and a rule's line behind a colon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The answer's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<u64>,
    /// The API that counted, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_resource: Option<String>,
    /// The scope that counted, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_scope: Option<String>,
    /// Why, in a sentence.
    pub because: String,
    /// What would change it, each a command or a sentence.
    pub needed: Vec<String>,
}

/// Who has asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Apps {
    /// The last one first.
    pub apps: Vec<App>,
}

/// An app that has asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct App {
    /// The app.
    pub app: String,
    /// The user it runs as.
    pub uid: u32,
    /// How well it is known, from 0 to 4.
    pub level: u8,
    /// The same in a word.
    pub level_name: String,
    /// How often it asked.
    pub count: u64,
    /// How often it was not given what it asked for.
    pub refused: u64,
    /// When it first asked, in seconds since the epoch.
    pub first: u64,
    /// When it last asked.
    pub last: u64,
}

/// What people have answered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Grants {
    /// The oldest first.
    pub grants: Vec<Grant>,
}

/// An answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Grant {
    /// Its number.
    pub id: u64,
    /// The app.
    pub app: String,
    /// The user it runs as.
    pub uid: u32,
    /// `allow` or `deny`.
    pub decision: String,
    /// An account's id or a provider's name; `*` for every account.
    pub account: String,
    /// The APIs; absent for every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Vec<String>>,
    /// The scopes; absent for every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// `always`, `until` or `until-locked`.
    pub lasts: String,
    /// When it runs out, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// The leader of the terminal session it holds in; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<u32>,
    /// When it was given.
    pub granted: u64,
    /// How often it decided.
    pub uses: u64,
    /// When it last did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<u64>,
}

/// An answer to be remembered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// The app.
    pub app: String,
    /// `allow` or `deny`.
    pub decision: String,
    /// An account's id, a provider's name or a username; empty for every account.
    pub account: String,
    /// The APIs; empty for every one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// The scopes; empty for every one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// For how many seconds; left out, for always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts: Option<u64>,
}

/// An answer that is remembered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Answered {
    /// The answer.
    pub grant: Grant,
    /// What decides nevertheless, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overruled: Option<String>,
}

/// Answers to be taken back: one by its number, or all that are about an app.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Revoke {
    /// The number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}
