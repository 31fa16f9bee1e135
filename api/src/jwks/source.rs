//! One fetch of the issuer's keys, from its metadata to the parsed set.
//!
//! 1. The metadata: OpenID Connect Discovery first, RFC 8414 where the issuer has none. Its
//!    `issuer` must be the configured one, letter for letter.
//! 2. The keys, from the metadata's `jwks_uri`.
//! 3. How long they may be kept, from the answer's `Cache-Control`.
//!
//! Every fetch starts from the metadata, so keys that have moved are found again. The issuer is
//! trusted to name its keys, not to be quick or brief: redirects are not followed, an answer is at
//! most [`MAX_BODY`], and all of it together takes at most [`DEADLINE`].

use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use url::Url;

use super::keys::{InvalidKeySet, KeySet};
use crate::issuer::Issuer;

/// For metadata and keys together: callers wait for it, and their patience is short.
const DEADLINE: Duration = Duration::from_secs(5);

/// Bytes. Real documents have a few thousand.
const MAX_BODY: usize = 1024 * 1024;

/// The issuer, as somewhere to fetch keys from.
#[derive(Debug)]
pub(super) struct Source {
    issuer: Issuer,
    client: Client,
}

/// What one fetch brought.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    /// The issuer's own word on how long they hold, if it gave one.
    pub(super) max_age: Option<Duration>,
}

/// The two members of the metadata that matter here.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: Url,
}

impl Source {
    pub(super) fn new(issuer: Issuer) -> Result<Self, reqwest::Error> {
        let builder = Client::builder().redirect(Policy::none()).timeout(DEADLINE);
        // An issuer of this machine needs neither proxy nor roots, and a bare machine has none.
        let builder =
            if issuer.is_local() { builder.no_proxy().tls_certs_only([]) } else { builder };
        Ok(Self { issuer, client: builder.build()? })
    }

    pub(super) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    pub(super) async fn fetch(&self) -> Result<Fetched, FetchError> {
        tokio::time::timeout(DEADLINE, self.fetch_unhurried())
            .await
            .unwrap_or(Err(FetchError::TooSlow))
    }

    async fn fetch_unhurried(&self) -> Result<Fetched, FetchError> {
        let metadata = self.metadata().await?;
        if metadata.issuer != self.issuer.as_str() {
            return Err(FetchError::OtherIssuer);
        }
        if !self.issuer.may_publish_at(&metadata.jwks_uri) {
            return Err(FetchError::InsecureKeys);
        }
        let answer = self.get(metadata.jwks_uri).await?;
        let max_age = max_age(answer.headers());
        let keys = KeySet::parse(self.issuer.clone(), &body(answer).await?)?;
        Ok(Fetched { keys, max_age })
    }

    async fn metadata(&self) -> Result<Metadata, FetchError> {
        let [openid, oauth] = self.issuer.metadata_urls();
        let answer = match self.get(openid).await {
            Err(FetchError::Status(StatusCode::NOT_FOUND)) => self.get(oauth).await?,
            answer => answer?,
        };
        serde_json::from_slice(&body(answer).await?).map_err(FetchError::NotMetadata)
    }

    async fn get(&self, url: Url) -> Result<Response, FetchError> {
        let answer = self.client.get(url).send().await?;
        match answer.status() {
            StatusCode::OK => Ok(answer),
            status => Err(FetchError::Status(status)),
        }
    }
}

/// Reads the body in pieces, so that one without end is dropped and not collected.
async fn body(mut answer: Response) -> Result<Vec<u8>, FetchError> {
    let mut collected = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if collected.len() + chunk.len() > MAX_BODY {
            return Err(FetchError::TooLarge);
        }
        collected.extend_from_slice(&chunk);
    }
    Ok(collected)
}

/// The freshness that `Cache-Control` grants ([RFC 9111 §5.2.2]): none at all for an answer that
/// must not be stored or must be asked for again.
///
/// [RFC 9111 §5.2.2]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let directives = headers.get_all(CACHE_CONTROL).iter();
    directives
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(granted)
        .min()
}

fn granted(directive: &str) -> Option<Duration> {
    let (name, value) = directive.trim().split_once('=').unwrap_or((directive.trim(), ""));
    match name.to_ascii_lowercase().as_str() {
        "no-store" | "no-cache" => Some(Duration::ZERO),
        "max-age" => value.trim_matches('"').parse().ok().map(Duration::from_secs),
        _ => None,
    }
}

/// Why a fetch brought no keys. Those already known stay in use, and the fetch is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the issuer cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    #[error("the issuer took longer than {} s", DEADLINE.as_secs())]
    TooSlow,
    #[error("the issuer answered {0}")]
    Status(StatusCode),
    #[error("the issuer's answer is larger than {MAX_BODY} bytes")]
    TooLarge,
    #[error("the issuer's metadata cannot be read")]
    NotMetadata(#[source] serde_json::Error),
    #[error("the metadata is that of another issuer")]
    OtherIssuer,
    #[error("the metadata names keys at an address that is not https")]
    InsecureKeys,
    #[error("the issuer's keys cannot be used")]
    Keys(#[from] InvalidKeySet),
}
