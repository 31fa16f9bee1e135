//! A token answer, read with care (RFC 6749 §5.1).
//!
//! `openidconnect` knows what is in it. Before, this file evens out what real providers do (an
//! `expires_in` in quotes), and afterwards checks what a parser cannot.

use std::time::Duration;

use authbroker_core::authentication::Authentication;
use authbroker_core::resource::Resources;
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use authbroker_core::time::BootTime;
use authbroker_core::token::{AccessToken, TokenType};
use openidconnect::core::{CoreIdToken, CoreTokenResponse};
use openidconnect::{HttpResponse, OAuth2TokenResponse as _, TokenResponse as _};
use serde_json::Value;

use super::error::TokenError;

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
    /// The key that went along: then the tokens must be bound to it (RFC 9449 §5).
    pub(super) bound_to: Option<Secret>,
    /// What is known of the sign-in behind them.
    pub(super) authentication: Authentication,
}

/// Makes `expires_in` the number it should be, and an error in a 200 the error it is.
fn even_out(response: &HttpResponse) -> Result<Value, TokenError> {
    let unusable = |what: &str| TokenError::Unusable(what.to_owned());
    let mut document: Value =
        serde_json::from_slice(response.body()).map_err(|_| unusable("it is not JSON"))?;
    let members = document.as_object_mut().ok_or_else(|| unusable("it is not an object"))?;
    if members.contains_key("error") {
        return Err(TokenError::from_response(response));
    }
    let lifetime = members.get("expires_in").and_then(seconds);
    let lifetime = lifetime.unwrap_or(UNSAID_LIFETIME).min(LONGEST_LIFETIME);
    members.insert("expires_in".to_owned(), lifetime.as_secs().into());
    members.retain(|_, value| !value.is_null());
    Ok(document)
}

/// A number of seconds, in quotes or not.
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    seconds.map(Duration::from_secs)
}

fn parse(document: Value) -> Result<CoreTokenResponse, TokenError> {
    // The error itself may quote the answer, tokens included: only the place of the fault is told.
    serde_path_to_error::deserialize(document).map_err(|error| {
        let place = error.path().to_string();
        TokenError::Unusable(match place.as_str() {
            "." => "a member is missing".to_owned(),
            place => format!("its member {place} is malformed"),
        })
    })
}

/// Takes the tokens out of an answer.
pub(super) fn read(response: &HttpResponse, asked: Asked) -> Result<Answer, TokenError> {
    let response = parse(even_out(response)?)?;
    let unusable = |what: &str| TokenError::Unusable(what.to_owned());
    let wanted = if asked.bound_to.is_some() { TokenType::DPoP } else { TokenType::Bearer };
    if TokenType::parse(response.token_type().as_ref()) != Some(wanted) {
        return Err(unusable(&format!("its token_type is not {}", wanted.as_str())));
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
            bound_to: asked.bound_to,
            scopes,
            resources: asked.resources,
            authentication: asked.authentication,
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
        even_out(&HttpResponse::new(body.as_bytes().to_vec()))
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
