//! A provider's metadata: what is read of the document, and what is asked of it before it is believed.

use authbroker_core::failure::{Code, Failure};
use authbroker_core::issuer::is_secure;
use authbroker_core::sign_in::IssParameter;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, ProviderMetadata};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::error::printable;
use crate::config::ProviderSettings;

/// The grant type of RFC 8693 §2.1.
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// What the core standard's metadata leaves to others.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Extra {
    revocation_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    pushed_authorization_request_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    #[serde(default)]
    dpop_signing_alg_values_supported: Vec<String>,
}

impl AdditionalProviderMetadata for Extra {}

type Document = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What the broker needs to know of a provider, checked.
#[derive(Debug, Clone)]
pub struct Metadata {
    pub(super) authorization: Url,
    pub(super) token: Url,
    pub(super) revocation: Option<Url>,
    pub(super) end_session: Option<Url>,
    pub(super) device: Option<Url>,
    pub(super) userinfo: Option<Url>,
    pub(super) registration: Option<Url>,
    pub(super) keys: Url,
    pub(super) pushed: Pushed,
    pub(super) dpop: Dpop,
    pub(super) exchange: TokenExchange,
    /// Whether answers name their issuer.
    pub iss: IssParameter,
}

/// Whether authorization requests can be pushed (RFC 9126 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pushed {
    /// There is no place for them.
    NotOffered,
    /// They can be pushed here.
    Offered(Url),
    /// No others are taken.
    Required(Url),
}

/// Whether tokens can be bound to a key of ours (RFC 9449 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dpop {
    /// The provider does not say so.
    Unannounced,
    /// It takes proofs that are signed with ES256.
    Announced,
}

/// Whether tokens can be exchanged for narrower ones (RFC 8693).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenExchange {
    /// The provider does not say so.
    Unannounced,
    /// It does.
    Announced,
}

/// Takes from a document what is needed, if all of it is sound.
pub(super) fn check(document: Value, settings: &ProviderSettings) -> Result<Metadata, Failure> {
    let document = read(document, settings)?;
    let (extra, named) = (document.additional_metadata(), &settings.endpoints);
    let secure = |name: &str, text: &str| secure(settings, name, text);
    // What the configuration names takes the place of what the metadata says.
    let endpoint = |named: &Option<Url>, name: &str, text: &Option<String>| match (named, text) {
        (Some(url), _) => Ok(Some(url.clone())),
        (None, Some(text)) => secure(name, text).map(Some),
        (None, None) => Ok(None),
    };
    let token =
        document.token_endpoint().ok_or_else(|| fault(settings, "it names no token_endpoint"))?;
    let authorization = document.authorization_endpoint().as_str();
    let pushed = endpoint(
        &named.pushed_authorization_request,
        "pushed_authorization_request_endpoint",
        &extra.pushed_authorization_request_endpoint,
    )?;
    Ok(Metadata {
        authorization: secure("authorization_endpoint", authorization)?,
        token: secure("token_endpoint", token.as_str())?,
        revocation: endpoint(&named.revocation, "revocation_endpoint", &extra.revocation_endpoint)?,
        end_session: endpoint(
            &named.end_session,
            "end_session_endpoint",
            &extra.end_session_endpoint,
        )?,
        device: endpoint(
            &named.device_authorization,
            "device_authorization_endpoint",
            &extra.device_authorization_endpoint,
        )?,
        userinfo: document.userinfo_endpoint().map(|url| url.url().clone()).filter(is_secure),
        registration: document.registration_endpoint().map(|it| it.url().clone()).filter(is_secure),
        keys: secure("jwks_uri", document.jwks_uri().as_str())?,
        pushed: Pushed::of(pushed, extra, settings)?,
        dpop: Dpop::of(extra),
        exchange: TokenExchange::of(&document),
        iss: extra.iss_parameter(),
    })
}

/// Reads a document of the issuer that is meant, which offers PKCE if it says anything about that.
fn read(document: Value, settings: &ProviderSettings) -> Result<Document, Failure> {
    let Some(issuer) = document.get("issuer").and_then(Value::as_str) else {
        return Err(fault(settings, "its metadata names no issuer"));
    };
    if issuer != settings.issuer.as_str() {
        let shown = printable(issuer);
        return Err(fault(settings, &format!("its metadata names another issuer, {shown:?}")));
    }
    check_endpoints(&document, settings)?;
    let document: Document = serde_json::from_value(document)
        .map_err(|error| fault(settings, &format!("its metadata is incomplete: {error}")))?;
    let methods = document.additional_metadata().code_challenge_methods_supported.as_ref();
    if methods.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
        return Err(fault(settings, "it does not support PKCE with S256"));
    }
    Ok(document)
}

/// The endpoints that no sign-in can do without are there. A parser would say it in its own words.
fn check_endpoints(document: &Value, settings: &ProviderSettings) -> Result<(), Failure> {
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        let Some(address) = document.get(name).filter(|value| !value.is_null()) else {
            return Err(fault(settings, &format!("its metadata names no {name}")));
        };
        if address.as_str().is_none_or(|text| Url::parse(text).is_err()) {
            return Err(fault(settings, &format!("its {name} is no address")));
        }
    }
    Ok(())
}

/// An address that tokens and people may be sent to.
fn secure(settings: &ProviderSettings, name: &str, text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text).ok().filter(is_secure);
    url.ok_or_else(|| fault(settings, &format!("its {name} is not an https address")))
}

impl Extra {
    const fn iss_parameter(&self) -> IssParameter {
        if self.authorization_response_iss_parameter_supported {
            IssParameter::Announced
        } else {
            IssParameter::Unannounced
        }
    }
}

impl Pushed {
    fn of(at: Option<Url>, extra: &Extra, settings: &ProviderSettings) -> Result<Self, Failure> {
        match (at, extra.require_pushed_authorization_requests) {
            (Some(url), true) => Ok(Self::Required(url)),
            (Some(url), false) => Ok(Self::Offered(url)),
            (None, true) => {
                let what = "it requires pushed authorization requests, and does not say where";
                Err(fault(settings, what))
            }
            (None, false) => Ok(Self::NotOffered),
        }
    }
}

impl Dpop {
    fn of(extra: &Extra) -> Self {
        if extra.dpop_signing_alg_values_supported.iter().any(|alg| alg == "ES256") {
            Self::Announced
        } else {
            Self::Unannounced
        }
    }
}

impl TokenExchange {
    fn of(document: &Document) -> Self {
        let exchange = CoreGrantType::Extension(TOKEN_EXCHANGE.to_owned());
        match document.grant_types_supported() {
            Some(grants) if grants.contains(&exchange) => Self::Announced,
            _ => Self::Unannounced,
        }
    }
}

pub(super) fn fault(settings: &ProviderSettings, what: &str) -> Failure {
    let message = format!("provider {} cannot be used: {what}", settings.name);
    Failure::new(
        Code::ProviderError,
        message,
        "check issuer in the configuration: it must be letter for letter what the provider says",
    )
}

/// Reads metadata that somebody made up.
///
/// # Panics
/// Where an address is taken from it that no token may go to.
#[cfg(feature = "fuzzing")]
#[expect(clippy::panic, reason = "that is how a fuzz target tells what it found")]
pub fn fuzz(bytes: &[u8]) {
    const ISSUER: &str = "[provider.a]\nissuer = \"https://a.example\"\nclient_id = \"c\"\n";
    let Ok(mut document) = serde_json::from_slice::<Value>(bytes) else { return };
    if let Some(members) = document.as_object_mut() {
        members.insert("issuer".to_owned(), "https://a.example".into());
    }
    let Ok(settings) = crate::config::load_text(std::path::Path::new("config.toml"), ISSUER) else {
        return;
    };
    let Some(settings) = settings.providers.values().next() else { return };
    if let Ok(metadata) = check(document, settings)
        && !(is_secure(&metadata.token) && is_secure(&metadata.authorization))
    {
        panic!("an address in the clear");
    }
}
