//! The transitions of the line: one use of the refresh token at a time, and what its end brings.
//!
//! 1. `start_if_free` begins a use, with whatever gets the token without touching the refresh token
//!    where that is possible (`means`).
//! 2. It ends as `renewed`, `refused` or `unreachable`; any other number is not awaited (I4).
//! 3. What failed makes the line rest, and callers hear when it is worth trying again; a lost answer
//!    allows one repeat, and its callers wait for that.

use std::sync::Arc;
use std::time::Duration;

use super::effect::{Effect, Means};
use super::event::{Certainty, Refusal, Renewal};
use super::freshness::{Freshness, Need, freshness};
use super::signed_in::answer_all;
use super::step::Turn;
use super::{AtStake, Doubt, Ending, Exchange, Holder, Line, Past, SignedIn, Slot, State, backoff};
use crate::account::Memory;
use crate::failure::{Code, Failure};
use crate::ids::Attempt;
use crate::token::{AccessToken, SlotKey};

/// How often a provider that was out of reach is tried unasked after the network has changed: with
/// the pauses between, for half a minute. A network seldom works from its first moment.
const UNASKED: u8 = 6;
/// The time over which the accounts of one machine come back when the network does.
const BACK_WITHIN: Duration = Duration::from_secs(1);

impl SignedIn {
    /// Whether `attempt` is the use of the refresh token that is under way (I4).
    pub(super) fn awaits(&self, attempt: Attempt) -> bool {
        matches!(self.line, Line::Busy { attempt: current, .. } if current == attempt)
    }

    /// What to ask for a token of `key` with. A narrower token is exchanged for a broader one where
    /// that is at hand, because that leaves the refresh token alone.
    fn means(&self, key: &SlotKey, turn: &Turn<'_>) -> Option<Means> {
        if self.holder == Holder::Client {
            return Some(Means::ClientCredentials);
        }
        if let (Exchange::Untried, Line::Idle) = (self.exchange, &self.line)
            && let Some(broader) = self.broader_than(key, turn)
        {
            return Some(Means::Exchange(broader));
        }
        self.grant.refresh_token.clone().map(Means::RefreshToken)
    }

    /// A token for all that was granted that holds the scopes of `key` and is not about to run out.
    fn broader_than(&self, key: &SlotKey, turn: &Turn<'_>) -> Option<Arc<AccessToken>> {
        if key.scopes.is_empty() {
            return None;
        }
        let fits = |token: &&Arc<AccessToken>| {
            key.scopes.is_subset(&token.scopes)
                && freshness(token, Need::default(), turn.now, turn.margins) == Freshness::Fresh
        };
        let broad = self.slots.iter().filter(|(other, _)| other.scopes.is_empty());
        broad.filter_map(|(_, slot)| slot.held.as_ref()).find(fits).cloned()
    }

    /// Asks for a token of `key`, if nobody else is asking.
    pub(super) fn start_if_free(&mut self, key: SlotKey, turn: &mut Turn<'_>) {
        let past = match &self.line {
            Line::Idle => Past::default(),
            Line::InDoubt => Past { doubt: Doubt::AnswerLost, ..Past::default() },
            Line::Resting { retry_at, past, .. } if *retry_at <= turn.now => {
                Past { unasked: past.unasked.saturating_sub(1), ..*past }
            }
            Line::Busy { .. } | Line::Resting { .. } => return,
        };
        let Some(with) = self.means(&key, turn) else { return };
        let attempt = turn.new_attempt();
        let at_stake = match with {
            Means::RefreshToken(_) => AtStake::RefreshToken,
            Means::ClientCredentials | Means::Exchange(_) => AtStake::Nothing,
        };
        self.line = Line::Busy { attempt, key: key.clone(), past, at_stake };
        if at_stake == AtStake::RefreshToken {
            turn.push(Effect::Intend);
        }
        turn.push(Effect::Obtain { attempt, key, with, grant: self.grant.clone() });
    }

    /// Serves the want that has waited longest.
    pub(super) fn start_next(&mut self, turn: &mut Turn<'_>) {
        if let Some(key) = self.longest_waiting() {
            self.start_if_free(key, turn);
        }
    }

    pub(super) fn longest_waiting(&self) -> Option<SlotKey> {
        let oldest = |(key, slot): (&SlotKey, &Slot)| Some((*slot.waiting.first()?, key.clone()));
        self.slots.iter().filter_map(oldest).min_by_key(|(ticket, _)| *ticket).map(|(_, key)| key)
    }

    pub(super) fn renewed(mut self, renewal: Renewal, turn: &mut Turn<'_>) -> State {
        let Some(Freed { key, at_stake, .. }) = self.free_line() else {
            return State::SignedIn(self);
        };
        let Renewal { access, refresh_token, id_token } = renewal;
        let before = self.grant.clone();
        self.grant.refresh_token = refresh_token.or(self.grant.refresh_token);
        self.grant.id_token = id_token.or(self.grant.id_token);
        if key == SlotKey::default() {
            // Asked for all that was granted: what came back is all there is now. An answer for one
            // API tells of that API's scopes only.
            self.grant.scopes = access.scopes.clone();
        }
        match at_stake {
            AtStake::RefreshToken if self.grant == before => turn.push(Effect::Settle),
            AtStake::RefreshToken => {
                turn.push(Effect::Remember(Memory::Granted(self.grant.clone())));
            }
            AtStake::Nothing => self.grant = before,
        }
        self.fill(key, Arc::new(access), turn);
        self.start_next(turn);
        State::SignedIn(self)
    }

    /// Ends the use that is under way, and tells which it was.
    fn free_line(&mut self) -> Option<Freed> {
        match std::mem::replace(&mut self.line, Line::Idle) {
            Line::Busy { key, past, at_stake, .. } => Some(Freed { key, past, at_stake }),
            other => {
                self.line = other;
                None
            }
        }
    }

    pub(super) fn refused(mut self, refusal: Refusal, turn: &mut Turn<'_>) -> State {
        let Some(freed) = self.free_line() else { return State::SignedIn(self) };
        match refusal {
            Refusal::InvalidGrant if freed.at_stake == AtStake::RefreshToken => {
                self.end(freed.past.ending(), turn)
            }
            // What else is refused was no refresh token; where there is one, it is the way.
            Refusal::InvalidGrant | Refusal::NoExchange => {
                self.exchange = Exchange::Refused;
                self.start_if_free(freed.key, turn);
                State::SignedIn(self)
            }
            Refusal::Key(failure) => {
                freed.settle(turn);
                let slot = self.slots.remove(&freed.key).unwrap_or_default();
                answer_all(slot.waiting, &failure, turn);
                self.start_next(turn);
                State::SignedIn(self)
            }
            Refusal::Other(failure) => {
                freed.settle(turn);
                self.rest(failure, freed.past, turn)
            }
        }
    }

    pub(super) fn unreachable(
        mut self,
        failure: Failure,
        certainty: Certainty,
        turn: &mut Turn<'_>,
    ) -> State {
        let Some(freed) = self.free_line() else { return State::SignedIn(self) };
        let past = freed.past;
        match (certainty, past.doubt) {
            (Certainty::NotActedOn, _) => {
                freed.settle(turn);
                self.rest(failure, past, turn)
            }
            _ if freed.at_stake == AtStake::Nothing => self.rest(failure, past, turn),
            (Certainty::Unknown, Doubt::None) => {
                self.doubt(failure, Past { doubt: Doubt::AnswerLost, ..past }, turn)
            }
            // A second repeat could be the reuse that makes a strict provider end the grant.
            (Certainty::Unknown, Doubt::AnswerLost) => self.end(Ending::Interrupted, turn),
        }
    }

    /// Leaves the provider alone for a while. Nobody is kept waiting for that long.
    fn rest(mut self, failure: Failure, past: Past, turn: &mut Turn<'_>) -> State {
        let pause = self.begin_rest(failure.clone(), past, turn);
        let failure = failure.retry_after(pause);
        for slot in self.slots.values_mut() {
            answer_all(std::mem::take(&mut slot.waiting), &failure, turn);
        }
        State::SignedIn(self)
    }

    /// Pauses before the one repeat that a lost answer allows. Callers wait for it.
    fn doubt(mut self, failure: Failure, past: Past, turn: &mut Turn<'_>) -> State {
        self.begin_rest(failure, past, turn);
        State::SignedIn(self)
    }

    fn begin_rest(&mut self, failure: Failure, past: Past, turn: &Turn<'_>) -> Duration {
        let unasked = if is_out_of_reach(&failure) { past.unasked } else { 0 };
        let past = Past { failures: past.failures.saturating_add(1), unasked, ..past };
        let pause = backoff::pause(past.failures, failure.retry_after, turn.margins);
        self.line = Line::Resting { retry_at: turn.now.plus(pause), failure, past };
        pause
    }

    /// Has a provider that was out of reach tried again soon. One that answered, if only to say
    /// that it cannot serve, is left alone for as long as it asked.
    pub(super) fn network_changed(mut self, turn: &Turn<'_>) -> State {
        match &mut self.line {
            // What is on its way may be lost with the old network.
            Line::Busy { past, .. } => past.unasked = UNASKED,
            Line::Resting { retry_at, failure, past } if is_out_of_reach(failure) => {
                *past = Past { failures: 0, unasked: UNASKED, ..*past };
                let soon = turn.now.plus(turn.margins.apart(BACK_WITHIN));
                *retry_at = soon.min(*retry_at);
            }
            _ => {}
        }
        State::SignedIn(self)
    }
}

/// Whether the provider could not even be asked.
fn is_out_of_reach(failure: &Failure) -> bool {
    failure.code == Code::Offline
}

impl Past {
    /// What an `invalid_grant` means after this.
    const fn ending(self) -> Ending {
        match self.doubt {
            Doubt::None => Ending::ByProvider,
            Doubt::AnswerLost => Ending::Interrupted,
        }
    }
}

/// A use of the line that has come to its end.
struct Freed {
    key: SlotKey,
    past: Past,
    at_stake: AtStake,
}

impl Freed {
    /// Ends the note of a use that the provider did not act on. Where an earlier answer was lost,
    /// the note stays: it is that one's too.
    fn settle(&self, turn: &mut Turn<'_>) {
        if self.at_stake == AtStake::RefreshToken && self.past.doubt == Doubt::None {
            turn.push(Effect::Settle);
        }
    }
}
