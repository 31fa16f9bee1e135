//! The transitions of a session as a whole: who is kept waiting, who is told what.

use std::sync::Arc;

use super::effect::{Effect, Outcome, SignOutReport, Step};
use super::event::{Arrival, Event, SignOutReach, Want};
use super::freshness::Margins;
use super::{Ending, Session, SignedIn, State};
use crate::account::Memory;
use crate::failure::{Code, Failure};
use crate::ids::{Attempt, Stamp, Ticket};
use crate::secret::Secret;
use crate::time::BootTime;
use crate::token::AccessToken;

/// What one step works with: the time, the margins, and the effects it collects.
pub(super) struct Turn<'a> {
    pub(super) now: BootTime,
    pub(super) margins: &'a Margins,
    next_attempt: Attempt,
    effects: Vec<Effect>,
}

impl Turn<'_> {
    /// A number that no job had before.
    pub(super) fn new_attempt(&mut self) -> Attempt {
        let attempt = self.next_attempt;
        self.next_attempt = Attempt(attempt.0 + 1);
        attempt
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn answer(&mut self, ticket: Ticket, outcome: Outcome) {
        self.push(Effect::Answer { ticket, outcome });
    }

    pub(super) fn answer_token(
        &mut self,
        ticket: Ticket,
        token: Result<Arc<AccessToken>, Failure>,
    ) {
        self.answer(ticket, Outcome::Token(token));
    }

    /// Gives a refresh token that is not kept back to the provider.
    fn discard(&mut self, refresh_token: Option<Secret>) {
        if let Some(secret) = refresh_token {
            self.push(Effect::Discard(secret));
        }
    }
}

impl Session {
    /// What follows from `event`, seen at `now`.
    #[must_use]
    pub fn step(self, event: Event, now: BootTime, margins: &Margins) -> Step {
        let next_attempt = self.next_attempt;
        let mut turn = Turn { now, margins, next_attempt, effects: Vec::new() };
        let state = self.state.next(event, &mut turn);
        (Self { state, next_attempt: turn.next_attempt }, turn.effects)
    }
}

impl State {
    fn next(self, event: Event, turn: &mut Turn<'_>) -> Self {
        match event {
            Event::Asked { ticket, want } => self.asked(ticket, want, turn),
            Event::Recalled(memory) => self.recalled(memory, turn),
            Event::RecallFailed(failure) => self.recall_failed(failure, turn),
            Event::Arrived { begun, ticket, arrival } => self.arrived(begun, ticket, arrival, turn),
            Event::SignOutAsked { ticket, stamp, reach } => {
                self.sign_out_asked(Leaver { ticket, stamp, reach }, turn)
            }
            Event::Left { attempt, report } => self.left(attempt, &report, turn),
            Event::Locked(failure) => self.locked(failure, turn),
            Event::Unlocked => self.unlocked(turn),
            of_the_line => self.line_event(of_the_line, turn),
        }
    }

    /// Events of the line concern a signed-in session only. Anywhere else they come late, and a
    /// refresh token that comes late is given back instead of lying about at the provider.
    fn line_event(self, event: Event, turn: &mut Turn<'_>) -> Self {
        match (self, event) {
            (Self::SignedIn(signed_in), event) => signed_in.next(event, turn),
            (other, Event::Renewed { renewal, .. }) => {
                turn.discard(renewal.refresh_token);
                other
            }
            (other, _) => other,
        }
    }

    fn asked(self, ticket: Ticket, want: Want, turn: &mut Turn<'_>) -> Self {
        match self {
            Self::SignedIn(signed_in) => signed_in.asked(ticket, want, turn),
            Self::Unread { .. } => {
                turn.push(Effect::Recall);
                Self::Recalling { wants: vec![(ticket, want)], leaving: Vec::new() }
            }
            Self::Recalling { mut wants, leaving } => {
                wants.push((ticket, want));
                Self::Recalling { wants, leaving }
            }
            without_grant => {
                turn.answer_token(ticket, Err(without_grant.why_not()));
                without_grant
            }
        }
    }

    /// Why a session without a grant has no token to give.
    fn why_not(&self) -> Failure {
        match self {
            Self::Ended { why } => why.failure(),
            _ => signed_out(),
        }
    }

    fn recalled(self, memory: Option<Memory>, turn: &mut Turn<'_>) -> Self {
        let Self::Recalling { wants, leaving } = self else { return self };
        let found = match memory {
            Some(Memory::Granted(grant)) => Self::SignedIn(SignedIn::new(grant)),
            Some(Memory::Interrupted(grant)) => Self::SignedIn(SignedIn::interrupted(grant)),
            Some(Memory::Ended) => Self::Ended { why: Ending::ByProvider },
            None => Self::SignedOut { void_before: Stamp::default() },
        };
        // Leavers first: nobody is to be given a token of an account that is on its way out.
        let found =
            leaving.into_iter().fold(found, |state, leaver| state.sign_out_asked(leaver, turn));
        wants.into_iter().fold(found, |state, (ticket, want)| state.asked(ticket, want, turn))
    }

    fn recall_failed(self, failure: Failure, turn: &mut Turn<'_>) -> Self {
        let Self::Recalling { wants, leaving } = self else { return self };
        for (ticket, _) in wants {
            turn.answer_token(ticket, Err(failure.clone()));
        }
        let Some(void_before) = leaving.iter().map(|leaver| leaver.stamp).max() else {
            return Self::Unread { trouble: Some(failure) };
        };
        turn.push(Effect::Forget);
        for leaver in leaving {
            let report = SignOutReport::NotRevoked { failure: failure.clone(), id_token: None };
            turn.answer(leaver.ticket, Outcome::SignedOut(report));
        }
        Self::SignedOut { void_before }
    }

    fn arrived(self, begun: Stamp, ticket: Ticket, arrival: Arrival, turn: &mut Turn<'_>) -> Self {
        if begun < self.void_before() {
            turn.discard(arrival.grant.refresh_token);
            turn.answer(ticket, Outcome::SignedIn(Err(signed_out_meanwhile())));
            return self;
        }
        let (before, wants, leaving) = match self {
            Self::SignedIn(before) => (Some(before), Vec::new(), Vec::new()),
            Self::Recalling { wants, leaving } => {
                (None, wants, leaving.into_iter().map(|leaver| leaver.ticket).collect())
            }
            Self::SigningOut { leaving, .. } => (None, Vec::new(), leaving),
            _ => (None, Vec::new(), Vec::new()),
        };
        let state = SignedIn::arrived(before, ticket, arrival, turn);
        for ticket in leaving {
            turn.answer(ticket, Outcome::SignedOut(SignOutReport::OnlyForgotten));
        }
        wants.into_iter().fold(state, |state, (ticket, want)| state.asked(ticket, want, turn))
    }

    /// Sign-ins begun before this are void.
    fn void_before(&self) -> Stamp {
        match self {
            Self::SignedOut { void_before } | Self::SigningOut { void_before, .. } => *void_before,
            Self::Recalling { leaving, .. } => {
                leaving.iter().map(|leaver| leaver.stamp).max().unwrap_or_default()
            }
            _ => Stamp::default(),
        }
    }

    fn sign_out_asked(self, leaver: Leaver, turn: &mut Turn<'_>) -> Self {
        match self {
            Self::SignedIn(signed_in) => signed_in.sign_out(&leaver, turn),
            Self::Unread { .. } if leaver.reach == SignOutReach::Provider => {
                turn.push(Effect::Recall);
                Self::Recalling { wants: Vec::new(), leaving: vec![leaver] }
            }
            Self::Recalling { wants, mut leaving } => {
                leaving.push(leaver);
                Self::Recalling { wants, leaving }
            }
            Self::SigningOut { attempt, void_before, mut leaving } => {
                leaving.push(leaver.ticket);
                Self::SigningOut { attempt, void_before: void_before.max(leaver.stamp), leaving }
            }
            Self::Unread { .. } | Self::Ended { .. } | Self::SignedOut { .. } => {
                forget(&leaver, turn)
            }
        }
    }

    /// What is not in memory cannot be had any more; a record known to be broken stays so.
    fn locked(self, failure: Failure, turn: &mut Turn<'_>) -> Self {
        match self {
            Self::SignedIn(signed_in) => signed_in.locked(failure, turn),
            Self::Unread { trouble } if is_of_the_lock(trouble.as_ref()) => {
                Self::Unread { trouble: Some(failure) }
            }
            other => other,
        }
    }

    /// What failed for the lock alone is well again; what failed otherwise is looked at again.
    fn unlocked(self, turn: &mut Turn<'_>) -> Self {
        match self {
            Self::Unread { trouble } if is_of_the_lock(trouble.as_ref()) => {
                Self::Unread { trouble: None }
            }
            Self::Unread { .. } => {
                turn.push(Effect::Recall);
                Self::Recalling { wants: Vec::new(), leaving: Vec::new() }
            }
            other => other,
        }
    }

    fn left(self, attempt: Attempt, report: &SignOutReport, turn: &mut Turn<'_>) -> Self {
        match self {
            Self::SigningOut { attempt: current, void_before, leaving } if current == attempt => {
                turn.push(Effect::Forget);
                for ticket in leaving {
                    turn.answer(ticket, Outcome::SignedOut(report.clone()));
                }
                Self::SignedOut { void_before }
            }
            other => other,
        }
    }
}

/// Whether nothing is wrong with a record itself.
fn is_of_the_lock(trouble: Option<&Failure>) -> bool {
    trouble.is_none_or(|failure| failure.code == Code::VaultLocked)
}

/// Somebody who waits for the account to be gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Leaver {
    pub(super) ticket: Ticket,
    pub(super) stamp: Stamp,
    pub(super) reach: SignOutReach,
}

/// Removes the record without a word to the provider.
pub(super) fn forget(leaver: &Leaver, turn: &mut Turn<'_>) -> State {
    turn.push(Effect::Forget);
    turn.answer(leaver.ticket, Outcome::SignedOut(SignOutReport::OnlyForgotten));
    State::SignedOut { void_before: leaver.stamp }
}

impl Ending {
    /// What a caller is told.
    pub(super) fn failure(self) -> Failure {
        let message = match self {
            Self::ByProvider => "the provider ended this sign-in",
            Self::Interrupted => {
                "a renewal was interrupted, and the provider then ended this sign-in"
            }
            Self::NoRefreshToken => {
                "the access token has run out, and the provider gave no refresh token"
            }
        };
        interaction_required(message)
    }
}

pub(super) fn interaction_required(message: &str) -> Failure {
    Failure::new(Code::InteractionRequired, message, "brokerctl login")
}

pub(super) fn signed_out() -> Failure {
    interaction_required("the account was signed out")
}

fn signed_out_meanwhile() -> Failure {
    let message = "the account was signed out while this sign-in was under way";
    Failure::new(Code::Cancelled, message, "brokerctl login")
}
