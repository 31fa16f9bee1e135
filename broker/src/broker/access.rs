//! Whether a caller may have what it asks for: the one desk that every request passes.
//!
//! 1. The request is put in the words that rules are written in: the APIs that its token would be
//!    good for, and its scopes.
//! 2. The core decides (`authbroker_core::policy`), by the rules of the configuration and by what
//!    people have answered before.
//! 3. A question goes to a person (`consent`), if the caller can wait for one; a refusal, or a
//!    question that nobody answers, becomes a failure with a way out.
//! 4. What the provider then gives is looked at once more: it may have given more than was asked.

use std::borrow::Cow;

use authbroker_core::account::Account;
use authbroker_core::caller::{Caller, Door, Identity};
use authbroker_core::failure::{Code, Failure, printable};
use authbroker_core::policy::{self, Basis, Decision, Query, Reach, Verdict};
use authbroker_core::resource::Resources;
use authbroker_core::scope::ScopeSet;
use authbroker_core::token::AccessToken;
use tokio::sync::mpsc;

use super::Broker;
use super::answers::command;
use crate::config::Target;
use crate::platform::clock;
use crate::sign_ins::Phase;

/// Whether a person may be asked for a request's sake.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience<'a> {
    /// Nor does a yes for once count, and none is used up: this is not what it was said for.
    Settled,
    /// The answer must come at once.
    Silent,
    /// The caller waits for a person anyway, and is told here that one is asked.
    MayAsk {
        /// Where.
        phases: &'a mpsc::Sender<Phase>,
        /// The caller's own word for its request.
        correlation_id: Option<&'a str>,
    },
}

impl Broker {
    /// Lets a request pass, or says why not.
    pub(super) async fn allowed(
        &self,
        caller: &Caller,
        account: &Account,
        resources: &Resources,
        scopes: &ScopeSet,
        patience: Patience<'_>,
    ) -> Result<Verdict, Failure> {
        if caller.door != Door::Admin {
            self.proven().await?;
        }
        let resources = &*self.good_for(account, resources);
        self.within_minting(caller, account, resources, scopes)?;
        let verdict = self.verdict(caller, account, resources, scopes);
        self.0.grants.count(&caller.app(), &verdict, clock::now().wall);
        match verdict.decision {
            Decision::Allow => Ok(verdict),
            Decision::Deny => Err(denied(caller, account, resources, &verdict)),
            Decision::Ask => {
                let query = Query::of(caller, account, resources, scopes);
                self.undecided(&query, account, patience, verdict).await
            }
        }
    }

    /// Lets what concerns a whole account pass: whoever ends a sign-in takes it from every app.
    pub(super) async fn allowed_all(
        &self,
        caller: &Caller,
        account: &Account,
    ) -> Result<Verdict, Failure> {
        let resources = self.0.providers.get(&account.provider);
        let resources = resources.map(|provider| provider.settings().resources.clone());
        let resources = resources.unwrap_or_default().into_iter().collect();
        let every = ScopeSet::default();
        self.allowed(caller, account, &resources, &every, Patience::Settled).await
    }

    /// Looks at a token that is about to be given: a provider may give more than it was asked for,
    /// and what was asked for is all that was decided on.
    pub(super) fn not_beyond(
        &self,
        caller: &Caller,
        account: &Account,
        asked: &ScopeSet,
        access: &AccessToken,
    ) -> Result<(), Failure> {
        // It may have been closed while the provider was asked.
        self.within_minting(caller, account, &access.resources, &access.scopes)?;
        if asked.is_empty() || access.scopes.is_subset(asked) {
            return Ok(());
        }
        let resources = self.good_for(account, &access.resources);
        let verdict = self.verdict(caller, account, &resources, &access.scopes);
        let failure = match verdict.decision {
            Decision::Allow => return Ok(()),
            Decision::Ask => unanswered(caller, account, &resources, &access.scopes),
            Decision::Deny => denied(caller, account, &resources, &verdict),
        };
        let more = printable(verdict.scope.as_deref().unwrap_or("more"));
        let why = format!("{} gives {more} whatever is asked for", account.provider);
        Err(Failure { message: format!("{why}: {}", failure.message), ..failure })
    }

    /// Whether a caller may know of an account. Programs outside of any confinement may know of all
    /// of their user's: nothing would keep them from looking.
    pub(super) fn knows(&self, caller: &Caller, account: &Account) -> bool {
        !is_confined(&caller.identity)
            || self.is_minted_for(caller, account) && self.may_have_some(caller, account)
    }

    fn may_have_some(&self, caller: &Caller, account: &Account) -> bool {
        let (settings, answers) = (self.settings(), self.0.grants.snapshot());
        let named = (&account.id, &account.provider);
        let now = clock::now().wall;
        policy::may_have_some(caller, named, &settings.policy, &answers.grants, now)
    }

    /// What is decided on a request.
    pub(super) fn verdict(
        &self,
        caller: &Caller,
        account: &Account,
        resources: &Resources,
        scopes: &ScopeSet,
    ) -> Verdict {
        let query = Query::of(caller, account, resources, scopes);
        let answers = self.0.grants.snapshot();
        policy::decide(&query, &self.settings().policy, &answers.grants, clock::now().wall)
    }

    /// The APIs that a token would be good for: where the provider is not told which one is meant,
    /// each token is good for all of them.
    pub(super) fn good_for<'a>(
        &self,
        account: &Account,
        resources: &'a Resources,
    ) -> Cow<'a, Resources> {
        let mut all = Cow::Borrowed(resources);
        if let Ok(provider) = self.0.providers.get(&account.provider)
            && provider.settings().target == Target::None
        {
            all.to_mut().extend(provider.settings().resources.iter().cloned());
        }
        all
    }
}

/// Whether something keeps the app from looking where it likes.
const fn is_confined(identity: &Identity) -> bool {
    match identity {
        Identity::Flatpak(_)
        | Identity::Snap(_)
        | Identity::Label(_)
        | Identity::Socket(_)
        // It may be any of these.
        | Identity::Hidden => true,
        Identity::Unit(_) | Identity::Executable(_) | Identity::User => false,
    }
}

fn denied(caller: &Caller, account: &Account, resources: &Resources, verdict: &Verdict) -> Failure {
    let what = told(account, resources);
    let app = printable(&caller.app().to_string());
    let (code, message) = match &verdict.basis {
        Basis::Default { verified: false } => {
            let message = format!("{app} may not have {what}: nothing proves which app it is");
            (Code::IdentityUnverified, message)
        }
        Basis::Manifest(_) => {
            let message = format!("{app} may not have {what}: its manifest does not ask for that");
            (Code::PolicyDenied, message)
        }
        Basis::Grant(_) => {
            (Code::PolicyDenied, format!("{app} may not have {what}: somebody said no"))
        }
        _ => (Code::PolicyDenied, format!("{app} may not have {what}: a rule says no")),
    };
    Failure::new(code, message, why_hint(caller, account, resources, verdict.scope.as_deref()))
}

pub(super) fn unanswered(
    caller: &Caller,
    account: &Account,
    resources: &Resources,
    scopes: &ScopeSet,
) -> Failure {
    let what = told(account, resources);
    let message = format!(
        "nobody has said yet whether {} may have {what}",
        printable(&caller.app().to_string())
    );
    let reach = Reach::of(resources, scopes);
    let hint = command(&caller.app(), Some(&account.provider), &reach);
    Failure::new(Code::ConsentRequired, message, hint)
}

/// What a token is for, in a few words: nothing that the caller might not know.
fn told(account: &Account, resources: &Resources) -> String {
    let names: Vec<_> = resources.iter().map(|resource| printable(resource.as_str())).collect();
    match names.as_slice() {
        [] => format!("a token of {}", account.provider),
        names => format!("a token of {} for {}", account.provider, names.join(" and ")),
    }
}

fn why_hint(
    caller: &Caller,
    account: &Account,
    resources: &Resources,
    scope: Option<&str>,
) -> String {
    let mut hint = format!("brokerctl why {}", word(&caller.app().to_string()));
    if let Some(resource) = resources.first() {
        hint = format!("{hint} {}", word(resource.as_str()));
    }
    hint = format!("{hint} --account {}", account.provider);
    scope.map_or_else(|| hint.clone(), |scope| format!("{hint} --scope {}", word(scope)))
}

/// A word that a person may paste into a shell, whoever chose it.
pub(super) fn word(text: &str) -> String {
    let text = printable(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || ":/._-@+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_name_that_a_stranger_chose_is_one_word_to_a_shell() {
        assert_eq!(word("exe:/usr/bin/curl"), "exe:/usr/bin/curl");
        assert_eq!(word("exe:/tmp/a b;rm -rf ~"), "'exe:/tmp/a b;rm -rf ~'");
        assert_eq!(word("exe:/tmp/it's"), r"'exe:/tmp/it'\''s'");
        assert_eq!(word("exe:/tmp/$(id)\n"), "'exe:/tmp/$(id)'");
    }
}
