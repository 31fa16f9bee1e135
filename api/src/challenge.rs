//! The `WWW-Authenticate` header: what a refused caller may know, and no more.
//!
//! [RFC 6750 §3] gives the words. A caller without credentials gets no error code (§3.1); one with a
//! bad token learns that it is bad, not why; one who lacks a scope learns which.
//!
//! [RFC 6750 §3]: https://www.rfc-editor.org/rfc/rfc6750#section-3

use axum::http::HeaderValue;

use crate::claims::Audience;
use crate::error::Refusal;

/// The challenge for a bearer token.
pub(crate) fn bearer(realm: &Audience, refusal: &Refusal) -> HeaderValue {
    let mut parameters = vec![format!("realm=\"{realm}\"")];
    if let Some((code, description)) = refusal.oauth_error() {
        parameters.push(format!("error=\"{code}\""));
        parameters.push(format!("error_description=\"{description}\""));
    }
    if let Refusal::InsufficientScope(scope) = refusal {
        parameters.push(format!("scope=\"{scope}\""));
    }
    let challenge = format!("Bearer {}", parameters.join(", "));
    // Audience and Scope hold nothing that a header or a quoted string cannot.
    HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static("Bearer realm=\"api\""))
}
