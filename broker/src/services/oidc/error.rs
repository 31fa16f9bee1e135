//! What a failed token request means for the session, and how it is told.

use std::time::Duration;

use authbroker_core::failure::{Code, Failure};
use authbroker_core::lifecycle::{Certainty, Refusal};
use openidconnect::HttpResponse;
use serde::Deserialize;

use super::http::HttpError;

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
    /// It answered something that cannot be understood or believed.
    Unusable(String),
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
        match serde_json::from_slice::<ErrorBody>(response.body()) {
            Ok(body) => Self::Refused {
                error: printable(&body.error),
                description: body.error_description.as_deref().map(printable),
            },
            Err(_) if status.is_redirection() => Self::Unusable(
                "it answers a token request with a redirect, which is not followed".into(),
            ),
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
            Self::Unusable(what) => Failure::new(
                Code::ProviderError,
                format!("the provider's answer cannot be used: {what}"),
                hint,
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
            Self::Unavailable { .. } | Self::Unsent(_) | Self::NoSecret(_) | Self::NotOffered => {
                RefreshVerdict::Unreachable(failure, Certainty::NotActedOn)
            }
            Self::Unusable(_) | Self::Wordless(_) => {
                RefreshVerdict::Unreachable(failure, Certainty::Unknown)
            }
            Self::Http(error) => RefreshVerdict::Unreachable(failure, error.certainty()),
        }
    }
}

fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A server's text made safe for logs and terminals, and no longer than anybody reads.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
