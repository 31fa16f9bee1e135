//! What a step asks of the desk.

use std::sync::Arc;

use super::Session;
use crate::account::{Grant, Memory};
use crate::failure::Failure;
use crate::ids::{Attempt, Ticket};
use crate::secret::Secret;
use crate::token::{AccessToken, SlotKey};

/// The next state, and what to do to get there, in this order.
pub type Step = (Session, Vec<Effect>);

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Read the record from the vault.
    Recall,
    /// Write the record, durably, before anything behind this is done (I3).
    Remember(Memory),
    /// Remove the record.
    Forget,
    /// Note, durably, that the refresh token is about to be used (I6). Remembering ends the note.
    Intend,
    /// End the note: what was intended has come to nothing, or changed nothing.
    Settle,
    /// Obtain a token of `key` from the provider.
    Obtain {
        /// The number that the reply must bear.
        attempt: Attempt,
        /// What to ask for.
        key: SlotKey,
        /// What to ask with.
        with: Means,
        /// On the ground of which grant.
        grant: Grant,
    },
    /// Revoke the grant at the provider and report with [`Event::Left`](super::Event::Left).
    Revoke {
        /// The number that the reply must bear.
        attempt: Attempt,
        /// What to revoke.
        grant: Grant,
        /// The access tokens that are still alive, to be revoked after it.
        access: Vec<Arc<AccessToken>>,
    },
    /// Revoke a refresh token that came too late to be kept. Nobody waits for it.
    Discard(Secret),
    /// Tell a caller.
    Answer {
        /// Whom.
        ticket: Ticket,
        /// What.
        outcome: Outcome,
    },
}

/// What a token is asked for with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Means {
    /// The refresh token (RFC 6749 §6). A use of it is noted before it begins (I6).
    RefreshToken(Secret),
    /// The client's own credentials (RFC 6749 §4.4).
    ClientCredentials,
    /// A broader access token, exchanged for a narrower one (RFC 8693).
    Exchange(Arc<AccessToken>),
}

/// What a ticket is answered with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// To a request for a token.
    Token(Result<Arc<AccessToken>, Failure>),
    /// To a sign-in that arrived.
    SignedIn(Result<(), Failure>),
    /// To a sign-out: the account is gone from here in every case.
    SignedOut(SignOutReport),
}

/// What the provider did when an account was signed out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignOutReport {
    /// It revoked the tokens.
    Revoked {
        /// The hint for ending the session in the browser too.
        id_token: Option<Secret>,
    },
    /// It was not told: only this machine forgot, or there was nothing to revoke.
    OnlyForgotten,
    /// It was asked and did not: the tokens may live on there until they expire.
    NotRevoked {
        /// Why, in its words or ours.
        failure: Failure,
        /// The hint for ending the session in the browser too.
        id_token: Option<Secret>,
    },
}
