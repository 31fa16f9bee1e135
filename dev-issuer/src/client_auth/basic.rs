//! `client_secret_basic` (RFC 6749 §2.3.1): both parts are form-encoded before they are put together.

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

/// The id and the secret in an `Authorization: Basic` header.
pub(super) fn parse(credentials: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = credentials.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

/// Undoes the form encoding. What a form would have had to encode, but was not, is refused.
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
        let parts = header.as_ref().and_then(parse);
        assert_eq!(parts, Some(("web app".to_owned(), ":%+ é".to_owned())));
    }
}
