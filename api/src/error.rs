//! What a refused request gets: a status, a JSON body and, where it could do better, a challenge.
//!
//! 1. A [`Refusal`] says whose fault it is. One table here gives its status and its OAuth error
//!    code; RFC 6750 §3.1 has the pairs.
//! 2. A [`Rejection`] is a refusal on its way out, with the realm that its challenge names.
//! 3. `as_json` gives the same form to the errors that the framework makes.

use std::error::Error;

use axum::Json;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::header::{HeaderValue, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::challenge;
use crate::claims::{Audience, Scope};
use crate::jwks::Unavailable;
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
    /// Its token is good but was not granted this scope: 403.
    #[error("the scope {0} is missing")]
    InsufficientScope(Scope),
    /// The issuer's keys are not there, so no token can be judged: 503, and when to try again.
    #[error("the token cannot be judged")]
    KeysUnavailable(#[from] Unavailable),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::TwoCredentials => StatusCode::BAD_REQUEST,
            Self::NoCredentials | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::KeysUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The error code of RFC 6750 §3.1 and its description, where there is one.
    pub(crate) fn oauth_error(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::TwoCredentials => {
                Some(("invalid_request", "The request has more than one credential"))
            }
            Self::InvalidToken(_) => {
                Some(("invalid_token", "The access token is not valid here or has expired"))
            }
            Self::InsufficientScope(_) => {
                Some(("insufficient_scope", "The access token lacks a scope"))
            }
            Self::NoCredentials | Self::KeysUnavailable(_) => None,
        }
    }

    /// The same for the body, which always has a code.
    fn body(&self) -> (&'static str, &'static str) {
        self.oauth_error().unwrap_or(match self {
            Self::KeysUnavailable(_) => ("temporarily_unavailable", "Tokens cannot be checked now"),
            _ => ("unauthorized", "An access token is needed"),
        })
    }
}

/// A [`Refusal`] as a response.
#[derive(Debug)]
pub struct Rejection {
    refusal: Refusal,
    realm: Audience,
}

impl Rejection {
    pub(crate) fn new(refusal: Refusal, realm: Audience) -> Self {
        Self { refusal, realm }
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
        let mut response = error(self.refusal.status(), code, description);
        let (name, value) = match self.refusal {
            Refusal::KeysUnavailable(Unavailable { retry_after }) => {
                (RETRY_AFTER, HeaderValue::from(retry_after.as_secs()))
            }
            refusal => (WWW_AUTHENTICATE, challenge::bearer(&self.realm, &refusal)),
        };
        response.headers_mut().insert(name, value);
        response
    }
}

/// An error response: JSON, and never to be stored.
fn error(status: StatusCode, code: &str, description: &str) -> Response {
    let body = Json(json!({ "error": code, "error_description": description }));
    (status, [(CACHE_CONTROL, "no-store")], body).into_response()
}

/// Turns an error that is not JSON yet into one, and keeps its headers (`Allow` with a 405).
pub(crate) async fn as_json(response: Response) -> Response {
    let status = response.status();
    let fails = status.is_client_error() || status.is_server_error();
    if !fails || is_json(response.headers()) {
        return response;
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
