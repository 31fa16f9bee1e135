//! What can happen to a session.

use std::time::Duration;

use super::Need;
use crate::account::{Grant, Memory};
use crate::authentication::Requirement;
use crate::failure::Failure;
use crate::ids::{Attempt, Stamp, Ticket};
use crate::secret::Secret;
use crate::time::BootTime;
use crate::token::{AccessToken, SlotKey};

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A caller wants a token.
    Asked {
        /// Its place in the queue.
        ticket: Ticket,
        /// What it wants.
        want: Want,
    },
    /// The vault gave the record, or has none.
    Recalled(Option<Memory>),
    /// The vault could not be read.
    RecallFailed(Failure),
    /// The provider gave a new access token.
    Renewed {
        /// The job that this answers.
        attempt: Attempt,
        /// What it gave.
        renewal: Renewal,
    },
    /// The provider said no.
    Refused {
        /// The job that this answers.
        attempt: Attempt,
        /// What it said.
        refusal: Refusal,
    },
    /// No usable answer came.
    Unreachable {
        /// The job that this answers.
        attempt: Attempt,
        /// What went wrong; its `retry_after` is the provider's own.
        failure: Failure,
        /// Whether the provider may have acted on the request.
        certainty: Certainty,
    },
    /// The last [`Effect::Remember`](super::Effect::Remember) is on disk.
    Remembered,
    /// The last [`Effect::Remember`](super::Effect::Remember) failed.
    RememberFailed,
    /// A person signed in.
    Arrived {
        /// When that sign-in was begun.
        begun: Stamp,
        /// Who waits for it.
        ticket: Ticket,
        /// What it brought.
        arrival: Arrival,
    },
    /// Somebody wants the account gone.
    SignOutAsked {
        /// Who waits for it.
        ticket: Ticket,
        /// The moment, against which sign-ins under way are measured.
        stamp: Stamp,
        /// Whether the provider is told.
        reach: SignOutReach,
    },
    /// The provider was told, or could not be.
    Left {
        /// The job that this answers.
        attempt: Attempt,
        /// What the provider did.
        report: super::SignOutReport,
    },
    /// The vault was locked. A grant that it holds and that nobody uses is put out of memory.
    Locked(Failure),
    /// The vault was opened: what could not be read for its lock, or for another reason, may be now.
    Unlocked,
    /// The time of [`Session::next_tick`](super::Session::next_tick) has come.
    Tick,
    /// The network is not what it was: what could not be reached may be reachable now.
    NetworkChanged,
}

/// What a caller wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Want {
    /// Which token.
    pub key: SlotKey,
    /// How fresh.
    pub need: Need,
    /// What the sign-in behind it must have been.
    pub requirement: Requirement,
}

/// What a renewal brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Renewal {
    /// The new access token.
    pub access: AccessToken,
    /// The new refresh token, where the provider rotates.
    pub refresh_token: Option<Secret>,
    /// A new ID token, checked, where one came.
    pub id_token: Option<Secret>,
}

/// What a sign-in brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// What was granted.
    pub grant: Grant,
    /// The key that the first access token answers.
    pub key: SlotKey,
    /// The first access token.
    pub access: AccessToken,
    /// Until when that token is kept as it is, although it ages: it may be stronger than those that
    /// a renewal would bring (RFC 9470).
    pub keep_until: Option<BootTime>,
}

/// How a provider refuses a renewal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The refresh token is of no use any more. Ends the session; the only answer that does.
    InvalidGrant,
    /// This key cannot be had (`invalid_scope`, `invalid_target`). Fails its own callers only.
    Key(Failure),
    /// It does not exchange tokens for this client (RFC 8693). The refresh token is used instead.
    NoExchange,
    /// Any other answer. The session is kept, and the provider left alone for a while.
    Other(Failure),
}

/// Whether a request without an answer may have had an effect.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Certainty {
    /// It never left, or the provider said it did nothing: repeating it is safe.
    NotActedOn,
    /// It was sent and the answer is lost.
    Unknown,
}

/// How far a sign-out goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SignOutReach {
    /// Revoke at the provider, then forget.
    Provider,
    /// Only forget.
    Local,
}

impl Want {
    /// A want for any valid token of `key`.
    pub const fn valid(key: SlotKey) -> Self {
        Self { key, need: Need::AtLeast(Duration::ZERO), requirement: Requirement::NONE }
    }
}
