//! Who may have what.
//!
//! A request is taken apart into its *parts*, one scope at one API each, and every part is decided
//! on by itself; the strictest decision holds for the whole. So nothing that is denied comes along
//! with something that is allowed, whatever it is asked together with.
//!
//! For one part, in this order:
//!
//! 1. The first *rule* that is about it: of the system's files first, then of the user's. `allow`
//!    and `deny` are final; `ask` goes on.
//! 2. The app's *manifest*, if it has one: what is not in it, nobody is asked for.
//! 3. The newest *answer* that a person gave about it and that still holds.
//! 4. Where a rule said `ask`: a question. Else `[policy]`: for callers that something vouches for,
//!    or for others.
//!
//! Who names no scope asks for every scope that was granted, and gets the strictest decision that
//! naming any of them would have got. Where a request is for no API, because its provider knows
//! none, the same goes for the APIs.
//!
//! The admin tool's door stands outside of this: there, a person acts.

mod grant;
mod manifest;
mod reach;
mod rule;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use self::grant::{Grant, GrantId, Lasting, Ruling};
pub use self::manifest::Manifest;
pub use self::reach::{Api, Part, Reach};
pub use self::rule::{AccountMatch, AppMatch, InvalidApp, Rule, RulePlace};
use crate::account::Account;
use crate::caller::{Caller, Door, Identity};
use crate::ids::{AccountId, ProviderName};
use crate::resource::{Resource, Resources};
use crate::scope::ScopeSet;
use crate::time::UnixTime;

/// What is to happen. The later, the stricter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Decision {
    /// It is given.
    Allow,
    /// A person is asked.
    Ask,
    /// It is refused.
    Deny,
}

impl Decision {
    /// The word of the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }

    /// Reads the word of the configuration.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Allow, Self::Ask, Self::Deny].into_iter().find(|known| known.name() == word)
    }
}

/// All that the configuration says on the matter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The rules, in the order in which they count.
    pub rules: Vec<Rule>,
    /// What holds for callers that nothing vouches for, where no rule matches.
    pub unverified: Decision,
    /// What holds for the others.
    pub verified: Decision,
    /// What apps say of themselves.
    pub manifests: Vec<Manifest>,
}

impl Default for Policy {
    fn default() -> Self {
        let ask = Decision::Ask;
        Self { rules: Vec::new(), unverified: ask, verified: ask, manifests: Vec::new() }
    }
}

/// What somebody wants.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Who.
    pub caller: &'a Caller,
    /// Of which account.
    pub account: &'a AccountId,
    /// At which provider.
    pub provider: &'a ProviderName,
    /// For which APIs; empty where the provider knows none.
    pub resources: &'a Resources,
    /// With which scopes; empty for all that were granted.
    pub scopes: &'a ScopeSet,
}

impl<'a> Query<'a> {
    /// What a caller wants of an account.
    pub const fn of(
        caller: &'a Caller,
        account: &'a Account,
        resources: &'a Resources,
        scopes: &'a ScopeSet,
    ) -> Self {
        let Account { id, provider, .. } = account;
        Self { caller, account: id, provider, resources, scopes }
    }
}

/// What was decided, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The decision.
    pub decision: Decision,
    /// What it rests on.
    pub basis: Basis,
    /// The API that it was decided on, where one counted; `None` for any.
    pub resource: Option<Resource>,
    /// The scope that it was decided on, where one counted; `None` for any.
    pub scope: Option<String>,
}

/// What a decision rests on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Basis {
    /// A rule of the configuration.
    Rule(RulePlace),
    /// A person's answer.
    Grant(GrantId),
    /// `[policy]`, because no rule matches.
    Default {
        /// Whether it is the word for callers that something vouches for.
        verified: bool,
    },
    /// What the app says of itself, in this file: this is not in it.
    Manifest(Arc<str>),
    /// A person's answer that holds once.
    Pass,
    /// The admin tool's door: a person acts.
    AdminDoor,
    /// The socket was made for this consumer.
    Minted,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(place) => place.fmt(f),
            Self::Grant(id) => write!(f, "grant {id}"),
            Self::Default { verified: true } => f.write_str("[policy] verified"),
            Self::Default { verified: false } => f.write_str("[policy] unverified"),
            Self::Manifest(file) => write!(f, "manifest {file}"),
            Self::Pass => f.write_str("a yes for this once"),
            Self::AdminDoor => f.write_str("the admin socket"),
            Self::Minted => f.write_str("a socket of its own"),
        }
    }
}

/// Decides on a request. `now` is the wall clock, because people's answers run out by that.
pub fn decide(query: &Query<'_>, policy: &Policy, grants: &[Grant], now: UnixTime) -> Verdict {
    let judge = Judge { query, policy, grants, now };
    if query.caller.door == Door::Admin {
        return judge.verdict(Judge::REST, Ground(Decision::Allow, Reason::AdminDoor));
    }
    let mut worst: Option<(Part<'_>, Ground<'_>)> = None;
    judge.each_part(|part| {
        let ground = judge.part(part);
        if worst.is_none_or(|(_, known)| known.0 < ground.0) {
            worst = Some((part, ground));
        }
    });
    let (part, ground) = worst.unwrap_or_else(|| (Judge::REST, judge.part(Judge::REST)));
    judge.verdict(part, ground)
}

/// Whether there is anything of an account that this caller may have without a question: then it
/// may know of it.
pub fn may_have_some(
    caller: &Caller,
    account: (&AccountId, &ProviderName),
    policy: &Policy,
    grants: &[Grant],
    now: UnixTime,
) -> bool {
    let (resources, scopes) = (&Resources::new(), &ScopeSet::default());
    let query = Query { caller, account: account.0, provider: account.1, resources, scopes };
    let judge = Judge { query: &query, policy, grants, now };
    let mut some = caller.door == Door::Admin;
    judge.each_part(|part| some |= judge.part(part).0 == Decision::Allow);
    some
}

impl Policy {
    /// What a caller's app says of itself.
    pub fn manifests_of(&self, caller: &Caller) -> impl Iterator<Item = &Manifest> {
        self.manifests.iter().filter(move |manifest| manifest.is_of(caller))
    }

    /// What the app says that it needs an account for.
    pub fn reason_of(&self, caller: &Caller) -> Option<&str> {
        self.manifests_of(caller).find_map(|manifest| manifest.reason.as_deref())
    }
}

/// Everything that bears on one request.
struct Judge<'a> {
    query: &'a Query<'a>,
    policy: &'a Policy,
    grants: &'a [Grant],
    now: UnixTime,
}

/// A decision on a part, before anything is copied.
#[derive(Clone, Copy)]
struct Ground<'a>(Decision, Reason<'a>);

#[derive(Clone, Copy)]
enum Reason<'a> {
    Rule(&'a Rule),
    Grant(&'a Grant),
    Default,
    Manifest(&'a Manifest),
    AdminDoor,
    Minted,
}

impl<'a> Judge<'a> {
    /// What is left when all that is named is taken away.
    const REST: Part<'static> = Part { api: Api::Other, scope: None };

    fn part(&self, part: Part<'_>) -> Ground<'a> {
        // Who hides may be the one that a rule refuses.
        if self.query.caller.identity == Identity::Hidden {
            return Ground(Decision::Deny, Reason::Default);
        }
        let rule = self.rules().find(|rule| rule.decides(part));
        if let Some(rule) = rule.filter(|rule| rule.decision != Decision::Ask) {
            return Ground(rule.decision, Reason::Rule(rule));
        }
        if let Some(manifest) = self.manifests().find(|manifest| !manifest.reach.holds(part)) {
            return Ground(Decision::Deny, Reason::Manifest(manifest));
        }
        if let Some(grant) = self.grants().find(|grant| grant.decides(part)) {
            return Ground(grant.ruling.decision(), Reason::Grant(grant));
        }
        match rule {
            Some(rule) => Ground(Decision::Ask, Reason::Rule(rule)),
            None => self.default(),
        }
    }

    fn default(&self) -> Ground<'a> {
        let caller = self.query.caller;
        match caller.door {
            Door::Minted => Ground(Decision::Allow, Reason::Minted),
            _ if caller.level().is_verified() => Ground(self.policy.verified, Reason::Default),
            _ => Ground(self.policy.unverified, Reason::Default),
        }
    }

    /// The rules about this caller and this account, in their order.
    fn rules(&self) -> impl Iterator<Item = &'a Rule> {
        let Query { caller, account, provider, .. } = *self.query;
        self.policy
            .rules
            .iter()
            .filter(move |rule| rule.app.matches(caller) && rule.account.matches(account, provider))
    }

    /// The answers about this caller and this account, newest first.
    fn grants(&self) -> impl Iterator<Item = &'a Grant> {
        let Query { caller, account, provider, .. } = *self.query;
        let now = self.now;
        self.grants.iter().rev().filter(move |grant| {
            grant.is_about(caller, now) && grant.account.matches(account, provider)
        })
    }

    fn manifests(&self) -> impl Iterator<Item = &'a Manifest> {
        self.policy.manifests_of(self.query.caller)
    }

    /// Everything that something is said of, whatever it is.
    fn reaches(&self) -> impl Iterator<Item = &'a Reach> {
        let rules = self.rules().map(|rule| &rule.reach);
        let grants = self.grants().map(|grant| &grant.reach);
        rules.chain(grants).chain(self.manifests().map(|manifest| &manifest.reach))
    }

    /// Takes the request apart. What it leaves open is each that is named anywhere, and one that
    /// is not.
    fn each_part(&self, mut look: impl FnMut(Part<'a>)) {
        if !self.query.resources.is_empty() {
            for resource in self.query.resources {
                self.each_scope(Api::Named(resource), &mut look);
            }
            return;
        }
        self.each_scope(Api::Other, &mut look);
        for resource in self.reaches().filter_map(|reach| reach.resources.as_ref()).flatten() {
            self.each_scope(Api::Named(resource), &mut look);
            self.each_scope(Api::Below(resource), &mut look);
        }
    }

    fn each_scope(&self, api: Api<'a>, look: &mut impl FnMut(Part<'a>)) {
        if !self.query.scopes.is_empty() {
            for scope in self.query.scopes.iter() {
                look(Part { api, scope: Some(scope) });
            }
            return;
        }
        look(Part { api, scope: None });
        let named = self.reaches().filter_map(|reach| reach.scopes.as_ref());
        for scope in named.flat_map(ScopeSet::iter) {
            look(Part { api, scope: Some(scope) });
        }
    }

    fn verdict(&self, part: Part<'_>, Ground(decision, reason): Ground<'_>) -> Verdict {
        let verified = self.query.caller.level().is_verified();
        let basis = match reason {
            Reason::Rule(rule) => Basis::Rule(rule.place.clone()),
            Reason::Grant(grant) => Basis::Grant(grant.id),
            Reason::Default => Basis::Default { verified },
            Reason::Manifest(manifest) => Basis::Manifest(Arc::clone(&manifest.file)),
            Reason::AdminDoor => Basis::AdminDoor,
            Reason::Minted => Basis::Minted,
        };
        let resource = match part.api {
            Api::Named(resource) | Api::Below(resource) => Some(resource.clone()),
            Api::Other => None,
        };
        Verdict { decision, basis, resource, scope: part.scope.map(str::to_owned) }
    }
}
