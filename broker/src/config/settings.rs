//! What the program uses: the file's words, parsed, with every default in its place.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use authbroker_core::ids::ProviderName;
use authbroker_core::issuer::{IssuerUrl, is_secure};
use authbroker_core::origin::Origin;
use authbroker_core::policy::Policy;
use authbroker_core::resource::{Resource, Resources};
use authbroker_core::scope::ScopeSet;
use authbroker_core::sign_in::Redirect;
use url::Url;

use super::client_auth::{self, credential_name};
pub use super::client_auth::{ClientAuth, SecretPlace};
use super::credential::{self, Credentials};
use super::file::{self, File};
pub use super::file::{Flow, Target, Use};
use super::rules;

/// The settings of a running broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What an empty account means.
    pub default_account: Option<String>,
    /// The providers, by name.
    pub providers: BTreeMap<ProviderName, ProviderSettings>,
    /// Where the vault's key is.
    pub vault_key: VaultKey,
    /// How long before its end a token is renewed.
    pub ahead: Duration,
    /// Where tokens for an API may go, if that is not the API's own origin.
    pub origins: BTreeMap<Resource, Vec<Origin>>,
    /// Who may have what.
    pub policy: Policy,
    /// What credential helpers give to whom.
    pub credentials: Credentials,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_account: None,
            providers: BTreeMap::new(),
            vault_key: VaultKey::Keyring,
            ahead: Duration::from_mins(5),
            origins: BTreeMap::new(),
            policy: Policy::default(),
            credentials: Credentials::default(),
        }
    }
}

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderSettings {
    /// Its name here.
    pub name: ProviderName,
    /// Its issuer identifier.
    pub issuer: IssuerUrl,
    /// Who we are to it.
    pub client_id: String,
    /// What a sign-in asks for.
    pub scopes: ScopeSet,
    /// The APIs that tokens are for; the first one is the default.
    pub resources: Vec<Resource>,
    /// How they are asked for.
    pub target: Target,
    /// How a sign-in goes.
    pub flow: Flow,
    /// Whether tokens are bound to a key (RFC 9449).
    pub dpop: Use,
    /// Whether authorization requests are pushed (RFC 9126).
    pub par: Use,
    /// Where the browser comes back to.
    pub redirect: Redirect,
    /// The ports to listen on; none means any free one.
    pub ports: Vec<u16>,
    /// Where the browser comes back after a sign-out, if that is registered at the provider.
    pub post_logout: Option<Redirect>,
    /// Further authorization parameters.
    pub authorize: BTreeMap<String, String>,
    /// How we prove to be that client.
    pub client_auth: ClientAuth,
    /// Certificates trusted besides the machine's own roots.
    pub ca_file: Option<PathBuf>,
    /// What the provider's metadata leaves out, or says wrongly.
    pub endpoints: Endpoints,
}

/// Addresses that take the place of those in a provider's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoints {
    /// Where tokens are revoked (RFC 7009).
    pub revocation: Option<Url>,
    /// Where sessions end (RP-Initiated Logout).
    pub end_session: Option<Url>,
    /// Where a device sign-in begins (RFC 8628).
    pub device_authorization: Option<Url>,
    /// Where authorization requests are pushed (RFC 9126).
    pub pushed_authorization_request: Option<Url>,
}

impl ProviderSettings {
    /// The APIs of a token that names none.
    pub fn default_resources(&self) -> Resources {
        self.resources.first().cloned().into_iter().collect()
    }
}

/// Where the vault's key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultKey {
    /// In the keyring of the session.
    Keyring,
    /// In the state folder, sealed by what the systemd credential of this name says.
    Credential(String),
    /// In a file that only its owner can read.
    File(PathBuf),
    /// In the state folder, encrypted with a passphrase.
    Passphrase,
    /// Nowhere: what is remembered ends with the process.
    Memory,
}

impl VaultKey {
    /// The word of the configuration.
    pub fn describe(&self) -> String {
        match self {
            Self::Keyring => "keyring".to_owned(),
            Self::Credential(name) => format!("credential:{name}"),
            Self::File(path) => format!("file:{}", path.display()),
            Self::Passphrase => "passphrase".to_owned(),
            Self::Memory => "memory".to_owned(),
        }
    }
}

/// Authorization parameters that the broker sets itself.
const OWN_PARAMETERS: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "prompt",
    "login_hint",
    "acr_values",
    "max_age",
    "request",
    "request_uri",
    "response_mode",
    "dpop_jkt",
];

/// Collects what is wrong, so that one look at the list is enough.
#[derive(Default)]
pub(super) struct Problems(pub(super) Vec<String>);

impl Problems {
    pub(super) fn take<T, E: ToString>(&mut self, place: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.0.push(format!("{place}: {}", error.to_string()))).ok()
    }

    fn missing<T>(&mut self, place: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.0.push(format!("{place} is missing"));
        }
        value
    }

    fn unsupported(&mut self, what: &str) {
        self.0.push(format!("{what} is not supported by this version yet"));
    }
}

/// Makes settings of a file, or tells everything that is wrong with it.
pub(super) fn from_file(file: File) -> Result<Settings, Vec<String>> {
    let mut problems = Problems::default();
    for table in file.unsupported() {
        problems.unsupported(table);
    }
    let policy = rules::defaults(&file.policy);
    let vault_key = parse_vault_key(file.vault.key.as_deref(), &mut problems);
    let origins = parse_origins(file.resource, &mut problems);
    let credentials = credential::parse(file.credential, &mut problems);
    let ahead = parse_ahead(file.refresh.ahead.as_deref(), &mut problems);
    let mut providers = BTreeMap::new();
    for (name, provider) in file.provider {
        if let Some(settings) = parse_provider(&name, provider, &mut problems) {
            providers.insert(settings.name.clone(), settings);
        }
    }
    if !problems.0.is_empty() {
        return Err(problems.0);
    }
    let default_account = file.default_account;
    Ok(Settings { default_account, providers, vault_key, ahead, origins, policy, credentials })
}

fn parse_vault_key(text: Option<&str>, problems: &mut Problems) -> VaultKey {
    let parsed = read_vault_key(text.unwrap_or("keyring"));
    problems.take("[vault] key", parsed).unwrap_or(VaultKey::Memory)
}

fn read_vault_key(text: &str) -> Result<VaultKey, String> {
    match text.split_once(':') {
        None if text == "keyring" => Ok(VaultKey::Keyring),
        None if text == "passphrase" => Ok(VaultKey::Passphrase),
        None if text == "memory" => Ok(VaultKey::Memory),
        Some(("file", path)) if path.starts_with('/') => Ok(VaultKey::File(path.into())),
        Some(("credential", name)) => {
            credential_name(name).map(|name| VaultKey::Credential(name.to_owned()))
        }
        _ => Err(format!(
            "{text:?} is not keyring, credential:NAME, file:/ABSOLUTE/PATH, passphrase or memory"
        )),
    }
}

fn parse_ahead(text: Option<&str>, problems: &mut Problems) -> Duration {
    let default = Settings::default().ahead;
    let Some(text) = text else { return default };
    let parsed = text.parse::<jiff::SignedDuration>().map_err(|error| error.to_string());
    let parsed = parsed.and_then(|d| Duration::try_from(d).map_err(|error| error.to_string()));
    problems.take("[refresh] ahead", parsed).unwrap_or(default)
}

fn parse_provider(
    name: &str,
    file: file::Provider,
    problems: &mut Problems,
) -> Option<ProviderSettings> {
    let at = |key: &str| format!("[provider.{name}] {key}");
    let authorize = parse_authorize(&at("authorize"), file.authorize, problems);
    let parsed_name = problems.take(&format!("[provider.{name}]"), ProviderName::parse(name));
    let issuer = problems.missing(&at("issuer"), file.issuer);
    let issuer = issuer.and_then(|text| problems.take(&at("issuer"), IssuerUrl::parse(&text)));
    let client_id = problems.missing(&at("client_id"), file.client_id);
    let scopes = file.scopes.unwrap_or_else(|| default_scopes(file.flow));
    let scopes = ScopeSet::from_words(scopes.iter().map(String::as_str));
    let scopes = problems.take(&at("scopes"), scopes);
    let resources = file.resources.iter().map(|text| Resource::parse(text)).collect();
    let resources: Option<Vec<_>> = problems.take(&at("resources"), resources);
    let host = file.redirect.host.as_deref().unwrap_or("127.0.0.1");
    let path = file.redirect.path.as_deref().unwrap_or("/callback");
    let redirect = problems.take(&at("redirect"), Redirect::new(host, path));
    let post_logout = file.redirect.post_logout_path.as_deref().and_then(|path| {
        problems.take(&at("redirect.post_logout_path"), Redirect::new(host, path))
    });
    let client_auth = client_auth::parse(&at("client_auth"), file.client_auth, problems);
    if file.flow == Flow::ClientCredentials && client_auth == Some(ClientAuth::None) {
        problems.0.push(format!(
            "{}: a client without a person must prove itself (RFC 6749 §4.4)",
            at("client_auth")
        ));
    }
    let endpoints = parse_endpoints(&at("endpoints"), file.endpoints, problems);
    let scopes = scopes?;
    Some(ProviderSettings {
        name: parsed_name?,
        issuer: issuer?,
        client_id: client_id?,
        scopes: if file.flow == Flow::ClientCredentials { scopes } else { with_openid(&scopes) },
        resources: resources?,
        target: file.target,
        flow: file.flow,
        dpop: file.dpop,
        par: file.par,
        redirect: redirect?,
        ports: file.redirect.ports,
        post_logout,
        authorize,
        client_auth: client_auth?,
        ca_file: file.ca_file,
        endpoints,
    })
}

fn default_scopes(flow: Flow) -> Vec<String> {
    match flow {
        // Nobody signs in, so there is nobody to ask about.
        Flow::ClientCredentials => Vec::new(),
        Flow::Browser | Flow::Device => {
            ["openid", "profile", "email", "offline_access"].map(str::to_owned).into()
        }
    }
}

/// A sign-in without `openid` would say nothing about who signed in.
fn with_openid(scopes: &ScopeSet) -> ScopeSet {
    ScopeSet::parse("openid").map_or_else(|_| scopes.clone(), |openid| scopes.union(&openid))
}

fn parse_authorize(
    place: &str,
    parameters: BTreeMap<String, String>,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    for name in parameters.keys().filter(|name| OWN_PARAMETERS.contains(&name.as_str())) {
        problems.0.push(format!("{place}: the broker sets {name} itself"));
    }
    parameters
}

fn parse_endpoints(place: &str, file: file::Endpoints, problems: &mut Problems) -> Endpoints {
    let mut at = |key: &str, text| parse_endpoint(&format!("{place}.{key}"), text, problems);
    Endpoints {
        revocation: at("revocation", file.revocation),
        end_session: at("end_session", file.end_session),
        device_authorization: at("device_authorization", file.device_authorization),
        pushed_authorization_request: at(
            "pushed_authorization_request",
            file.pushed_authorization_request,
        ),
    }
}

fn parse_origins(
    resources: BTreeMap<String, file::Resource>,
    problems: &mut Problems,
) -> BTreeMap<Resource, Vec<Origin>> {
    let mut origins = BTreeMap::new();
    for (text, resource) in resources {
        let place = format!("[resource.{text:?}]");
        let parsed = resource.origins.iter().map(|origin| Origin::parse(origin)).collect();
        let parsed = problems.take(&format!("{place} origins"), parsed);
        if let (Some(resource), Some(parsed)) =
            (problems.take(&place, Resource::parse(&text)), parsed)
        {
            origins.insert(resource, parsed);
        }
    }
    origins
}

fn parse_endpoint(place: &str, text: Option<String>, problems: &mut Problems) -> Option<Url> {
    let url = problems.take(place, Url::parse(&text?))?;
    if is_secure(&url) {
        return Some(url);
    }
    problems.0.push(format!("{place} must begin with https://"));
    None
}
