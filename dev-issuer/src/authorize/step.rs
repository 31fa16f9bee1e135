//! What comes next in a sign-in: one pure function from what is known to what is missing.

use std::collections::BTreeSet;

use crate::authorize::prompt::Prompt;
use crate::authorize::request::AuthorizationRequest;
use crate::browser::Authentication;
use crate::clock::UnixSeconds;

/// What must happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    SignIn,
    Choose,
    Consent,
    /// Nothing is missing: the code can be given.
    Grant,
}

/// Decides the next step; `remaining` is what was asked for and has not been done yet.
pub(crate) fn next(remaining: &BTreeSet<Prompt>, signed_in: bool, consented: bool) -> Step {
    if !signed_in || remaining.contains(&Prompt::Login) {
        Step::SignIn
    } else if remaining.contains(&Prompt::SelectAccount) {
        Step::Choose
    } else if !consented || remaining.contains(&Prompt::Consent) {
        Step::Consent
    } else {
        Step::Grant
    }
}

/// Says whether a session does for a request, or whether the person must sign in afresh: it is
/// older than `max_age`, or someone else's than `id_token_hint` names.
pub(crate) fn session_suffices(
    session: &Authentication,
    request: &AuthorizationRequest,
    now: UnixSeconds,
) -> bool {
    let young = request.max_age.is_none_or(|max_age| now - session.auth_time.min(now) <= max_age);
    let hinted = request.subject.as_deref();
    young && hinted.is_none_or(|subject| subject == session.account.subject)
}

#[cfg(test)]
mod tests {
    use super::{BTreeSet, Prompt, Step, next};

    #[test]
    fn with_a_session_and_a_consent_nothing_is_asked() {
        assert_eq!(next(&BTreeSet::new(), true, true), Step::Grant);
    }

    #[test]
    fn what_is_missing_is_asked_in_order() {
        let all = BTreeSet::from([Prompt::Login, Prompt::SelectAccount, Prompt::Consent]);
        let later = BTreeSet::from([Prompt::SelectAccount, Prompt::Consent]);
        assert_eq!(next(&all, true, true), Step::SignIn);
        assert_eq!(next(&later, true, true), Step::Choose);
        assert_eq!(next(&BTreeSet::from([Prompt::Consent]), true, true), Step::Consent);
        assert_eq!(next(&BTreeSet::new(), false, true), Step::SignIn);
        assert_eq!(next(&BTreeSet::new(), true, false), Step::Consent);
    }
}
