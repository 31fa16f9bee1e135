//! What a failed token request means for the session, and how it is told.

use std::time::Duration;

pub(super) use authbroker_core::failure::printable;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::lifecycle::{Certainty, Refusal};
use jiff::fmt::rfc2822::DateTimeParser;
use openidconnect::HttpResponse;
use serde::Deserialize;

use super::http::HttpError;
use crate::platform::clock;

/// Why a token request brought no tokens.
#[derive(Debug)]
pub(super) enum TokenError {
    /// The provider's own refusal (RFC 6749 §5.2).
    Refused {
        /// `invalid_grant` and its kin.
        error: String,
        /// Its sentence, without control characters.
        description: Option<String>,
    },
    /// It says that it cannot serve now. It did nothing.
    Unavailable {
        /// What it answered.
        status: u16,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// It answered something that cannot be understood.
    Unusable(String),
    /// It answered with an ID token that is not to be believed. What came along is not used.
    Disbelieved(String),
    /// The keys cannot be had that its ID token is checked with.
    Keyless(Failure),
    /// It answered with a redirect: this is no token endpoint, and did nothing.
    Redirected,
    /// It refused without saying why: no verdict on the refresh token (C83).
    Wordless(u16),
    /// No answer came.
    Http(HttpError),
    /// Our own secret cannot be read.
    NoSecret(String),
    /// The provider does not say that it does this, so it was not asked.
    NotOffered,
    /// Nothing was sent: the metadata could not be had, or the request not be put together.
    Unsent(Failure),
}

/// How a failed refresh counts.
pub(super) enum RefreshVerdict {
    /// An answer: no.
    Refused(Refusal),
    /// No usable answer.
    Unreachable(Failure, Certainty),
}

impl RefreshVerdict {
    /// The same where no refresh token was used: then nothing was ended, and nothing is in doubt.
    pub(super) fn of_the_client(self, error: &TokenError) -> Self {
        match self {
            Self::Refused(Refusal::InvalidGrant) => {
                Self::Refused(Refusal::Other(error.to_failure()))
            }
            other => other,
        }
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
    error_description: Option<String>,
}

impl TokenError {
    /// Reads an answer whose status is not 200.
    pub(super) fn from_response(response: &HttpResponse) -> Self {
        let status = response.status();
        if status.is_server_error() || status == 429 {
            let retry_after = retry_after(response);
            return Self::Unavailable { status: status.as_u16(), retry_after };
        }
        if status.is_redirection() {
            return Self::Redirected;
        }
        match serde_json::from_slice::<ErrorBody>(response.body()) {
            Ok(body) => Self::Refused {
                error: printable(&body.error),
                description: body.error_description.as_deref().map(printable),
            },
            Err(_) => Self::Wordless(status.as_u16()),
        }
    }

    /// The failure that a caller is told.
    pub(super) fn to_failure(&self) -> Failure {
        let hint = "brokerctl status";
        match self {
            Self::Refused { error, description } => {
                let detail =
                    description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
                let code = match error.as_str() {
                    "invalid_scope" => Code::InvalidScope,
                    "invalid_target" => Code::InvalidTarget,
                    "temporarily_unavailable" => Code::ProviderUnavailable,
                    _ => Code::ProviderError,
                };
                Failure::new(code, format!("the provider answers {error}{detail}"), hint)
                    .oauth_error(error)
            }
            Self::Unavailable { status, retry_after } => {
                let failure = Failure::new(
                    Code::ProviderUnavailable,
                    format!("the provider answers {status}"),
                    "try again in a moment",
                );
                match retry_after {
                    Some(pause) => failure.retry_after(*pause),
                    None => failure,
                }
            }
            Self::Unusable(what) | Self::Disbelieved(what) => Failure::new(
                Code::ProviderError,
                format!("the provider's answer cannot be used: {what}"),
                hint,
            ),
            Self::Keyless(failure) => Failure {
                message: format!("the provider's keys cannot be had: {}", failure.message),
                ..failure.clone()
            },
            Self::Redirected => Failure::new(
                Code::ProviderError,
                "the provider answers with a redirect, which is not followed",
                "check issuer in the configuration",
            ),
            Self::Wordless(status) => Failure::new(
                Code::ProviderError,
                format!("the provider answers {status} and gives no reason"),
                hint,
            ),
            Self::Http(error) => error.to_failure(),
            Self::NoSecret(why) => {
                let message = format!("the client secret cannot be read: {why}");
                Failure::new(Code::ConfigInvalid, message, "check client_auth in the configuration")
            }
            Self::NotOffered => Failure::new(
                Code::NotSupported,
                "the provider does not offer this",
                "brokerctl provider check",
            ),
            Self::Unsent(failure) => failure.clone(),
        }
    }

    /// What it means when a refresh fails this way. Only a parsed `invalid_grant` ends a session.
    pub(super) fn refresh_verdict(&self) -> RefreshVerdict {
        let failure = self.to_failure();
        match self {
            Self::Refused { error, .. } => RefreshVerdict::Refused(match error.as_str() {
                "invalid_grant" => Refusal::InvalidGrant,
                "invalid_scope" | "invalid_target" => Refusal::Key(failure),
                _ => Refusal::Other(failure),
            }),
            // It answered, so nothing was lost that a repeat could bring.
            Self::Disbelieved(_) => RefreshVerdict::Refused(Refusal::Other(failure)),
            Self::Unavailable { .. }
            | Self::Redirected
            | Self::Unsent(_)
            | Self::NoSecret(_)
            | Self::NotOffered => RefreshVerdict::Unreachable(failure, Certainty::NotActedOn),
            Self::Unusable(_) | Self::Wordless(_) | Self::Keyless(_) => {
                RefreshVerdict::Unreachable(failure, Certainty::Unknown)
            }
            Self::Http(error) => RefreshVerdict::Unreachable(failure, error.certainty()),
        }
    }
}

/// When a server wants to be asked again: a number of seconds or a date (RFC 9110 §10.2.3).
pub(super) fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let text = response.headers().get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTimeParser::new().parse_timestamp(text).ok()?.as_second();
    let now = clock::now().wall.as_secs();
    Some(Duration::from_secs(u64::try_from(at).unwrap_or(0).saturating_sub(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<Duration> {
        let mut response = HttpResponse::new(Vec::new());
        response.headers_mut().insert("retry-after", text.parse().unwrap());
        retry_after(&response)
    }

    #[test]
    fn a_pause_is_a_number_of_seconds_or_a_date() {
        assert_eq!(asked("120"), Some(Duration::from_mins(2)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let date = jiff::Timestamp::from_second(32_503_680_000).unwrap();
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date);
        assert!(asked(&date.unwrap()) > Some(Duration::from_hours(24)));
        for nonsense in ["", "-1", "soon", "1e3", "99999999999999999999999"] {
            assert_eq!(asked(nonsense), None, "{nonsense}");
        }
    }
}
