//! The life of one signed-in account, as one pure function.
//!
//! [`Session::step`] takes what happened and what time it is, and gives the next state and the
//! effects to perform, in their order. There is one session per account (issuer, client, subject),
//! and it alone uses that account's one refresh token:
//!
//! 1. the `State` is named for what the account waits for;
//! 2. while signed in there is a `Line`: at most one use of the refresh token is under way (I1),
//!    because at a provider that rotates, two at once are a logout;
//! 3. behind the line are slots by [`SlotKey`]: the token held, and the tickets that wait for a
//!    newer one. Wants are served in the order they came.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `event` | what can happen |
//! | `effect` | what can be asked of the desk |
//! | `freshness` | when a token counts as fresh, ageing, expired |
//! | `backoff` | how long to leave a provider alone |
//! | `step` | the transitions of a session as a whole |
//! | `signed_in` | the transitions of a signed-in session and its slots |
//! | `line` | the transitions of the line: a use of the refresh token, and how it ends |
//! | `due` | when a signed-in session is looked at again, unasked |

mod backoff;
mod due;
mod effect;
mod event;
mod freshness;
mod line;
mod signed_in;
mod step;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::effect::{Effect, Means, Outcome, SignOutReport, Step};
pub use self::event::{Arrival, Certainty, Event, Refusal, Renewal, SignOutReach, Want};
pub use self::freshness::{Freshness, Margins, Need, freshness};
use crate::account::Grant;
use crate::failure::Failure;
use crate::ids::{Attempt, Stamp, Ticket};
use crate::time::BootTime;
use crate::token::{AccessToken, SlotKey};

/// One account's session: where it stands, and the number of its next slow job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    state: State,
    next_attempt: Attempt,
}

/// What the session waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    /// A record lies in the vault and was not read yet, or could not be (then `trouble` says why).
    Unread { trouble: Option<Failure> },
    /// The record is being read; these wait for it.
    Recalling { wants: Vec<(Ticket, Want)>, leaving: Vec<step::Leaver> },
    /// Nothing is kept. Sign-ins begun before `void_before` come too late.
    SignedOut { void_before: Stamp },
    /// The provider ended the session: a person must sign in again.
    Ended { why: Ending },
    /// A grant is at hand.
    SignedIn(SignedIn),
    /// The provider is being told; these wait to hear how it went.
    SigningOut { attempt: Attempt, void_before: Stamp, leaving: Vec<Ticket> },
}

/// A grant, the line to its refresh token, and the slots behind the line.
#[derive(Clone, PartialEq, Eq, Debug)]
struct SignedIn {
    grant: Grant,
    holder: Holder,
    exchange: Exchange,
    line: Line,
    slots: BTreeMap<SlotKey, Slot>,
    saved: Saved,
}

/// Who signed in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Holder {
    /// A person, whose refresh token may run out.
    Person,
    /// The client for itself: its credentials are in the configuration, and nothing is kept.
    Client,
}

/// Whether narrower tokens are worth asking for by exchange (RFC 8693).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Exchange {
    /// Nothing speaks against it.
    Untried,
    /// The provider refused it.
    Refused,
}

/// The one way to the refresh token (I1).
#[derive(Clone, PartialEq, Eq, Debug)]
enum Line {
    /// Nobody uses it.
    Idle,
    /// Nobody uses it, but an earlier process did when it ended: the next use is the one repeat
    /// that a lost answer allows.
    InDoubt,
    /// Something was sent to the provider for `key`.
    Busy { attempt: Attempt, key: SlotKey, past: Past, at_stake: AtStake },
    /// The provider failed; it is left alone until `retry_at`.
    Resting { retry_at: BootTime, failure: Failure, past: Past },
}

/// What may be lost with the answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum AtStake {
    /// The refresh token was sent, and may be rotated.
    RefreshToken,
    /// Nothing: the request may be repeated as often as anybody likes.
    Nothing,
}

/// What went before this use of the line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Past {
    /// Failures in a row.
    failures: u8,
    /// Whether an answer was lost on its way.
    doubt: Doubt,
    /// How often a provider that was out of reach is still tried without anybody waiting, since
    /// the network changed.
    unasked: u8,
}

/// Whether the provider may have rotated the refresh token without our seeing the new one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Doubt {
    /// What we hold is what the provider last gave.
    #[default]
    None,
    /// An answer was lost. One repeat is allowed; a second doubt ends the session.
    AnswerLost,
}

/// The token of one key, and who waits for a newer one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Slot {
    held: Option<Arc<AccessToken>>,
    /// Until when the token held is not renewed ahead: a newer one may be weaker.
    keep_until: BootTime,
    waiting: Vec<Ticket>,
    demand: Demand,
}

/// Whether anybody asked since the last renewal: what nobody uses is not renewed unasked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Demand {
    #[default]
    Quiet,
    Asked,
}

/// Whether the vault holds what memory holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Saved {
    Yes,
    /// The last write failed; it is tried again at this time.
    No {
        retry_at: BootTime,
    },
}

/// Why a session ended without being asked to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ending {
    /// The provider answered `invalid_grant`: revoked, expired, or used elsewhere.
    ByProvider,
    /// A renewal was interrupted, and the provider did not accept its repeat.
    Interrupted,
    /// The provider gave no refresh token, and the access token has run out.
    NoRefreshToken,
}

/// How a session stands, for people and for the `State` property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Tokens can be had.
    Ready,
    /// Tokens can be had, but the disk refused what must survive a restart.
    Unsaved,
    /// The provider cannot be reached or fails; what is held is served.
    Offline(Failure),
    /// The record could not be read.
    Unreadable(Failure),
    /// A person must sign in again.
    Ended(Ending),
    /// It is being signed out.
    Leaving,
    /// Nothing is kept.
    SignedOut,
}

impl Session {
    /// A session whose record lies in the vault.
    pub const fn unread() -> Self {
        Self::in_state(State::Unread { trouble: None })
    }

    /// A session that nothing is known of: the first sign-in is about to arrive.
    pub const fn signed_out() -> Self {
        Self::in_state(State::SignedOut { void_before: Stamp(0) })
    }

    /// A session of the client itself (RFC 6749 §4.4): ready without a sign-in, never ended by the
    /// provider, and not kept in the vault.
    pub fn of_client(grant: Grant) -> Self {
        Self::in_state(State::SignedIn(SignedIn::of_client(grant)))
    }

    const fn in_state(state: State) -> Self {
        Self { state, next_attempt: Attempt(1) }
    }

    /// How the session stands.
    pub fn standing(&self) -> Standing {
        match &self.state {
            State::Unread { trouble: Some(failure) } => Standing::Unreadable(failure.clone()),
            State::Unread { trouble: None } | State::Recalling { .. } => Standing::Ready,
            State::SignedOut { .. } => Standing::SignedOut,
            State::Ended { why } => Standing::Ended(*why),
            State::SignedIn(signed_in) => signed_in.standing(),
            State::SigningOut { .. } => Standing::Leaving,
        }
    }

    /// When a [`Event::Tick`] is due, if ever: a retry, a write to repeat, a renewal ahead.
    pub fn next_tick(&self, margins: &Margins) -> Option<BootTime> {
        match &self.state {
            State::SignedIn(signed_in) => signed_in.next_tick(margins),
            _ => None,
        }
    }

    /// Whether it is the client's own, and no person's.
    pub const fn is_of_client(&self) -> bool {
        matches!(&self.state, State::SignedIn(SignedIn { holder: Holder::Client, .. }))
    }

    /// The token of a key, where one is held, fresh or not.
    pub fn held(&self, key: &SlotKey) -> Option<&Arc<AccessToken>> {
        match &self.state {
            State::SignedIn(signed_in) => signed_in.slots.get(key)?.held.as_ref(),
            _ => None,
        }
    }

    /// What was granted, where something is.
    pub const fn grant(&self) -> Option<&Grant> {
        match &self.state {
            State::SignedIn(signed_in) => Some(&signed_in.grant),
            _ => None,
        }
    }
}
