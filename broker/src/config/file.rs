//! What a configuration file may say, as it is written.
//!
//! Everything is optional here, because files are laid over each other by key; [`super::settings`]
//! makes of the whole what the program uses.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::rules::{Word, WrittenRule};

/// A whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) default_account: Option<String>,
    #[serde(default)]
    pub(super) provider: BTreeMap<String, Provider>,
    #[serde(default)]
    pub(super) vault: Vault,
    #[serde(default)]
    pub(super) policy: Policy,
    #[serde(default)]
    pub(super) refresh: Refresh,
    #[serde(default)]
    pub(super) resource: BTreeMap<String, Resource>,
    #[serde(default)]
    pub(super) credential: BTreeMap<String, Credential>,
    #[serde(default)]
    pub(super) rule: Vec<toml::Spanned<WrittenRule>>,
    // Known by name, so that its refusal can say more than "unknown".
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
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    pub(super) issuer: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    #[serde(default)]
    pub(super) resources: Vec<String>,
    #[serde(default)]
    pub(super) target: Target,
    #[serde(default)]
    pub(super) flow: Flow,
    #[serde(default)]
    pub(super) redirect: Redirect,
    #[serde(default)]
    pub(super) dpop: Use,
    #[serde(default)]
    pub(super) par: Use,
    #[serde(default)]
    pub(super) client_auth: ClientAuth,
    #[serde(default)]
    pub(super) authorize: BTreeMap<String, String>,
    pub(super) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) endpoints: Endpoints,
}

/// How a resource is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
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
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Redirect {
    #[serde(default)]
    pub(super) ports: Vec<u16>,
    pub(super) path: Option<String>,
    pub(super) host: Option<String>,
    pub(super) post_logout_path: Option<String>,
}

/// `[resource."URI"]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resource {
    #[serde(default)]
    pub(super) origins: Vec<String>,
}

/// `[credential."HOST"]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credential {
    pub(super) account: Option<String>,
    pub(super) resource: Option<String>,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    pub(super) username: Option<String>,
    #[serde(default)]
    pub(super) scheme: Scheme,
}

/// How git presents a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// As the password of a name (RFC 7617).
    #[default]
    Basic,
    /// As a token (RFC 6750), where git is new enough for that (2.46).
    Bearer,
}

/// `client_auth = { … }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientAuth {
    #[serde(default)]
    pub(super) method: AuthMethod,
    pub(super) file: Option<PathBuf>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) credential: Option<String>,
    pub(super) env: Option<String>,
}

/// How the client proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuthMethod {
    #[default]
    None,
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
}

/// `endpoints = { … }`: what the provider's metadata leaves out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoints {
    pub(super) revocation: Option<String>,
    pub(super) end_session: Option<String>,
    pub(super) device_authorization: Option<String>,
    pub(super) pushed_authorization_request: Option<String>,
}

/// `[vault]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vault {
    pub(super) key: Option<String>,
}

/// `[policy]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) unverified: Option<Word>,
    pub(super) verified: Option<Word>,
}

/// `[refresh]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    pub(super) ahead: Option<String>,
}
