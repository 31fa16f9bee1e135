//! How a sign-in that failed is told.

use std::time::Duration;

use authbroker_core::failure::{Code, Failure, printable};
use authbroker_core::sign_in::Refusal;

pub(super) fn refused(refusal: &Refusal) -> Failure {
    let error = printable(&refusal.error);
    let (code, hint) = match error.as_str() {
        "access_denied" => (Code::UserDenied, "sign in again and agree, if that was not meant"),
        "invalid_scope" => (Code::InvalidScope, "check scopes in the configuration"),
        "invalid_target" => {
            (Code::InvalidTarget, "check resources and target in the configuration")
        }
        "temporarily_unavailable" | "server_error" => {
            (Code::ProviderUnavailable, "try again in a moment")
        }
        _ => (Code::ProviderError, "check the client's registration at the provider"),
    };
    let detail = refusal
        .description
        .as_deref()
        .map(|text| format!(": {}", printable(text)))
        .unwrap_or_default();
    Failure::new(code, format!("the provider answers {error}{detail}"), hint).oauth_error(error)
}

pub(super) fn broken(what: &str) -> Failure {
    let message = format!("the answer was refused: {what}");
    Failure::new(Code::ProviderError, message, "try again; if it happens again, tell the provider")
}

pub(super) fn timed_out(patience: Duration, strays: u32) -> Failure {
    let seconds = patience.as_secs();
    let mut message = format!("nobody finished the sign-in within {seconds} seconds");
    if strays > 0 {
        message.push_str("; an answer came whose state is not this sign-in's, and was ignored");
    }
    Failure::new(Code::TimedOut, message, "sign in again")
}

pub(super) fn given_up() -> Failure {
    Failure::new(Code::Cancelled, "nobody waited for the sign-in any more", "sign in again")
}

/// The message as a sentence of its own.
pub(super) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
