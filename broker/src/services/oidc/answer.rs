//! A token answer, read with care (RFC 6749 §5.1).
//!
//! `openidconnect` makes the request and reads the answer. In between, this file evens out what
//! real providers do (an `expires_in` in quotes), and afterwards checks what a parser cannot.

use std::time::Duration;

use authbroker_core::resource::Resources;
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use authbroker_core::time::BootTime;
use authbroker_core::token::{AccessToken, TokenType};
use openidconnect::core::{CoreIdToken, CoreTokenResponse, CoreTokenType};
use openidconnect::{HttpRequest, HttpResponse, OAuth2TokenResponse as _, TokenResponse as _};
use serde_json::Value;

use super::error::TokenError;
use super::http::Http;

/// How long a token counts as valid whose provider does not say.
const UNSAID_LIFETIME: Duration = Duration::from_mins(5);
/// The longest life that is believed.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// What came back, checked but for the ID token.
pub(super) struct Answer {
    pub(super) access: AccessToken,
    pub(super) refresh_token: Option<Secret>,
    pub(super) id_token: Option<CoreIdToken>,
}

/// What was asked, to fill in what the answer leaves out.
pub(super) struct Asked {
    pub(super) at: BootTime,
    pub(super) scopes: ScopeSet,
    pub(super) resources: Resources,
}

/// Sends a token request that `openidconnect` has put together, and evens out the answer.
pub(super) async fn send(http: &Http, request: HttpRequest) -> Result<HttpResponse, TokenError> {
    let response = http.send(request).await.map_err(TokenError::Http)?;
    if response.status() != 200 {
        return Err(TokenError::from_response(&response));
    }
    even_out(response)
}

/// Makes `expires_in` the number it should be, and an error in a 200 the error it is.
fn even_out(mut response: HttpResponse) -> Result<HttpResponse, TokenError> {
    let unusable = |what: &str| TokenError::Unusable(what.to_owned());
    let mut document: Value =
        serde_json::from_slice(response.body()).map_err(|_| unusable("it is not JSON"))?;
    let members = document.as_object_mut().ok_or_else(|| unusable("it is not an object"))?;
    if members.contains_key("error") {
        return Err(TokenError::from_response(&response));
    }
    let seconds = match members.remove("expires_in") {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let seconds = seconds.unwrap_or(UNSAID_LIFETIME.as_secs()).min(LONGEST_LIFETIME.as_secs());
    members.insert("expires_in".to_owned(), seconds.into());
    members.retain(|_, value| !value.is_null());
    // The type that it must have; some providers say text/plain.
    response
        .headers_mut()
        .insert("content-type", ::http::HeaderValue::from_static("application/json"));
    *response.body_mut() = serde_json::to_vec(&document).map_err(|_| unusable("it is not JSON"))?;
    Ok(response)
}

/// Takes the tokens out of an answer.
pub(super) fn read(response: &CoreTokenResponse, asked: Asked) -> Result<Answer, TokenError> {
    let unusable = |what: &str| TokenError::Unusable(what.to_owned());
    if !matches!(response.token_type(), CoreTokenType::Bearer) {
        return Err(unusable("its token_type is not Bearer"));
    }
    let access_token = response.access_token().secret();
    let refresh_token = response.refresh_token().map(openidconnect::RefreshToken::secret);
    if !is_header_safe(access_token) || refresh_token.is_some_and(String::is_empty) {
        return Err(unusable("its tokens hold characters that no token may hold"));
    }
    let scopes = match response.scopes() {
        Some(scopes) => ScopeSet::from_words(
            scopes.iter().map(|scope| scope.as_str()).filter(|s| !s.is_empty()),
        )
        .map_err(|_| unusable("its scopes are malformed"))?,
        None => asked.scopes,
    };
    let lifetime = response.expires_in().unwrap_or(UNSAID_LIFETIME);
    Ok(Answer {
        access: AccessToken {
            value: Secret::new(access_token.clone()),
            token_type: TokenType::Bearer,
            scopes,
            resources: asked.resources,
            issued: asked.at,
            expires: asked.at.plus(lifetime),
        },
        refresh_token: refresh_token.map(|token| Secret::new(token.clone())),
        id_token: response.id_token().cloned(),
    })
}

/// Whether a token can stand in a header: visible ASCII, and something at all (RFC 6750 §2.1).
fn is_header_safe(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evened(body: &str) -> Result<Value, TokenError> {
        let response = even_out(HttpResponse::new(body.as_bytes().to_vec()))?;
        Ok(serde_json::from_slice(response.body()).unwrap())
    }

    #[test]
    fn a_lifetime_may_be_missing_quoted_huge_or_nonsense() {
        let lifetime = |member: &str| {
            evened(&format!("{{\"access_token\":\"a\"{member}}}")).unwrap()["expires_in"]
                .as_u64()
                .unwrap()
        };
        assert_eq!(lifetime(""), 300);
        assert_eq!(lifetime(",\"expires_in\":60"), 60);
        assert_eq!(lifetime(",\"expires_in\":\"60\""), 60);
        assert_eq!(lifetime(",\"expires_in\":99999999999999"), 24 * 3600);
        for nonsense in ["-1", "1.5", "[]", "{}", "null", "\"soon\""] {
            assert_eq!(lifetime(&format!(",\"expires_in\":{nonsense}")), 300, "{nonsense}");
        }
    }

    #[test]
    fn an_error_in_a_200_is_an_error() {
        let error = evened("{\"error\":\"invalid_grant\"}").unwrap_err();
        assert!(matches!(error, TokenError::Refused { error, .. } if error == "invalid_grant"));
    }

    #[test]
    fn a_token_with_line_breaks_or_blanks_is_no_token() {
        for bad in ["", "a b", "a\r\nx: y", "ä", "a\0"] {
            assert!(!is_header_safe(bad), "{bad:?}");
        }
        assert!(is_header_safe("eyJ.a-b_c~+/="));
    }
}
