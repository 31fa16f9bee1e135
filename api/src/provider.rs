//! The issuer, as a server that is asked things.
//!
//! It is trusted to speak the truth about its own tokens, not to be quick or brief: redirects are
//! not followed, an answer is at most [`MAX_BODY`], and all that one question takes, the metadata
//! included, is at most [`DEADLINE`].

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::issuer::Issuer;

/// For metadata and question together: callers wait for it, and their patience is short.
const DEADLINE: Duration = Duration::from_secs(5);

/// Bytes. Real documents have a few thousand.
const MAX_BODY: usize = 1024 * 1024;

/// Somewhere to ask.
#[derive(Debug)]
pub(crate) struct Provider {
    issuer: Issuer,
    client: Client,
}

/// What came back with a 200.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// The members of the issuer's metadata that matter here ([RFC 8414 §2]).
///
/// [RFC 8414 §2]: https://www.rfc-editor.org/rfc/rfc8414#section-2
#[derive(Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    pub(crate) jwks_uri: Option<Url>,
    pub(crate) introspection_endpoint: Option<Url>,
}

impl Provider {
    pub(crate) fn new(issuer: Issuer) -> Result<Self, NoClient> {
        let builder = Client::builder().redirect(Policy::none()).timeout(DEADLINE);
        // An issuer of this machine needs neither proxy nor roots, and a bare machine has none.
        let builder =
            if issuer.is_local() { builder.no_proxy().tls_certs_only([]) } else { builder };
        Ok(Self { issuer, client: builder.build()? })
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The issuer's metadata: OpenID Connect Discovery first, RFC 8414 where it has none. Its
    /// `issuer` must be the configured one, letter for letter.
    pub(crate) async fn metadata(&self) -> Result<Metadata, AskError> {
        let [openid, oauth] = self.issuer.metadata_urls();
        let answer = match self.ask(self.client.get(openid)).await {
            Err(AskError::Status(StatusCode::NOT_FOUND)) => {
                self.ask(self.client.get(oauth)).await?
            }
            answer => answer?,
        };
        let metadata: Metadata =
            serde_json::from_slice(&answer.body).map_err(AskError::NotMetadata)?;
        if metadata.issuer == self.issuer.as_str() {
            Ok(metadata)
        } else {
            Err(AskError::OtherIssuer)
        }
    }

    /// Takes an address from the metadata, if one may go there.
    pub(crate) fn endpoint(&self, named: Option<Url>) -> Result<Url, AskError> {
        let url = named.ok_or(AskError::NotThere)?;
        if self.issuer.may_publish_at(&url) { Ok(url) } else { Err(AskError::Insecure) }
    }

    /// Sends a request; anything but a 200 is an error.
    pub(crate) async fn ask(&self, request: RequestBuilder) -> Result<Answer, AskError> {
        let mut answer = request.send().await?;
        if answer.status() != StatusCode::OK {
            return Err(AskError::Status(answer.status()));
        }
        let headers = std::mem::take(answer.headers_mut());
        let mut body = Vec::new();
        // In pieces, so that a body without end is dropped and not collected.
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(AskError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { headers, body })
    }
}

/// Bounds a whole question in time.
pub(crate) async fn in_time<T>(
    question: impl Future<Output = Result<T, AskError>>,
) -> Result<T, AskError> {
    tokio::time::timeout(DEADLINE, question).await.unwrap_or(Err(AskError::TooSlow))
}

/// The HTTP client could not be made, so the issuer could never be asked.
#[derive(Debug, thiserror::Error)]
#[error("cannot make an HTTP client for the issuer (is the package ca-certificates installed?)")]
pub struct NoClient(#[from] reqwest::Error);

/// Why the issuer did not answer a question. It is asked again later.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
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
    #[error("the metadata does not name the address")]
    NotThere,
    #[error("the metadata names an address that is not https")]
    Insecure,
    #[error("the issuer's answer cannot be used")]
    Useless(#[source] Box<dyn std::error::Error + Send + Sync>),
}
