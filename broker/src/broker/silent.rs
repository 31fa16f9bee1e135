//! Why no token could be had without a person, in words about the account that was meant.

use std::time::Duration;

use authbroker_core::account::Account;
use authbroker_core::failure::{Code, Failure, StepUp};
use authbroker_core::request::TokenRequest;
use authbroker_core::token::AccessToken;

/// Names the account's provider in the way out, and how the person must sign in.
pub(super) fn for_account(
    mut failure: Failure,
    account: &Account,
    request: &TokenRequest,
) -> Failure {
    match failure.code {
        Code::InteractionRequired => failure.hint = format!("brokerctl login {}", account.provider),
        Code::StepUpRequired => {
            failure.hint = step_up_hint(account, request);
            let (acr_values, max_age) = (request.acr_values.clone(), request.max_age);
            failure.step_up = Some(Box::new(StepUp { acr_values, max_age }));
        }
        _ => {}
    }
    failure
}

fn step_up_hint(account: &Account, request: &TokenRequest) -> String {
    let mut words = vec!["brokerctl login", account.id.as_str()];
    // An app chose the contexts, and a person may paste the hint into a shell.
    let plain =
        |acr: &&String| acr.chars().all(|c| c.is_ascii_alphanumeric() || ":/._-".contains(c));
    for acr in request.acr_values.iter().filter(plain) {
        words.extend(["--acr", acr]);
    }
    if request.max_age.is_some() {
        words.push("--prompt login");
    }
    words.join(" ")
}

pub(super) fn other_type(access: &AccessToken) -> Failure {
    let message =
        format!("the tokens of this sign-in are of the type {}", access.token_type().as_str());
    Failure::new(Code::InteractionRequired, message, "brokerctl login")
}

pub(super) fn too_slow(limit: Duration) -> Failure {
    let message = format!("the provider did not answer within {} seconds", limit.as_secs());
    Failure::new(Code::ProviderUnavailable, message, "try again in a moment")
}
