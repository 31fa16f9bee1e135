//! A token answer, read with care (RFC 6749 §5.1).
//!
//! `openidconnect` knows what is in it. Before, this file evens out what real providers do (an
//! `expires_in` in quotes), and afterwards checks what a parser cannot.

use std::fmt;
use std::time::Duration;

use authbroker_core::authentication::Authentication;
use authbroker_core::resource::Resources;
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use authbroker_core::time::BootTime;
use authbroker_core::token::{AccessToken, TokenType, TokenValue};
use openidconnect::core::CoreTokenResponse;
use openidconnect::{HttpResponse, OAuth2TokenResponse as _};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::error::{TokenError, printable};

/// How long a token counts as valid whose provider does not say.
const UNSAID_LIFETIME: Duration = Duration::from_mins(5);
/// The longest life that is believed.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// What came back, checked but for the ID token.
pub(super) struct Answer {
    pub(super) access: AccessToken,
    pub(super) refresh_token: Option<Secret>,
    /// Unchecked, as it came.
    pub(super) id_token: Option<Secret>,
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

/// Makes the lifetime and the scopes what they should be, and an error in a 200 the error it is.
fn even_out(response: &HttpResponse) -> Result<Map<String, Value>, TokenError> {
    let Members { mut members, repeated } =
        serde_json::from_slice(response.body()).map_err(|_| unusable("it is not JSON"))?;
    if let Some(name) = repeated {
        return Err(unusable(&format!("it says {} twice", printable(&name))));
    }
    members.retain(|_, value| !value.is_null());
    if members.contains_key("error") {
        return Err(TokenError::from_response(response));
    }
    // Less than a second says nothing: no provider issues what is of no use to anybody.
    let said = members.get("expires_in").and_then(seconds).filter(|life| !life.is_zero());
    let lifetime = said.unwrap_or(UNSAID_LIFETIME).min(LONGEST_LIFETIME);
    members.insert("expires_in".to_owned(), lifetime.as_secs().into());
    if let Some(Value::Array(words)) = members.get("scope") {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        members.insert("scope".to_owned(), words.join(" ").into());
    }
    Ok(members)
}

/// A number of seconds, in quotes or not, without its fraction.
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    seconds.map(Duration::from_secs)
}

fn whole(seconds: f64) -> Option<u64> {
    Duration::try_from_secs_f64(seconds).ok().map(|duration| duration.as_secs())
}

/// The members of an answer, and one that is there twice, which RFC 6749 §3.2 forbids.
struct Members {
    members: Map<String, Value>,
    repeated: Option<String>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut read = Members { members: Map::new(), repeated: None };
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if read.members.insert(name.clone(), value).is_some() {
                        read.repeated = Some(name);
                    }
                }
                Ok(read)
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

fn unusable(what: &str) -> TokenError {
    TokenError::Unusable(what.to_owned())
}

fn parse(members: Map<String, Value>) -> Result<CoreTokenResponse, TokenError> {
    for name in ["access_token", "token_type"] {
        if !members.contains_key(name) {
            return Err(unusable(&format!("it has no {name}")));
        }
    }
    // The error itself may quote the answer, tokens included: only the place of the fault is told.
    serde_path_to_error::deserialize(Value::Object(members)).map_err(|error| {
        let place = error.path().to_string();
        TokenError::Unusable(match place.as_str() {
            "." => "a member is missing".to_owned(),
            place => format!("its member {place} is malformed"),
        })
    })
}

/// Takes the tokens out of an answer.
pub(super) fn read(response: &HttpResponse, asked: Asked) -> Result<Answer, TokenError> {
    let mut members = even_out(response)?;
    let id_token = match members.remove("id_token") {
        None => None,
        Some(Value::String(text)) => Some(Secret::new(text)),
        Some(_) => return Err(TokenError::Disbelieved("its ID token is no text".to_owned())),
    };
    let response = parse(members)?;
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
            value: TokenValue::new(access_token.clone()),
            bound_to: asked.bound_to,
            scopes,
            resources: asked.resources,
            authentication: asked.authentication,
            issued: asked.at,
            expires: asked.at.plus(lifetime),
        },
        refresh_token: refresh_token.map(|token| Secret::new(token.clone())),
        id_token,
    })
}

/// Whether a token can stand in a header: visible ASCII, and something at all (RFC 6750 §2.1).
fn is_header_safe(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Reads an answer that somebody made up.
///
/// # Panics
/// Where what is taken from it cannot stand in a header.
#[cfg(feature = "fuzzing")]
#[expect(clippy::panic, reason = "that is how a fuzz target tells what it found")]
pub fn fuzz(bytes: &[u8]) {
    let asked = Asked {
        at: BootTime::default(),
        scopes: ScopeSet::default(),
        resources: Resources::new(),
        bound_to: None,
        authentication: Authentication::default(),
    };
    if let Ok(answer) = read(&HttpResponse::new(bytes.to_vec()), asked)
        && !is_header_safe(answer.access.value.expose())
    {
        panic!("a token that no header can hold");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evened(body: &str) -> Result<Value, TokenError> {
        even_out(&HttpResponse::new(body.as_bytes().to_vec())).map(Value::Object)
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
        assert_eq!(lifetime(",\"expires_in\":60.7"), 60);
        assert_eq!(lifetime(",\"expires_in\":1e300"), 300);
        for nonsense in ["0", "0.5", "-1", "-1.5", "[]", "{}", "null", "\"soon\""] {
            assert_eq!(lifetime(&format!(",\"expires_in\":{nonsense}")), 300, "{nonsense}");
        }
    }

    #[test]
    fn scopes_may_be_a_list() {
        let document = evened("{\"scope\":[\"openid\",\"mail\"]}").unwrap();
        assert_eq!(document["scope"], "openid mail");
    }

    #[test]
    fn a_member_that_is_there_twice_spoils_the_answer() {
        let error = evened("{\"access_token\":\"a\",\"access_token\":\"b\"}").unwrap_err();
        assert!(error.to_failure().message.contains("access_token twice"), "{error:?}");
    }

    #[test]
    fn deep_nesting_is_no_json_and_overflows_no_stack() {
        for deep in ["[".repeat(100_000), "{\"a\":".repeat(100_000)] {
            assert!(matches!(evened(&deep), Err(TokenError::Unusable(_))));
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
