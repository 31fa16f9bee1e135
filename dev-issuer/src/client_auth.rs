//! Who asks at the token and revocation endpoints (RFC 6749 §2.3, §3.2.1).
//!
//! A public client names itself in the body. A confidential one proves itself either in the
//! `Authorization` header or in the body, never in both.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use crate::error::OAuthError;
use crate::options::{Client, Options};
use crate::params::Params;

pub(crate) fn authenticate<'a>(
    options: &'a Options,
    headers: &HeaderMap,
    form: &Params,
) -> Result<&'a Client, OAuthError> {
    let mut credentials = headers.get_all(header::AUTHORIZATION).iter();
    match (credentials.next(), credentials.next()) {
        (None, _) => by_body(options, form),
        (Some(credentials), None) => {
            by_header(options, credentials, form).map_err(OAuthError::challenged)
        }
        (Some(_), Some(_)) => {
            Err(OAuthError::invalid_request("there is more than one Authorization header"))
        }
    }
}

fn by_body<'a>(options: &'a Options, form: &Params) -> Result<&'a Client, OAuthError> {
    let id = form.get("client_id").ok_or_else(|| OAuthError::invalid_client("who asks?"))?;
    let client = options.client(id).ok_or_else(unknown)?;
    match (&client.secret, form.get("client_secret")) {
        (None, None) => Ok(client),
        (Some(secret), Some(presented)) if secret.matches(presented) => Ok(client),
        (Some(_), Some(_)) => Err(unknown()),
        (None, Some(_)) => Err(OAuthError::invalid_client("a public client has no secret")),
        (Some(_), None) => Err(OAuthError::invalid_client("this client must prove itself")),
    }
}

fn by_header<'a>(
    options: &'a Options,
    credentials: &HeaderValue,
    form: &Params,
) -> Result<&'a Client, OAuthError> {
    if form.get("client_secret").is_some() {
        return Err(OAuthError::invalid_request("the client proves itself in two ways"));
    }
    let (id, presented) = basic(credentials)
        .ok_or_else(|| OAuthError::invalid_client("the Authorization header is not Basic"))?;
    if form.get("client_id").is_some_and(|named| named != id) {
        return Err(OAuthError::invalid_request("header and body name different clients"));
    }
    let client = options.client(&id).ok_or_else(unknown)?;
    match &client.secret {
        Some(secret) if secret.matches(&presented) => Ok(client),
        Some(_) => Err(unknown()),
        None => Err(OAuthError::invalid_client("a public client sends no Authorization header")),
    }
}

/// One answer for an unknown client and for a wrong secret.
fn unknown() -> OAuthError {
    OAuthError::invalid_client("the client is unknown or its secret is wrong")
}

fn basic(credentials: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = credentials.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

/// Undoes the form encoding that §2.3.1 wants inside Basic. What a form would have had to encode,
/// but was not, is refused.
fn form_decoded(part: &str) -> Option<String> {
    if part.contains(['&', '=']) {
        return None;
    }
    let (decoded, _) = form_urlencoded::parse(part.as_bytes()).next()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_of_basic_are_form_decoded() {
        let header = format!("Basic {}", STANDARD.encode("web%20app:%3A%25%2B+%C3%A9"));
        let header = HeaderValue::from_str(&header).ok();
        let parts = header.as_ref().and_then(basic);
        assert_eq!(parts, Some(("web app".to_owned(), ":%+ é".to_owned())));
    }
}
