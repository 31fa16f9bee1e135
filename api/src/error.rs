//! What a refused request gets: a status, a JSON body and, where it could do better, a challenge.
//!
//! 1. A [`Refusal`] says whose fault it is. One table here gives its status and its OAuth error
//!    code; RFC 6750 §3.1 and RFC 9449 §7.1 have the pairs.
//! 2. A [`Rejection`] is a refusal on its way out, with what its challenges need to know.
//! 3. `as_json` gives the same form to the errors that the framework makes.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::header::{HeaderValue, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Json};
use metrics::counter;
use serde_json::json;

use crate::auth::{Scheme, StepUp};
use crate::challenge::Challenges;
use crate::claims::Scope;
use crate::dpop::{InvalidProof, NONCE_HEADER, StoreUnavailable};
use crate::introspection;
use crate::jwks::Unavailable;
use crate::observe::REFUSALS;
use crate::verify::Invalid;

/// Why a request to a protected route is not served.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It carries no credentials that this API reads: 401 without an error code.
    #[error("no bearer token")]
    NoCredentials,
    /// It carries more than one, and which of them counts is not ours to guess: 400.
    #[error("more than one credential")]
    TwoCredentials,
    /// Its token is not good: 401. The reason is for our log alone.
    #[error("the token is refused")]
    InvalidToken(#[from] Invalid),
    /// Its proof of the token's key is not good: 401.
    #[error("the proof is refused")]
    InvalidProof(#[from] InvalidProof),
    /// Its proof must answer this nonce: 401, and the client tries again.
    #[error("the proof has no fresh nonce")]
    UseNonce(HeaderValue),
    /// Its token is good but was not granted this scope: 403.
    #[error("the scope {0} is missing")]
    InsufficientScope(Scope),
    /// Its token is good, but the sign-in behind it is too old or too weak: 401.
    #[error("the sign-in is too old or too weak")]
    StepUp(StepUp),
    /// The issuer's keys are not there, so no token can be judged: 503, and when to try again.
    #[error("the token cannot be judged")]
    KeysUnavailable(#[from] Unavailable),
    /// The issuer was to be asked about its token and does not answer: 503.
    #[error("the issuer cannot be asked about the token")]
    IntrospectionUnavailable,
    /// Whether its proof was used before cannot be told now: 503.
    #[error("the proof cannot be judged")]
    StoreUnavailable(#[from] StoreUnavailable),
}

/// An error code and its description: RFC 6750 §3.1, RFC 9449 §7.1 and §9, RFC 9470 §3.
type Code = (&'static str, String);

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::TwoCredentials => StatusCode::BAD_REQUEST,
            Self::NoCredentials
            | Self::InvalidToken(_)
            | Self::InvalidProof(_)
            | Self::UseNonce(_)
            | Self::StepUp(_) => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::KeysUnavailable(_)
            | Self::IntrospectionUnavailable
            | Self::StoreUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The error that a challenge names, where it names one.
    fn oauth_error(&self) -> Option<Code> {
        let (code, description) = match self {
            Self::TwoCredentials => ("invalid_request", "The request has more than one credential"),
            Self::InvalidToken(_) => {
                ("invalid_token", "The access token is not valid here or has expired")
            }
            Self::InvalidProof(reason) => return Some(("invalid_dpop_proof", reason.to_string())),
            Self::UseNonce(_) => ("use_dpop_nonce", "The proof must have the nonce of this answer"),
            Self::InsufficientScope(_) => ("insufficient_scope", "The access token lacks a scope"),
            Self::StepUp(_) => {
                ("insufficient_user_authentication", "A newer or stronger sign-in is needed")
            }
            Self::NoCredentials
            | Self::KeysUnavailable(_)
            | Self::IntrospectionUnavailable
            | Self::StoreUnavailable(_) => return None,
        };
        Some((code, description.to_owned()))
    }

    /// The same for the body, which always has a code.
    fn body(&self) -> Code {
        self.oauth_error().unwrap_or_else(|| match self {
            Self::NoCredentials => ("unauthorized", "An access token is needed".to_owned()),
            _ => ("temporarily_unavailable", "Tokens cannot be checked now".to_owned()),
        })
    }

    /// What a challenge says about it.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let error = self.oauth_error().map(|(code, description)| {
            [("error", code.to_owned()), ("error_description", description)]
        });
        let wanted = match self {
            Self::InsufficientScope(scope) => vec![("scope", scope.to_string())],
            Self::StepUp(wanted) => wanted.parameters(),
            _ => Vec::new(),
        };
        error.into_iter().flatten().chain(wanted).collect()
    }

    /// Whether the client may try another scheme, so that all of them should be named.
    pub(crate) fn may_be_cured_by_another_scheme(&self) -> bool {
        matches!(self, Self::NoCredentials | Self::TwoCredentials | Self::InvalidToken(_))
    }

    /// When to try again, if trying again is all that helps.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysUnavailable(Unavailable { retry_after }) => Some(*retry_after),
            Self::IntrospectionUnavailable => Some(introspection::PAUSE),
            Self::StoreUnavailable(_) => Some(STORE_PAUSE),
            _ => None,
        }
    }
}

/// Given to clients while the store of used proofs does not answer.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// A [`Refusal`] as a response.
#[derive(Debug)]
pub struct Rejection {
    refusal: Refusal,
    used: Option<Scheme>,
    challenges: Arc<Challenges>,
}

impl Rejection {
    pub(crate) fn new(refusal: Refusal, used: Option<Scheme>, challenges: Arc<Challenges>) -> Self {
        Self { refusal, used, challenges }
    }

    /// Why.
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        tracing::debug!(reason = chain(&self.refusal), "refused");
        let (code, description) = self.refusal.body();
        counter!(REFUSALS, "error" => code).increment(1);
        let mut response = error(self.refusal.status(), code, &description);
        let headers = response.headers_mut();
        if let Some(pause) = self.refusal.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(pause.as_secs()));
        } else {
            for challenge in self.challenges.of(&self.refusal, self.used) {
                headers.append(WWW_AUTHENTICATE, challenge);
            }
        }
        if let Refusal::UseNonce(nonce) = self.refusal {
            headers.insert(NONCE_HEADER, nonce);
        }
        response
    }
}

/// An error response: JSON, and never to be stored.
fn error(status: StatusCode, code: &str, description: &str) -> Response {
    let body = Json(json!({ "error": code, "error_description": description }));
    (status, [(CACHE_CONTROL, "no-store")], body).into_response()
}

/// Turns an error that is not JSON yet into one, and keeps its headers (`Allow` with a 405).
pub(crate) fn as_json<B>(response: Response<B>) -> Response
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let status = response.status();
    let fails = status.is_client_error() || status.is_server_error();
    if !fails || is_json(response.headers()) {
        return response.map(Body::new);
    }
    let reason = status.canonical_reason().unwrap_or("Error");
    let code = reason.to_ascii_lowercase().replace(' ', "_");
    let mut as_json = error(status, &code, reason);
    for (name, value) in response.headers() {
        if name != CONTENT_TYPE && name != CONTENT_LENGTH {
            as_json.headers_mut().append(name, value.clone());
        }
    }
    as_json
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json")
}

/// An error and all its causes, in one line for the log.
pub(crate) fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
