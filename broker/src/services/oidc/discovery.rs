//! What a provider tells about itself: metadata and keys, fetched once and remembered for a while.

use std::sync::Arc;

use authbroker_core::failure::{Code, Failure};
use serde_json::Value;
use url::Url;

use super::cached::Cached;
use super::error::retry_after;
use super::http::Http;
use super::keys::{Allowance, Keys};
use super::metadata::{Metadata, check, fault};
use crate::config::ProviderSettings;
use crate::platform::clock;

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
