//! Why an app is given something, or is not: the same decision that a request would meet, with the
//! place of what it rests on, and with what would change it.

use std::sync::Arc;

use authbroker_core::account::{Account, Person};
use authbroker_core::caller::{App, Caller, Level};
use authbroker_core::failure::{Code, Failure, printable};
use authbroker_core::policy::{Basis, Decision, Reach, Verdict};
use authbroker_core::request::AccountRef;
use authbroker_core::resource::Resources;
use authbroker_core::scope::ScopeSet;
use authbroker_core::time::UnixTime;

use super::Broker;
use super::answers::{command, example_of};

/// What is to be explained.
#[derive(Debug, Clone)]
pub struct Question {
    /// The app.
    pub app: App,
    /// Whose token.
    pub account: AccountRef,
    /// For which APIs; empty for the provider's default one.
    pub resources: Resources,
    /// With which scopes; empty for all that were granted.
    pub scopes: ScopeSet,
}

/// The decision, explained.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The app.
    pub app: App,
    /// How well it is known.
    pub level: Level,
    /// The account, or one that has not signed in yet.
    pub account: Arc<Account>,
    /// The APIs that the token would be good for.
    pub resources: Resources,
    /// The scopes it would have.
    pub scopes: ScopeSet,
    /// The decision.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub because: String,
    /// What would change it.
    pub needed: Vec<String>,
}

impl Broker {
    /// Explains what a request of an app would meet.
    pub async fn why(&self, caller: &Caller, question: Question) -> Result<Explanation, Failure> {
        self.admit(caller)?;
        self.proven().await?;
        let Question { app, account, resources, scopes } = question;
        let account = self.account_or_nobody(caller, &account)?;
        let resources = self.or_default(&account, resources)?;
        let resources = self.good_for(&account, &resources).into_owned();
        let asker = example_of(&app);
        let verdict = self.verdict(&asker, &account, &resources, &scopes);
        let because = self.because(&verdict);
        let needed = needed(&app, &account, &Reach::of(&resources, &scopes), &verdict);
        let level = asker.level();
        Ok(Explanation { app, level, account, resources, scopes, verdict, because, needed })
    }

    /// The account that is meant; where nobody is signed in, whoever will be at the provider.
    fn account_or_nobody(
        &self,
        caller: &Caller,
        reference: &AccountRef,
    ) -> Result<Arc<Account>, Failure> {
        let failure = match self.resolve(caller, reference) {
            Err(failure) if failure.code == Code::NoSuchAccount => failure,
            found => return found,
        };
        let providers = self.0.providers.all();
        let meant = providers.iter().find(|provider| {
            let name = provider.settings().name.as_str();
            reference.named().map_or(providers.len() == 1, |word| word == name)
        });
        let nobody = |provider: &std::sync::Arc<crate::services::oidc::Oidc>| {
            provider.account(String::new(), Person::default(), UnixTime::default())
        };
        meant.map(nobody).map(Arc::new).ok_or(failure)
    }

    /// Why a decision was made, in a sentence.
    pub fn because(&self, verdict: &Verdict) -> String {
        let what = about(verdict);
        match &verdict.basis {
            Basis::Rule(place) => {
                let says = match verdict.decision {
                    Decision::Allow => "allows",
                    Decision::Ask => "wants a person asked about",
                    Decision::Deny => "refuses",
                };
                format!("the rule at {place} {says} {what}")
            }
            Basis::Grant(id) => match verdict.decision {
                Decision::Allow => format!("somebody allowed {what}: answer {id}"),
                _ => format!("somebody refused {what}: answer {id}"),
            },
            Basis::Default { verified } => {
                let key = if *verified { "verified" } else { "unverified" };
                let word = verdict.decision.name();
                format!("no rule and no answer is about {what}, and [policy] {key} is {word:?}")
            }
            Basis::Manifest(file) => format!("the app does not say that it needs {what}: {file}"),
            Basis::Pass => format!("somebody allowed {what}, this once"),
            Basis::AdminDoor => "a person at the admin tool is asked for nothing".to_owned(),
            Basis::Minted => "the socket was made for it".to_owned(),
        }
    }
}

/// What the decision was made on, in words.
fn about(verdict: &Verdict) -> String {
    let resource = verdict.resource.as_ref().map(|it| printable(it.as_str()));
    let scope = verdict.scope.as_deref().map(printable);
    match (scope, resource) {
        (Some(scope), Some(resource)) => format!("{scope} at {resource}"),
        (Some(scope), None) => scope,
        (None, Some(resource)) => format!("every scope at {resource}"),
        (None, None) => "everything".to_owned(),
    }
}

fn needed(app: &App, account: &Account, reach: &Reach, verdict: &Verdict) -> Vec<String> {
    let allow = command(app, Some(&account.provider), reach);
    let mut needed = match (&verdict.decision, &verdict.basis) {
        (Decision::Allow, _) => return Vec::new(),
        (Decision::Ask, _) | (Decision::Deny, Basis::Default { .. }) => vec![allow],
        (_, Basis::Rule(place)) => {
            vec![format!("change the rule at {place}, or put one before it")]
        }
        (_, Basis::Grant(id)) => vec![format!("brokerctl grants revoke {id}"), allow],
        (_, Basis::Manifest(_)) => {
            vec!["a [[rule]] in the configuration that allows it".to_owned()]
        }
        (_, Basis::Pass | Basis::AdminDoor | Basis::Minted) => Vec::new(),
    };
    if reach.scopes.is_none() && verdict.scope.is_some() {
        needed
            .push("or the app names the scopes that it needs: it asks for all of them".to_owned());
    }
    needed
}
