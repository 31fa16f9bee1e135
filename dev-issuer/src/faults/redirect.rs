//! Answers to an authorization request that are not what was asked for.

use super::Effect::Redirect;
use super::STRANGER;

faults! {
    /// The redirect carries a state that nobody sent.
    redirect_wrong_state => Redirect(|answer| answer.set("state", "another-state")),
    /// The redirect names another issuer.
    redirect_wrong_iss => Redirect(|answer| answer.set("iss", STRANGER)),
    /// The redirect lacks the announced `iss`.
    redirect_missing_iss => Redirect(|answer| answer.remove("iss")),
}
