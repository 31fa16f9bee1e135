//! Answers to an authorization request that are not what was asked for.

use super::Effect::Redirect;
use super::STRANGER;
use crate::authorize::answer::Road;

faults! {
    /// The redirect carries a state that nobody sent.
    redirect_wrong_state => Redirect(|answer| answer.set("state", "another-state")),
    /// The redirect carries no state.
    redirect_without_state => Redirect(|answer| answer.remove("state")),
    /// The redirect carries the state twice.
    redirect_state_twice => Redirect(|answer| answer.repeat("state")),
    /// The redirect names another issuer.
    redirect_wrong_iss => Redirect(|answer| answer.set("iss", STRANGER)),
    /// The redirect lacks the announced `iss`.
    redirect_missing_iss => Redirect(|answer| answer.remove("iss")),
    /// The redirect names its issuer twice.
    redirect_iss_twice => Redirect(|answer| answer.repeat("iss")),
    /// The redirect carries the code twice.
    redirect_code_twice => Redirect(|answer| answer.repeat("code")),
    /// The redirect carries neither a code nor an error.
    redirect_empty => Redirect(|answer| answer.remove("code")),
    /// The redirect carries a code and an error.
    redirect_error_and_code => Redirect(|answer| answer.set("error", "access_denied")),
    /// The redirect carries an error whose words are markup and control characters.
    redirect_error_with_markup => Redirect(|answer| {
        answer.remove("code");
        answer.set("error", "<script>alert(1)</script>");
        answer.set("error_description", "\"><img src=x onerror=alert(2)>\u{1b}[31mred\r\nline");
    }),
    /// The redirect carries parameters that nobody knows; nothing else is wrong.
    redirect_unknown_parameters => Redirect(|answer| {
        answer.set("session_state", "x.y");
        answer.set("prompt_frequency", "<b>often</b>");
    }),
    /// The redirect's address has 1 MiB.
    redirect_huge => Redirect(|answer| answer.set("padding", &"x".repeat(1024 * 1024))),
    /// The redirect leads to another path.
    redirect_other_path => Redirect(|answer| answer.take(Road::OtherPath)),
    /// The redirect makes the browser send its form on to the application, with POST.
    redirect_by_post => Redirect(|answer| answer.take(Road::Post)),
    /// There is no redirect: the browser stays where it is.
    redirect_never => Redirect(|answer| answer.take(Road::Nowhere)),
}
