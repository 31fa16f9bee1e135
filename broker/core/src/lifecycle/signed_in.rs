//! The transitions of a signed-in session: the line to the refresh token, and the slots behind it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::effect::{Effect, Outcome};
use super::event::{Arrival, Certainty, Event, Refusal, Renewal, SignOutReach, Want};
use super::freshness::{Freshness, Margins, freshness};
use super::step::{Leaver, Turn, forget, interaction_required, signed_out};
use super::{Demand, Doubt, Ending, Line, Past, Saved, SignedIn, Slot, Standing, State, backoff};
use crate::account::{Grant, Memory};
use crate::failure::Failure;
use crate::ids::{Attempt, Ticket};
use crate::time::BootTime;
use crate::token::{AccessToken, SlotKey};

/// The pause before a write that failed is tried again: a full disk is seldom emptied sooner.
const WRITE_AGAIN: Duration = Duration::from_secs(15);

impl SignedIn {
    pub(super) fn new(grant: Grant) -> Self {
        Self { grant, line: Line::Idle, slots: BTreeMap::new(), saved: Saved::Yes }
    }

    /// A session whose last process ended while the refresh token was in use: as after any lost
    /// answer, one repeat is allowed.
    pub(super) fn interrupted(grant: Grant) -> Self {
        Self { line: Line::InDoubt, ..Self::new(grant) }
    }

    pub(super) fn next(self, event: Event, turn: &mut Turn<'_>) -> State {
        match event {
            Event::Renewed { attempt, renewal } if self.awaits(attempt) => {
                self.renewed(renewal, turn)
            }
            Event::Refused { attempt, refusal } if self.awaits(attempt) => {
                self.refused(refusal, turn)
            }
            Event::Unreachable { attempt, failure, certainty } if self.awaits(attempt) => {
                self.unreachable(failure, certainty, turn)
            }
            Event::Remembered => State::SignedIn(Self { saved: Saved::Yes, ..self }),
            Event::RememberFailed => {
                let retry_at = turn.now.plus(WRITE_AGAIN);
                State::SignedIn(Self { saved: Saved::No { retry_at }, ..self })
            }
            Event::Tick => self.tick(turn),
            _late => State::SignedIn(self),
        }
    }

    /// Whether `attempt` is the use of the refresh token that is under way (I4).
    fn awaits(&self, attempt: Attempt) -> bool {
        matches!(self.line, Line::Busy { attempt: current, .. } if current == attempt)
    }

    pub(super) fn asked(mut self, ticket: Ticket, want: Want, turn: &mut Turn<'_>) -> State {
        let Want { key, need } = want;
        if !self.grant.scopes.is_empty() && !key.scopes.is_subset(&self.grant.scopes) {
            turn.answer_token(ticket, Err(not_granted()));
            return State::SignedIn(self);
        }
        let slot = self.slots.entry(key.clone()).or_default();
        slot.demand = Demand::Asked;
        let held = slot.held.clone();
        let judge = |token: &AccessToken| freshness(token, need, turn.now, turn.margins);
        match (held.as_ref().map(judge), held) {
            (Some(Freshness::Fresh), Some(token)) => turn.answer_token(ticket, Ok(token)),
            (Some(Freshness::Ageing), Some(token)) => {
                turn.answer_token(ticket, Ok(token));
                self.start_if_free(key, turn);
            }
            _ => return self.wait(ticket, key, turn),
        }
        State::SignedIn(self)
    }

    /// Lets a caller wait for a new token, unless it is plain that none will come.
    fn wait(mut self, ticket: Ticket, key: SlotKey, turn: &mut Turn<'_>) -> State {
        if let Line::Resting { retry_at, failure, .. } = &self.line
            && turn.now < *retry_at
        {
            let failure = failure.clone().retry_after(turn.now.until(*retry_at));
            turn.answer_token(ticket, Err(failure));
            return State::SignedIn(self);
        }
        if self.grant.refresh_token.is_none() {
            turn.answer_token(ticket, Err(Ending::NoRefreshToken.failure()));
            return self.end_if_nothing_is_left(turn);
        }
        self.slots.entry(key.clone()).or_default().waiting.push(ticket);
        self.start_if_free(key, turn);
        State::SignedIn(self)
    }

    /// Sends the refresh token for `key`, if nobody else uses it.
    fn start_if_free(&mut self, key: SlotKey, turn: &mut Turn<'_>) {
        let past = match &self.line {
            Line::Idle => Past::default(),
            Line::InDoubt => Past { failures: 0, doubt: Doubt::AnswerLost },
            Line::Resting { retry_at, past, .. } if *retry_at <= turn.now => *past,
            Line::Busy { .. } | Line::Resting { .. } => return,
        };
        let Some(refresh_token) = self.grant.refresh_token.clone() else { return };
        let attempt = turn.new_attempt();
        self.line = Line::Busy { attempt, key: key.clone(), past };
        turn.push(Effect::Intend);
        turn.push(Effect::Refresh { attempt, key, refresh_token });
    }

    /// Serves the want that has waited longest.
    fn start_next(&mut self, turn: &mut Turn<'_>) {
        if let Some(key) = self.longest_waiting() {
            self.start_if_free(key, turn);
        }
    }

    fn longest_waiting(&self) -> Option<SlotKey> {
        let oldest = |(key, slot): (&SlotKey, &Slot)| Some((*slot.waiting.first()?, key.clone()));
        self.slots.iter().filter_map(oldest).min_by_key(|(ticket, _)| *ticket).map(|(_, key)| key)
    }

    fn renewed(mut self, renewal: Renewal, turn: &mut Turn<'_>) -> State {
        let Some((key, _)) = self.free_line() else { return State::SignedIn(self) };
        let Renewal { access, refresh_token, id_token } = renewal;
        let before = self.grant.clone();
        self.grant.refresh_token = refresh_token.or(self.grant.refresh_token);
        self.grant.id_token = id_token.or(self.grant.id_token);
        if key.scopes.is_empty() {
            // Asked for all that was granted: what came back is all there is now.
            self.grant.scopes = access.scopes.clone();
        }
        turn.push(if self.grant == before {
            Effect::Settle
        } else {
            Effect::Remember(Memory::Granted(self.grant.clone()))
        });
        self.fill(key, &access, turn);
        self.start_next(turn);
        State::SignedIn(self)
    }

    /// Ends the use that is under way, and tells which it was.
    fn free_line(&mut self) -> Option<(SlotKey, Past)> {
        match std::mem::replace(&mut self.line, Line::Idle) {
            Line::Busy { key, past, .. } => Some((key, past)),
            other => {
                self.line = other;
                None
            }
        }
    }

    /// Puts a new token into its slot and answers those who waited for it.
    fn fill(&mut self, key: SlotKey, access: &AccessToken, turn: &mut Turn<'_>) {
        let slot = self.slots.entry(key).or_default();
        slot.held = Some(access.clone());
        slot.demand = Demand::Quiet;
        for ticket in std::mem::take(&mut slot.waiting) {
            turn.answer_token(ticket, Ok(access.clone()));
        }
    }

    fn refused(mut self, refusal: Refusal, turn: &mut Turn<'_>) -> State {
        let Some((key, past)) = self.free_line() else { return State::SignedIn(self) };
        match refusal {
            Refusal::InvalidGrant => match past.doubt {
                Doubt::None => self.end(Ending::ByProvider, turn),
                Doubt::AnswerLost => self.end(Ending::Interrupted, turn),
            },
            Refusal::Key(failure) => {
                settle(past, turn);
                let slot = self.slots.remove(&key).unwrap_or_default();
                answer_all(slot.waiting, &failure, turn);
                self.start_next(turn);
                State::SignedIn(self)
            }
            Refusal::Other(failure) => {
                settle(past, turn);
                self.rest(failure, past, turn)
            }
        }
    }

    fn unreachable(mut self, failure: Failure, certainty: Certainty, turn: &mut Turn<'_>) -> State {
        let Some((_, past)) = self.free_line() else { return State::SignedIn(self) };
        match (certainty, past.doubt) {
            (Certainty::NotActedOn, _) => {
                settle(past, turn);
                self.rest(failure, past, turn)
            }
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
        let past = Past { failures: past.failures.saturating_add(1), ..past };
        let pause = backoff::pause(past.failures, failure.retry_after, turn.margins.spread);
        self.line = Line::Resting { retry_at: turn.now.plus(pause), failure, past };
        pause
    }

    /// The provider has ended it: everybody is told, and so is the vault.
    fn end(self, why: Ending, turn: &mut Turn<'_>) -> State {
        turn.push(Effect::Remember(Memory::Ended));
        for slot in self.slots.into_values() {
            answer_all(slot.waiting, &why.failure(), turn);
        }
        State::Ended { why }
    }

    fn tick(mut self, turn: &mut Turn<'_>) -> State {
        if let Some(retry_at) = self.write_again_at()
            && retry_at <= turn.now
        {
            self.saved = Saved::No { retry_at: turn.now.plus(WRITE_AGAIN) };
            turn.push(Effect::Remember(Memory::Granted(self.grant.clone())));
        }
        if self.grant.refresh_token.is_none() {
            return self.end_if_nothing_is_left(turn);
        }
        self.start_next(turn);
        if let Some(key) = self.ageing(turn) {
            self.start_if_free(key, turn);
        }
        State::SignedIn(self)
    }

    /// A key in use whose token ages.
    fn ageing(&self, turn: &Turn<'_>) -> Option<SlotKey> {
        let due = |slot: &Slot| {
            let window = slot.renewal_window(turn.margins);
            window.is_some_and(|(from, to)| from <= turn.now && turn.now < to)
        };
        self.slots.iter().find(|(_, slot)| due(slot)).map(|(key, _)| key.clone())
    }

    /// Without a refresh token the session lasts as long as its last access token.
    fn end_if_nothing_is_left(self, turn: &mut Turn<'_>) -> State {
        let alive = |token: &AccessToken| turn.now < turn.margins.expires_at(token);
        if self.slots.values().any(|slot| slot.held.as_ref().is_some_and(alive)) {
            return State::SignedIn(self);
        }
        self.end(Ending::NoRefreshToken, turn)
    }

    /// A new grant takes the place of the old one, which is dropped and not revoked: at some
    /// providers revoking one ends both. Who waited is served from the new one.
    pub(super) fn arrived(
        before: Option<Self>,
        ticket: Ticket,
        arrival: Arrival,
        turn: &mut Turn<'_>,
    ) -> State {
        let Arrival { mut grant, key, access } = arrival;
        let (old_refresh, mut slots) = match before {
            Some(before) => (before.grant.refresh_token, before.slots),
            None => (None, BTreeMap::new()),
        };
        // Some providers give a refresh token at the first consent only.
        grant.refresh_token = grant.refresh_token.or(old_refresh);
        slots.retain(|_, slot| !slot.waiting.is_empty());
        for slot in slots.values_mut() {
            slot.held = None;
        }
        turn.push(Effect::Remember(Memory::Granted(grant.clone())));
        turn.answer(ticket, Outcome::SignedIn(Ok(())));
        let mut signed_in = Self { grant, line: Line::Idle, slots, saved: Saved::Yes };
        signed_in.fill(key, &access, turn);
        signed_in.start_next(turn);
        signed_in.without_vain_waits(turn)
    }

    /// Nobody is left waiting for a renewal that no refresh token can bring.
    fn without_vain_waits(mut self, turn: &mut Turn<'_>) -> State {
        if self.grant.refresh_token.is_none() {
            for slot in self.slots.values_mut() {
                let failure = Ending::NoRefreshToken.failure();
                answer_all(std::mem::take(&mut slot.waiting), &failure, turn);
            }
        }
        State::SignedIn(self)
    }

    pub(super) fn sign_out(self, leaver: &Leaver, turn: &mut Turn<'_>) -> State {
        for slot in self.slots.into_values() {
            answer_all(slot.waiting, &signed_out(), turn);
        }
        match leaver.reach {
            SignOutReach::Local => forget(leaver, turn),
            SignOutReach::Provider => {
                let attempt = turn.new_attempt();
                turn.push(Effect::Revoke { attempt, grant: self.grant });
                let leaving = vec![leaver.ticket];
                State::SigningOut { attempt, void_before: leaver.stamp, leaving }
            }
        }
    }

    pub(super) fn standing(&self) -> Standing {
        match (&self.line, self.saved) {
            (Line::Resting { failure, .. }, _) => Standing::Offline(failure.clone()),
            (_, Saved::No { .. }) => Standing::Unsaved,
            _ => Standing::Ready,
        }
    }

    pub(super) fn next_tick(&self, margins: &Margins) -> Option<BootTime> {
        self.write_again_at().into_iter().chain(self.next_renewal(margins)).min()
    }

    /// When a failed write is tried again: not while the refresh token is in use, because a record
    /// written then would end the note of that use.
    fn write_again_at(&self) -> Option<BootTime> {
        match (self.saved, &self.line) {
            (Saved::Yes, _) | (_, Line::Busy { .. }) => None,
            (Saved::No { retry_at }, _) => Some(retry_at),
        }
    }

    fn next_renewal(&self, margins: &Margins) -> Option<BootTime> {
        if self.grant.refresh_token.is_none() {
            let held = self.slots.values().filter_map(|slot| slot.held.as_ref());
            return held.map(|token| margins.expires_at(token)).max();
        }
        let not_before = match &self.line {
            Line::Busy { .. } => return None,
            Line::Idle | Line::InDoubt => BootTime::default(),
            Line::Resting { retry_at, .. } if self.longest_waiting().is_some() => {
                return Some(*retry_at);
            }
            Line::Resting { retry_at, .. } => *retry_at,
        };
        let windows = self.slots.values().filter_map(|slot| slot.renewal_window(margins));
        windows.filter(|(_, to)| not_before < *to).map(|(from, _)| from.max(not_before)).min()
    }
}

impl Slot {
    /// From when to when a renewal ahead makes sense: the token ages, and it is in use.
    fn renewal_window(&self, margins: &Margins) -> Option<(BootTime, BootTime)> {
        let token = self.held.as_ref().filter(|_| self.demand == Demand::Asked)?;
        Some((margins.ages_at(token), margins.expires_at(token)))
    }
}

/// Ends the note of a use that the provider did not act on. Where an earlier answer was lost, the
/// note stays: it is that one's too.
fn settle(past: Past, turn: &mut Turn<'_>) {
    if past.doubt == Doubt::None {
        turn.push(Effect::Settle);
    }
}

fn answer_all(tickets: Vec<Ticket>, failure: &Failure, turn: &mut Turn<'_>) {
    for ticket in tickets {
        turn.answer_token(ticket, Err(failure.clone()));
    }
}

fn not_granted() -> Failure {
    interaction_required("the sign-in does not cover these scopes")
}
