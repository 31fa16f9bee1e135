//! Yeses that hold once: for the one token that the question was asked for.
//!
//! An app that waited for a person learns that it is allowed, and then asks for its token. So the
//! yes is kept until that comes, and not for long.

use std::sync::Arc;
use std::time::Duration;

use super::{Question, Subject};
use crate::policy::Query;
use crate::time::BootTime;

/// How long an app may take from the yes to its token: long enough for a sign-in between them.
const LASTS: Duration = Duration::from_mins(10);

/// The yeses that were not used yet.
#[derive(Clone, Debug, Default)]
pub struct Passes(Vec<(Arc<Question>, BootTime)>);

impl Passes {
    /// Keeps a yes for the next request.
    pub fn give(&mut self, question: Arc<Question>, now: BootTime) {
        self.0.retain(|(known, ends)| now < *ends && !known.is_like(&question));
        self.0.push((question, now.plus(LASTS)));
    }

    /// Whether there is a yes that covers a request.
    pub fn has(&self, query: &Query<'_>, now: BootTime) -> bool {
        self.place_of(query, now).is_some()
    }

    /// Uses up the yes that covers a request, if there is one.
    pub fn take(&mut self, query: &Query<'_>, now: BootTime) -> bool {
        self.place_of(query, now).map(|place| self.0.swap_remove(place)).is_some()
    }

    fn place_of(&self, query: &Query<'_>, now: BootTime) -> Option<usize> {
        self.0.iter().position(|(question, ends)| now < *ends && covers(question, query))
    }

    /// Forgets them all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Whether a request is for no more than was asked about.
fn covers(question: &Question, query: &Query<'_>) -> bool {
    let scopes = question.scopes.is_empty()
        || (!query.scopes.is_empty() && query.scopes.is_subset(&question.scopes));
    question.subject() == Subject::of(query.caller)
        && question.accounts().matches(query.account, query.provider)
        && *query.resources == question.resources
        && scopes
}

#[cfg(test)]
mod tests {
    use super::super::tests::{mail, now};
    use super::*;
    use crate::ids::AccountId;
    use crate::scope::ScopeSet;

    fn take(passes: &mut Passes, scopes: &str) -> bool {
        let question = mail();
        let (account, scopes) =
            (AccountId::parse("acme-1").unwrap(), ScopeSet::parse(scopes).unwrap());
        let Question { caller, provider, resources, .. } = &question;
        let query = Query { caller, account: &account, provider, resources, scopes: &scopes };
        passes.take(&query, now())
    }

    #[test]
    fn a_yes_that_holds_once_is_good_for_one_token() {
        let mut passes = Passes::default();
        passes.give(Arc::new(mail()), now());
        assert!(take(&mut passes, "mail.read"));
        assert!(!take(&mut passes, "mail.read"));
    }

    #[test]
    fn it_is_for_no_more_than_was_asked_about() {
        let mut passes = Passes::default();
        passes.give(Arc::new(mail()), now());
        assert!(!take(&mut passes, "mail.read mail.send"));
        assert!(!take(&mut passes, ""), "all that was granted is more");
    }

    #[test]
    fn it_does_not_wait_for_ever() {
        let mut passes = Passes::default();
        passes.give(Arc::new(mail()), BootTime::default());
        assert!(!take(&mut passes, "mail.read"));
    }
}
