//! What is asked, and how a person may answer.

use std::time::Duration;

use crate::caller::{App, Caller, Terminal};
use crate::ids::{AccountId, ProviderName};
use crate::policy::{AccountMatch, Lasting, Reach, Ruling};
use crate::resource::{Resource, Resources};
use crate::scope::ScopeSet;
use crate::time::UnixTime;

/// How long [`Answer::ThirtyDays`] and [`Answer::No`] hold.
const THIRTY_DAYS: Duration = Duration::from_hours(30 * 24);

/// How many APIs and scopes a question is about at most, and how long their names are in all, in
/// characters.
const MOST_RESOURCES: usize = 8;
const MOST_SCOPES: usize = 16;
const LONGEST: usize = 1500;

/// May this app have that?
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// Who asks.
    pub caller: Caller,
    /// Of which account; `None` where nobody has signed in yet: of whichever that will be.
    pub account: Option<AccountId>,
    /// At which provider.
    pub provider: ProviderName,
    /// What people call the account; empty where nobody has signed in yet.
    pub label: String,
    /// For which APIs.
    pub resources: Resources,
    /// With which scopes; empty for all that were granted.
    pub scopes: ScopeSet,
    /// What the app says that it needs them for.
    pub reason: Option<String>,
    /// The caller's own word for its request, for the record: of several, that of the first.
    pub correlation_id: Option<String>,
}

/// Whom an answer is about: an app, and where nothing vouches for which one it is, the terminal
/// session that it was started in, too. Another process of the same command there is the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Subject {
    /// The app.
    pub app: App,
    /// The terminal session; `None` for any.
    pub terminal: Option<Terminal>,
}

impl Subject {
    /// Whom an answer to this caller's question is about.
    pub fn of(caller: &Caller) -> Self {
        let unverified = !caller.level().is_verified();
        let terminal = caller.description.terminal.filter(|_| unverified);
        Self { app: caller.app(), terminal }
    }
}

impl Question {
    /// Whom the answer is about.
    pub fn subject(&self) -> Subject {
        Subject::of(&self.caller)
    }

    /// Which accounts the answer is about.
    pub fn accounts(&self) -> AccountMatch {
        let provider = || AccountMatch::new(self.provider.as_str());
        self.account.as_ref().map_or_else(provider, AccountMatch::from)
    }

    /// What of them.
    pub fn reach(&self) -> Reach {
        Reach::of(&self.resources, &self.scopes)
    }

    /// Whether a person reads all of it. An app chooses what it asks for: a list without end would
    /// push who asks, and that nothing vouches for it, off the screen.
    pub fn can_be_read(&self) -> bool {
        let words = self.resources.iter().map(Resource::as_str).chain(self.scopes.iter());
        let length: usize = words.map(|word| word.chars().count()).sum();
        self.resources.len() <= MOST_RESOURCES
            && self.scopes.iter().count() <= MOST_SCOPES
            && length <= LONGEST
    }

    /// Whether an answer to the one is an answer to the other.
    pub fn is_like(&self, other: &Self) -> bool {
        let what = |it: &Self| (it.accounts(), it.reach());
        self.subject() == other.subject() && what(self) == what(other)
    }
}

/// What a person can say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// Yes, this time.
    Once,
    /// Yes, until the session is locked.
    UntilLocked,
    /// Yes, for thirty days.
    ThirtyDays,
    /// Yes.
    Always,
    /// No, and not to be asked again for thirty days.
    No,
}

impl Answer {
    /// All of them, the smallest yes first.
    pub const ALL: [Self; 5] =
        [Self::Once, Self::UntilLocked, Self::ThirtyDays, Self::Always, Self::No];

    /// The word for it on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::UntilLocked => "until-locked",
            Self::ThirtyDays => "30-days",
            Self::Always => "always",
            Self::No => "no",
        }
    }

    /// Reads the word of the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == word)
    }

    /// What it says.
    pub const fn ruling(self) -> Ruling {
        match self {
            Self::Once | Self::UntilLocked | Self::ThirtyDays | Self::Always => Ruling::Allow,
            Self::No => Ruling::Deny,
        }
    }

    /// For how long it is remembered; `None` where it holds for what was asked and no longer.
    pub fn lasting(self, now: UnixTime) -> Option<Lasting> {
        match self {
            Self::Once => None,
            Self::UntilLocked => Some(Lasting::UntilLocked),
            Self::ThirtyDays | Self::No => Some(Lasting::Until(now.plus(THIRTY_DAYS))),
            Self::Always => Some(Lasting::Always),
        }
    }
}
