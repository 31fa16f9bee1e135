//! The messages, and the form in which a caller wants them.
//!
//! Text is the default; a caller whose `Accept` names `application/json`, and likes nothing better,
//! gets an object with one member.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, VARY};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What everybody may read.
pub const PUBLIC: &str = "Everyone in the world can read this message.";

/// What needs a token.
pub const PRIVATE: &str = "Only authenticated users can read this message.";

/// What needs a token behind which there is a sign-in of this moment.
pub const RECENT: &str = "Only users who have just signed in can read this message.";

/// The form in which the caller wants a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The message alone, as `text/plain`.
    Text,
    /// `{"message": …}`.
    Json,
}

impl Form {
    /// Puts a message into this form.
    pub fn of(self, message: &'static str) -> Response {
        let vary = [(VARY, "accept")];
        match self {
            Self::Text => (vary, message).into_response(),
            Self::Json => (vary, Json(json!({ "message": message }))).into_response(),
        }
    }

    fn wanted(headers: &HeaderMap) -> Self {
        let json = quality(headers, "application/json");
        if json > 0.0 && json >= quality(headers, "text/plain") { Self::Json } else { Self::Text }
    }
}

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::wanted(&parts.headers))
    }
}

/// How much the caller likes a media type it names, from 0 to 1 (RFC 9110 §12.4.2); 0 if it does
/// not name it. Ranges such as `*/*` express no wish, so they do not count.
fn quality(headers: &HeaderMap, kind: &str) -> f32 {
    let lists = headers.get_all(ACCEPT).iter().filter_map(|list| list.to_str().ok());
    let mut named = lists.flat_map(|list| list.split(',')).filter_map(|range| {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        name.trim().eq_ignore_ascii_case(kind).then(|| weight(parameters))
    });
    named.next().unwrap_or(0.0)
}

fn weight(parameters: &str) -> f32 {
    let mut weights = parameters.split(';').filter_map(|one| one.trim().strip_prefix("q="));
    weights.next().map_or(1.0, |weight| weight.parse().unwrap_or(0.0))
}
