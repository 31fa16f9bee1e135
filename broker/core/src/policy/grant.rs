//! Answers that a person gave, and that hold until they run out.

use std::fmt;

use super::{AccountMatch, Decision, Part, Reach};
use crate::caller::{App, Caller, Terminal};
use crate::time::UnixTime;

/// The number of an answer, as `brokerctl grants` shows it. Never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GrantId(pub u64);

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a person said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ruling {
    /// The app may have it.
    Allow,
    /// It may not, and is not to ask again.
    Deny,
}

impl Ruling {
    /// As a decision.
    pub const fn decision(self) -> Decision {
        match self {
            Self::Allow => Decision::Allow,
            Self::Deny => Decision::Deny,
        }
    }
}

/// For how long an answer holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lasting {
    /// Until it is revoked.
    Always,
    /// Up to this time, by the wall clock.
    Until(UnixTime),
    /// Until the session is locked, or the daemon ends.
    UntilLocked,
}

impl Lasting {
    /// Whether it still holds.
    pub fn holds(self, now: UnixTime) -> bool {
        match self {
            Self::Always | Self::UntilLocked => true,
            Self::Until(end) => now < end,
        }
    }
}

/// One answer, remembered.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Grant {
    /// Its number.
    pub id: GrantId,
    /// Whom it is about.
    pub app: App,
    /// The terminal session it holds in; `None` for all. A command that was allowed in one
    /// terminal is not allowed in a background job that looks the same.
    pub terminal: Option<Terminal>,
    /// Which accounts.
    pub account: AccountMatch,
    /// What of them.
    pub reach: Reach,
    /// What was said.
    pub ruling: Ruling,
    /// For how long.
    pub lasting: Lasting,
    /// When it was said.
    pub granted: UnixTime,
}

impl Grant {
    /// Whether it is about this caller, and still holds.
    pub fn is_about(&self, caller: &Caller, now: UnixTime) -> bool {
        let here = self.terminal.is_none() || self.terminal == caller.description.terminal;
        let same = self.app.uid == caller.uid && self.app.identity == caller.identity;
        same && here && self.lasting.holds(now)
    }

    /// Whether it decides on a part: a yes by the letter, a no wherever it may be about the same.
    pub(super) fn decides(&self, part: Part<'_>) -> bool {
        match self.ruling {
            Ruling::Allow => self.reach.holds(part),
            Ruling::Deny => self.reach.touches(part),
        }
    }
}
