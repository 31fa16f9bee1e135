//! What a configuration file may say, as it is written.
//!
//! Everything is optional here, because files are laid over each other by key; [`super::settings`]
//! makes of the whole what the program uses.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::rules::{Word, WrittenRule};

/// A whole file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// What a request without an account means: an id, a provider, or a username.
    pub(super) default_account: Option<String>,
    /// Where people sign in, by the name that people and apps use.
    #[serde(default)]
    pub(super) provider: BTreeMap<String, Provider>,
    /// Where the vault has its key.
    #[serde(default)]
    pub(super) vault: Vault,
    /// What holds where no rule matches.
    #[serde(default)]
    pub(super) policy: Policy,
    /// When tokens are renewed.
    #[serde(default)]
    pub(super) refresh: Refresh,
    /// Where tokens for an API may go whose name is no web address.
    #[serde(default)]
    pub(super) resource: BTreeMap<String, Resource>,
    /// Which account speaks for a person at a server, for credential helpers.
    #[serde(default)]
    pub(super) credential: BTreeMap<String, Credential>,
    /// Who may have what; the first that matches counts.
    #[serde(default)]
    #[schemars(with = "Vec<WrittenRule>")]
    pub(super) rule: Vec<toml::Spanned<WrittenRule>>,
    // Known by name, so that its refusal can say more than "unknown".
    #[schemars(skip)]
    service: Option<NotYet>,
}

/// Something that later versions will understand.
#[derive(Debug, Deserialize)]
struct NotYet(#[expect(dead_code, reason = "only its presence matters")] toml::Value);

impl File {
    /// The tables that this version knows of and does not support.
    pub(super) fn unsupported(&self) -> impl Iterator<Item = &'static str> {
        let tables = [("[service.…]", &self.service)];
        tables.into_iter().filter(|(_, table)| table.is_some()).map(|(name, _)| name)
    }
}

/// `[provider.NAME]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    /// The provider's issuer identifier: https, or http on this machine.
    pub(super) issuer: Option<String>,
    /// Who we are to it.
    pub(super) client_id: Option<String>,
    /// What a sign-in asks for. openid is always part of it.
    pub(super) scopes: Option<Vec<String>>,
    /// The APIs that tokens are for. The first is meant where an app names none.
    #[serde(default)]
    pub(super) resources: Vec<String>,
    /// How the provider is told of them.
    #[serde(default)]
    pub(super) target: Target,
    /// How a sign-in goes.
    #[serde(default)]
    pub(super) flow: Flow,
    /// Where the browser comes back.
    #[serde(default)]
    pub(super) redirect: Redirect,
    /// Whether tokens are bound to a key that stays in the broker (RFC 9449).
    #[serde(default)]
    pub(super) dpop: Use,
    /// Whether authorization requests are pushed first (RFC 9126).
    #[serde(default)]
    pub(super) par: Use,
    /// How the client proves itself. Left out: not at all.
    #[serde(default)]
    pub(super) client_auth: ClientAuth,
    /// Further authorization parameters, none that the broker sets itself.
    #[serde(default)]
    pub(super) authorize: BTreeMap<String, String>,
    /// Certificates that are trusted besides the machine's own.
    pub(super) ca_file: Option<PathBuf>,
    /// What the provider's metadata leaves out or says wrongly.
    #[serde(default)]
    pub(super) endpoints: Endpoints,
}

/// How a resource is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The `resource` parameter of RFC 8707.
    #[default]
    Resource,
    /// The `audience` parameter that Auth0 has.
    Audience,
    /// Not at all: the provider decides.
    None,
}

/// How a sign-in goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Through the person's browser on this machine (RFC 8252).
    #[default]
    Browser,
    /// Through any browser, with a code to type (RFC 8628).
    Device,
    /// Without a person (RFC 6749 §4.4).
    ClientCredentials,
}

/// When an extension is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Where the other side asks for it.
    #[default]
    Auto,
    /// In any case: without it nothing is done.
    Always,
    /// In no case.
    Never,
}

/// `redirect = { … }`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Redirect {
    /// The ports that are registered; none for any free one.
    #[serde(default)]
    pub(super) ports: Vec<u16>,
    /// The path that is registered: /callback.
    pub(super) path: Option<String>,
    /// 127.0.0.1, or localhost for a provider that compares letter by letter.
    pub(super) host: Option<String>,
    /// Where the browser comes back after a sign-out, if that is registered.
    pub(super) post_logout_path: Option<String>,
}

/// `[resource."URI"]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resource {
    /// The origins where the API lives.
    #[serde(default)]
    pub(super) origins: Vec<String>,
}

/// `[credential."HOST"]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credential {
    /// The account: its id, its provider, or its username.
    pub(super) account: Option<String>,
    /// The API that the token is for. Left out: the provider's default one.
    pub(super) resource: Option<String>,
    /// The scopes that it must have. Left out: all that were granted.
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    /// The name beside the token.
    pub(super) username: Option<String>,
    /// How git presents the token.
    #[serde(default)]
    pub(super) scheme: Scheme,
}

/// How git presents a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// As the password of a name (RFC 7617).
    #[default]
    Basic,
    /// As a token (RFC 6750), where git is new enough for that (2.46).
    Bearer,
}

/// `client_auth = { … }`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientAuth {
    /// How: as it is registered at the provider.
    #[serde(default)]
    pub(super) method: AuthMethod,
    /// A file that holds the secret, and that only its owner can read.
    pub(super) file: Option<PathBuf>,
    /// A file that holds the private key, in PEM, and that only its owner can read.
    pub(super) key_file: Option<PathBuf>,
    /// The name of a systemd credential that holds it.
    pub(super) credential: Option<String>,
    /// The name of an environment variable that holds it.
    pub(super) env: Option<String>,
}

/// How the client proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuthMethod {
    #[default]
    None,
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
}

/// `endpoints = { … }`: what the provider's metadata leaves out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoints {
    /// Where tokens are revoked (RFC 7009).
    pub(super) revocation: Option<String>,
    /// Where sessions end (RP-Initiated Logout).
    pub(super) end_session: Option<String>,
    /// Where a sign-in on another device begins (RFC 8628).
    pub(super) device_authorization: Option<String>,
    /// Where authorization requests are pushed (RFC 9126).
    pub(super) pushed_authorization_request: Option<String>,
}

/// `[vault]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Vault {
    /// keyring, credential:NAME, file:/ABSOLUTE/PATH, passphrase or memory.
    pub(super) key: Option<String>,
}

/// `[policy]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    /// For callers whose identity nothing proves: allow, ask or deny.
    pub(super) unverified: Option<Word>,
    /// For the others: allow, ask or deny.
    pub(super) verified: Option<Word>,
}

/// `[refresh]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    /// A token with less left than this is renewed in the background: 5m.
    pub(super) ahead: Option<String>,
}
