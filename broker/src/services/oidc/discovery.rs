//! What a provider tells about itself: metadata and keys, asked for once, remembered for a while.

use std::sync::Arc;

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

use super::cached::Cached;
use super::error::{printable, retry_after};
use super::http::Http;
use super::keys::{Allowance, Keys};
use crate::config::ProviderSettings;
use crate::platform::clock;

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

/// Metadata and keys, each fetched by the first who needs it; the others wait for that fetch.
#[derive(Debug, Default)]
pub(super) struct Discovery {
    metadata: Cached<Metadata>,
    keys: Cached<Keys>,
    newer_keys: Allowance,
}

impl Discovery {
    pub(super) async fn metadata(
        &self,
        http: &Http,
        settings: &ProviderSettings,
    ) -> Result<Arc<Metadata>, Failure> {
        self.metadata.get(fetch_metadata(http, settings)).await
    }

    /// The keys that ID tokens are signed with.
    pub(super) async fn keys(
        &self,
        http: &Http,
        metadata: &Metadata,
    ) -> Result<Arc<Keys>, Failure> {
        self.keys.get(fetch_keys(http, &metadata.keys)).await
    }

    /// The keys again, because one was not among them: the provider may have rotated. They may be
    /// the old ones, where that was asked too often.
    pub(super) async fn newer_keys(
        &self,
        http: &Http,
        metadata: &Metadata,
    ) -> Result<Arc<Keys>, Failure> {
        if self.newer_keys.take(clock::now().boot) {
            self.keys.newer(fetch_keys(http, &metadata.keys)).await
        } else {
            self.keys(http, metadata).await
        }
    }
}

async fn fetch_metadata(http: &Http, settings: &ProviderSettings) -> Result<Metadata, Failure> {
    check(fetch_document(http, settings).await?, settings)
}

/// The provider's metadata as it stands there: of both documents, where there are two.
pub(super) async fn fetch_document(
    http: &Http,
    settings: &ProviderSettings,
) -> Result<Value, Failure> {
    let issuer = settings.issuer.as_str();
    let first = fetch_json(
        http,
        &format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')),
    )
    .await;
    let second = match &first {
        Ok(document) if document.get("revocation_endpoint").is_some() => None,
        Err(failure) if failure.code != Code::ProviderError => return Err(failure.clone()),
        _ => oauth_document(http, issuer).await,
    };
    match (first, second) {
        (Ok(first), second) => Ok(merged(first, second)),
        (Err(_), Some(second)) => Ok(merged(second, Some(openid_defaults()))),
        (Err(failure), None) => Err(fault(settings, &failure.message)),
    }
}

/// What OpenID Connect Discovery §3 requires and RFC 8414 does not know: the values that every
/// provider must support.
fn openid_defaults() -> Value {
    serde_json::json!({
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

/// The RFC 8414 document, where there is one for this issuer. Some providers name endpoints only
/// there; others answer its address with a page for people, which is as good as nothing.
async fn oauth_document(http: &Http, issuer: &str) -> Option<Value> {
    let mut url = Url::parse(issuer).ok()?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
    let document = fetch_json(http, url.as_str()).await.ok()?;
    (document.get("issuer")?.as_str()? == issuer).then_some(document)
}

/// Adds what the first document leaves out.
fn merged(mut first: Value, second: Option<Value>) -> Value {
    if let (Value::Object(first), Some(Value::Object(second))) = (&mut first, second) {
        for (name, value) in second {
            first.entry(name).or_insert(value);
        }
    }
    first
}

async fn fetch_json(http: &Http, url: &str) -> Result<Value, Failure> {
    let response = http.get(url).await.map_err(|error| error.to_failure())?;
    let status = response.status();
    if status.is_server_error() || status == 429 {
        let message = format!("{url} answers {status}");
        let failure = Failure::new(Code::ProviderUnavailable, message, "try again in a moment");
        return Err(Failure { retry_after: retry_after(&response), ..failure });
    }
    let wrong = |what: String| {
        Failure::new(
            Code::ProviderError,
            format!("{url} {what}"),
            "check issuer in the configuration",
        )
    };
    if status.is_redirection() {
        return Err(wrong("answers with a redirect, which is not followed".into()));
    }
    if !status.is_success() {
        return Err(wrong(format!("answers {status}")));
    }
    let value: Value = serde_json::from_slice(response.body())
        .map_err(|_| wrong("does not answer with JSON".into()))?;
    if value.is_object() { Ok(value) } else { Err(wrong("does not answer with an object".into())) }
}

/// Takes from a document what is needed, if all of it is sound.
pub(super) fn check(document: Value, settings: &ProviderSettings) -> Result<Metadata, Failure> {
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
    let extra = document.additional_metadata();
    if extra
        .code_challenge_methods_supported
        .as_ref()
        .is_some_and(|methods| !methods.iter().any(|m| m == "S256"))
    {
        return Err(fault(settings, "it does not support PKCE with S256"));
    }
    let secure = |name: &str, text: &str| {
        let url = Url::parse(text).ok().filter(is_secure);
        url.ok_or_else(|| fault(settings, &format!("its {name} is not an https address")))
    };
    // What the configuration names takes the place of what the metadata says.
    let endpoint = |named: &Option<Url>, name: &str, text: &Option<String>| match (named, text) {
        (Some(url), _) => Ok(Some(url.clone())),
        (None, Some(text)) => secure(name, text).map(Some),
        (None, None) => Ok(None),
    };
    let pushed = endpoint(
        &settings.endpoints.pushed_authorization_request,
        "pushed_authorization_request_endpoint",
        &extra.pushed_authorization_request_endpoint,
    )?;
    let exchange = CoreGrantType::Extension(TOKEN_EXCHANGE.to_owned());
    let grants = document.grant_types_supported();
    let token =
        document.token_endpoint().ok_or_else(|| fault(settings, "it names no token_endpoint"))?;
    Ok(Metadata {
        authorization: secure(
            "authorization_endpoint",
            document.authorization_endpoint().as_str(),
        )?,
        token: secure("token_endpoint", token.as_str())?,
        revocation: endpoint(
            &settings.endpoints.revocation,
            "revocation_endpoint",
            &extra.revocation_endpoint,
        )?,
        end_session: endpoint(
            &settings.endpoints.end_session,
            "end_session_endpoint",
            &extra.end_session_endpoint,
        )?,
        device: endpoint(
            &settings.endpoints.device_authorization,
            "device_authorization_endpoint",
            &extra.device_authorization_endpoint,
        )?,
        userinfo: document.userinfo_endpoint().map(|url| url.url().clone()).filter(is_secure),
        registration: document
            .registration_endpoint()
            .map(|url| url.url().clone())
            .filter(is_secure),
        keys: secure("jwks_uri", document.jwks_uri().as_str())?,
        pushed: match (pushed, extra.require_pushed_authorization_requests) {
            (Some(url), true) => Pushed::Required(url),
            (Some(url), false) => Pushed::Offered(url),
            (None, true) => {
                return Err(fault(
                    settings,
                    "it requires pushed authorization requests, and does not say where",
                ));
            }
            (None, false) => Pushed::NotOffered,
        },
        dpop: if extra.dpop_signing_alg_values_supported.iter().any(|alg| alg == "ES256") {
            Dpop::Announced
        } else {
            Dpop::Unannounced
        },
        exchange: if grants.is_some_and(|grants| grants.contains(&exchange)) {
            TokenExchange::Announced
        } else {
            TokenExchange::Unannounced
        },
        iss: if extra.authorization_response_iss_parameter_supported {
            IssParameter::Announced
        } else {
            IssParameter::Unannounced
        },
    })
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

async fn fetch_keys(http: &Http, url: &Url) -> Result<Keys, Failure> {
    let document = fetch_json(http, url.as_str()).await?;
    Keys::read(&document).ok_or_else(|| {
        Failure::new(
            Code::ProviderError,
            format!("{url} does not answer with keys"),
            "brokerctl status",
        )
    })
}

fn fault(settings: &ProviderSettings, what: &str) -> Failure {
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
