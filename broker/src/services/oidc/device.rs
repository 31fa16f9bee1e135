//! A sign-in with a code that a person types in, on whatever device has a browser (RFC 8628).
//!
//! 1. The provider gives two codes: one for us, and a short one for the person (§3.1).
//! 2. The person is told the short one and where to type it (§3.3).
//! 3. We ask with ours, until there is a verdict (§3.4). How often is for the core to say.

use authbroker_core::failure::{Code, Failure};
use authbroker_core::issuer::is_secure;
use authbroker_core::secret::Secret;
use authbroker_core::sign_in::device::{Heard, Pace};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::answer::seconds;
use super::authorize::Authorization;
use super::error::TokenError;
use super::exchange::SignedIn;
use super::http::HttpError;
use super::id_token::Occasion;
use super::request::Form;
use super::{Metadata, Oidc};

/// The grant type of a poll (§3.4).
pub(super) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The longest code that a person is asked to type. Real ones have nine characters.
const LONGEST_CODE: usize = 64;

/// What a person is to type, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The code.
    pub user_code: String,
    /// The page to type it in.
    pub page: Url,
    /// The same page with the code in it already, where there is one.
    pub complete: Option<Url>,
}

/// A device sign-in that has begun.
#[derive(Debug)]
pub struct Device {
    /// What to show.
    pub prompt: Prompt,
    /// How often to ask, and for how long.
    pub pace: Pace,
    code: Secret,
}

/// What a poll brought.
#[derive(Debug)]
pub enum Polled {
    /// No verdict yet.
    Waits(Heard),
    /// Somebody signed in.
    SignedIn(Box<SignedIn>),
}

/// The answer as it comes. Numbers come in quotes, too, and one large provider has a word of its
/// own for the page's address.
#[derive(Deserialize)]
struct Answer {
    device_code: String,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    #[serde(alias = "verification_url_complete")]
    verification_uri_complete: Option<String>,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    interval: Value,
}

impl Oidc {
    /// Asks the provider for the two codes.
    pub async fn begin_device(
        &self,
        metadata: &Metadata,
        authorization: &Authorization,
    ) -> Result<Device, Failure> {
        let endpoint = metadata.device.as_ref().ok_or_else(|| self.no_device())?;
        let (scope, optional) = (authorization.scopes.to_string(), authorization.optional());
        let mut form: Form<'_> = vec![("scope", &scope)];
        form.extend(self.targets(&authorization.resources));
        form.extend(optional.iter().map(|(name, value)| (*name, value.as_str())));
        let more = self.settings().authorize.iter();
        form.extend(more.map(|(name, value)| (name.as_str(), value.as_str())));
        let response = self.post(endpoint, &form, None).await;
        let response = response.map_err(|error| error.to_failure())?;
        read(response.body()).map_err(|what| TokenError::Unusable(what.to_owned()).to_failure())
    }

    /// Asks once whether the person has come. A failure is the verdict: there is nothing more to
    /// ask then.
    pub async fn poll_device(
        &self,
        metadata: &Metadata,
        authorization: &Authorization,
        device: &Device,
    ) -> Result<Polled, Failure> {
        let form = vec![("grant_type", DEVICE_CODE), ("device_code", device.code.expose())];
        let answer = match self.redeem(metadata, authorization, form).await {
            Ok(answer) => answer,
            Err(error) => return no_verdict(&error).map(Polled::Waits).ok_or_else(|| told(&error)),
        };
        let occasion = Occasion::SignIn {
            nonce: None,
            acr_values: &authorization.acr_values,
            max_age: authorization.max_age,
        };
        let signed_in = self.signed_in(metadata, authorization, answer, &occasion).await?;
        Ok(Polled::SignedIn(Box::new(signed_in)))
    }

    pub(super) fn no_device(&self) -> Failure {
        let name = &self.settings().name;
        let message = format!("provider {name} does not say where a device sign-in begins");
        let hint = format!(
            "sign in with a browser: brokerctl login {name}; or set endpoints.device_authorization \
             in the configuration"
        );
        Failure::new(Code::NotSupported, message, hint)
    }
}

/// What an answer without tokens says about the wait, if it is to go on (§3.5).
fn no_verdict(error: &TokenError) -> Option<Heard> {
    match error {
        TokenError::Refused { error, .. } => match error.as_str() {
            "authorization_pending" => Some(Heard::Pending),
            "slow_down" => Some(Heard::SlowDown),
            _ => None,
        },
        TokenError::Unavailable { retry_after, .. } => {
            Some(Heard::Nothing { retry_after: *retry_after })
        }
        TokenError::Http(HttpError::Connect(_) | HttpError::Broken(_) | HttpError::Slow(_)) => {
            Some(Heard::Nothing { retry_after: None })
        }
        _ => None,
    }
}

/// A verdict against us, in a caller's words.
fn told(error: &TokenError) -> Failure {
    let mut failure = error.to_failure();
    let (code, hint) = match failure.oauth_error.as_deref() {
        Some("access_denied") => {
            (Code::UserDenied, "sign in again and agree, if that was not meant")
        }
        Some("expired_token") => (Code::TimedOut, "sign in again, with a new code"),
        _ => return failure,
    };
    (failure.code, failure.hint) = (code, hint.to_owned());
    failure
}

fn read(body: &[u8]) -> Result<Device, &'static str> {
    let answer = serde_json::from_slice::<Answer>(body);
    let answer = answer.map_err(|_| "it lacks a code or an address for the device sign-in")?;
    let user_code = typeable(&answer.user_code);
    if user_code.is_empty() || answer.device_code.is_empty() {
        return Err("its codes are empty");
    }
    if user_code.chars().count() > LONGEST_CODE {
        return Err("its user_code is longer than anybody would type");
    }
    let page = web_page(&answer.verification_uri);
    let complete = answer.verification_uri_complete.as_deref().and_then(web_page);
    Ok(Device {
        prompt: Prompt {
            user_code,
            page: page.ok_or("its verification_uri is not an https address")?,
            complete,
        },
        pace: Pace { interval: seconds(&answer.interval), life: seconds(&answer.expires_in) },
        code: Secret::new(answer.device_code),
    })
}

/// The code without what cannot be typed, and what would mislead the one who reads it.
fn typeable(code: &str) -> String {
    let seen = |c: &char| c.is_alphanumeric() || c.is_ascii_graphic() || *c == ' ';
    code.chars().filter(seen).collect::<String>().trim().to_owned()
}

/// An address that a person may be sent to: under the same rule as any endpoint, and without a name
/// before the host that could be taken for it.
fn web_page(text: &str) -> Option<Url> {
    let plain = |url: &Url| url.username().is_empty() && url.password().is_none();
    Url::parse(text).ok().filter(|url| is_secure(url) && plain(url))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answered(members: &str) -> Result<Device, &'static str> {
        read(format!("{{\"device_code\":\"d\",{members}}}").as_bytes())
    }

    const USUAL: &str = "\"user_code\":\"WDJB-MJHT\",\"verification_uri\":\"https://a.example/d\"";

    #[test]
    fn the_least_answer_leaves_the_pace_to_us() {
        let device = answered(USUAL).unwrap();
        let page = Url::parse("https://a.example/d").unwrap();
        let user_code = "WDJB-MJHT".to_owned();
        assert_eq!(device.prompt, Prompt { user_code, page, complete: None });
        assert_eq!(device.pace, Pace::default());
    }

    #[test]
    fn numbers_may_come_in_quotes_and_nonsense_counts_as_unsaid() {
        let pace = |members: &str| answered(&format!("{USUAL},{members}")).unwrap().pace;
        let seconds = |count| Some(Duration::from_secs(count));
        let both = Pace { interval: seconds(7), life: seconds(900) };
        assert_eq!(pace("\"interval\":7,\"expires_in\":\"900\""), both);
        assert_eq!(pace("\"interval\":-1,\"expires_in\":null"), Pace::default());
    }

    #[test]
    fn a_code_is_shown_without_what_would_mislead() {
        let code = |text: &str| {
            let body = serde_json::json!({
                "device_code": "d", "user_code": text, "verification_uri": "https://a.example"
            });
            read(body.to_string().as_bytes()).map(|device| device.prompt.user_code)
        };
        assert_eq!(code("\u{1b}[2JWDJB\r\n-MJ\u{202e}HT\u{7}").unwrap(), "[2JWDJB-MJHT");
        assert_eq!(code("привет 12").unwrap(), "привет 12");
        assert!(code(&"x".repeat(LONGEST_CODE)).is_ok());
        assert!(code(&"x".repeat(LONGEST_CODE + 1)).is_err());
        assert!(code("\u{200b}\n").is_err());
    }

    #[test]
    fn only_a_web_page_is_shown_to_a_person() {
        let page = |uri: &str| {
            answered(&format!("\"user_code\":\"A\",\"verification_uri\":\"{uri}\"")).is_ok()
        };
        for good in ["https://a.example/device", "http://127.0.0.1:1/device", "http://[::1]/"] {
            assert!(page(good), "{good}");
        }
        for bad in [
            "http://a.example/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://bank.example@evil.example/",
            "-x",
            "",
        ] {
            assert!(!page(bad), "{bad}");
        }
    }

    #[test]
    fn a_complete_address_that_is_none_is_left_out() {
        let complete = |uri: &str| {
            let members = format!("{USUAL},\"verification_uri_complete\":\"{uri}\"");
            answered(&members).unwrap().prompt.complete
        };
        assert_eq!(complete("javascript:alert(1)"), None);
        assert!(complete("https://a.example/d?user_code=WDJB-MJHT").is_some());
    }

    #[test]
    fn another_word_for_the_page_is_understood() {
        let device =
            answered("\"user_code\":\"A\",\"verification_url\":\"https://a.example/\"").unwrap();
        assert_eq!(device.prompt.page.as_str(), "https://a.example/");
    }
}
