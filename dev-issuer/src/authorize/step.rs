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
    SecondFactor,
    Consent,
    /// Nothing is missing: the code can be given.
    Grant,
}

/// What a browser's session is worth to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is none.
    Nobody,
    /// Somebody is signed in, but not as surely as is asked for.
    TooWeak,
    Good,
}

impl Standing {
    pub(crate) fn of(session: Option<&Authentication>, request: &AuthorizationRequest) -> Self {
        match session {
            None => Self::Nobody,
            Some(session) if session.acr < request.acr => Self::TooWeak,
            Some(_) => Self::Good,
        }
    }
}

/// Decides the next step; `remaining` is what was asked for and has not been done yet.
pub(crate) fn next(remaining: &BTreeSet<Prompt>, standing: Standing, consented: bool) -> Step {
    if standing == Standing::Nobody || remaining.contains(&Prompt::Login) {
        Step::SignIn
    } else if remaining.contains(&Prompt::SelectAccount) {
        Step::Choose
    } else if standing == Standing::TooWeak {
        Step::SecondFactor
    } else if !consented || remaining.contains(&Prompt::Consent) {
        Step::Consent
    } else {
        Step::Grant
    }
}

/// Says whether a session does for a request, or whether the person must sign in afresh: it is
/// older than `max_age`, or someone else's than `id_token_hint` names. A `max_age` of zero asks for
/// a new sign-in even in the same second (OpenID Connect Core §3.1.2.1).
pub(crate) fn session_suffices(
    session: &Authentication,
    request: &AuthorizationRequest,
    now: UnixSeconds,
) -> bool {
    let age = now.saturating_sub(session.auth_time);
    let young = request.max_age.is_none_or(|max_age| max_age > 0 && age <= max_age);
    let hinted = request.subject.as_deref();
    young && hinted.is_none_or(|subject| subject == session.account.subject)
}

#[cfg(test)]
mod tests {
    use super::{BTreeSet, Prompt, Standing, Step, next};

    #[test]
    fn with_a_session_and_a_consent_nothing_is_asked() {
        assert_eq!(next(&BTreeSet::new(), Standing::Good, true), Step::Grant);
    }

    #[test]
    fn what_is_missing_is_asked_in_order() {
        let all = BTreeSet::from([Prompt::Login, Prompt::SelectAccount, Prompt::Consent]);
        let later = BTreeSet::from([Prompt::SelectAccount, Prompt::Consent]);
        let last = BTreeSet::from([Prompt::Consent]);
        let weak = Standing::TooWeak;
        assert_eq!(next(&all, Standing::Good, true), Step::SignIn);
        assert_eq!(next(&all, weak, true), Step::SignIn);
        assert_eq!(next(&later, weak, true), Step::Choose);
        assert_eq!(next(&last, weak, true), Step::SecondFactor);
        assert_eq!(next(&last, Standing::Good, true), Step::Consent);
        assert_eq!(next(&BTreeSet::new(), Standing::Nobody, true), Step::SignIn);
        assert_eq!(next(&BTreeSet::new(), Standing::Good, false), Step::Consent);
    }
}
