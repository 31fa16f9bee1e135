//! The transitions of a signed-in session: who asks, who waits, and how it ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::effect::{Effect, Outcome, SignOutReport};
use super::event::{Arrival, Event, SignOutReach, Want};
use super::freshness::{Freshness, freshness};
use super::step::{Leaver, Turn, forget, interaction_required, signed_out};
use super::{Demand, Ending, Exchange, Holder, Line, Saved, SignedIn, Slot, Standing, State};
use crate::account::{Grant, Memory};
use crate::failure::{Code, Failure};
use crate::ids::Ticket;
use crate::time::BootTime;
use crate::token::{AccessToken, SlotKey};

/// The pause before a write that failed is tried again: a full disk is seldom emptied sooner.
const WRITE_AGAIN: Duration = Duration::from_secs(15);

impl SignedIn {
    pub(super) fn new(grant: Grant) -> Self {
        Self {
            grant,
            holder: Holder::Person,
            exchange: Exchange::Untried,
            line: Line::Idle,
            slots: BTreeMap::new(),
            saved: Saved::Yes,
        }
    }

    /// The client for itself.
    pub(super) fn of_client(grant: Grant) -> Self {
        Self { holder: Holder::Client, ..Self::new(grant) }
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
            Event::NetworkChanged => self.network_changed(turn),
            _late => State::SignedIn(self),
        }
    }

    pub(super) fn asked(mut self, ticket: Ticket, want: Want, turn: &mut Turn<'_>) -> State {
        let Want { key, need, requirement } = want;
        if !self.grant.scopes.is_empty() && !key.scopes.is_subset(&self.grant.scopes) {
            turn.answer_token(ticket, Err(not_granted()));
            return State::SignedIn(self);
        }
        let slot = self.slots.entry(key.clone()).or_default();
        slot.demand = Demand::Asked;
        let fits = |token: &&Arc<AccessToken>| requirement.is_met_by(&token.authentication);
        let held = slot.held.as_ref().filter(fits).cloned();
        if held.is_none() && !requirement.is_met_by(&self.grant.authentication) {
            turn.answer_token(ticket, Err(step_up_required()));
            return State::SignedIn(self);
        }
        let judge = |token: &AccessToken| freshness(token, need, turn.now, turn.margins);
        match (held.as_deref().map(judge), held) {
            (Some(Freshness::Fresh), Some(token)) => turn.answer_token(ticket, Ok(token)),
            (Some(Freshness::Ageing), Some(token)) => {
                turn.answer_token(ticket, Ok(token));
                self.renew_behind(key, turn);
            }
            _ => return self.wait(ticket, key, turn),
        }
        State::SignedIn(self)
    }

    /// Renews an ageing token, unless it is kept because a newer one may be weaker.
    fn renew_behind(&mut self, key: SlotKey, turn: &mut Turn<'_>) {
        if self.slots.get(&key).is_some_and(|slot| slot.keep_until <= turn.now) {
            self.start_if_free(key, turn);
        }
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
        if !self.can_renew() {
            turn.answer_token(ticket, Err(Ending::NoRefreshToken.failure()));
            return self.end_if_nothing_is_left(turn);
        }
        self.slots.entry(key.clone()).or_default().waiting.push(ticket);
        self.start_if_free(key, turn);
        State::SignedIn(self)
    }

    /// Whether new tokens can be had without a person.
    pub(super) fn can_renew(&self) -> bool {
        self.holder == Holder::Client || self.grant.refresh_token.is_some()
    }

    /// Puts a new token into its slot and answers those who waited for it.
    pub(super) fn fill(&mut self, key: SlotKey, access: Arc<AccessToken>, turn: &mut Turn<'_>) {
        let slot = self.slots.entry(key).or_default();
        for ticket in std::mem::take(&mut slot.waiting) {
            turn.answer_token(ticket, Ok(Arc::clone(&access)));
        }
        slot.held = Some(access);
        slot.keep_until = BootTime::default();
        slot.demand = Demand::Quiet;
    }

    /// The provider has ended it: everybody is told, and so is the vault.
    pub(super) fn end(self, why: Ending, turn: &mut Turn<'_>) -> State {
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
        if !self.can_renew() {
            return self.end_if_nothing_is_left(turn);
        }
        self.start_next(turn);
        if let Some((due, key)) = self.next_unasked(turn.margins)
            && due <= turn.now
        {
            self.start_if_free(key, turn);
        }
        State::SignedIn(self)
    }

    /// Without a refresh token the session lasts as long as its last access token.
    fn end_if_nothing_is_left(self, turn: &mut Turn<'_>) -> State {
        let alive = |token: &AccessToken| turn.now < turn.margins.expires_at(token);
        if self.slots.values().any(|slot| slot.held.as_deref().is_some_and(alive)) {
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
        let Arrival { mut grant, key, access, keep_until } = arrival;
        let mut slots = BTreeMap::new();
        if let Some(before) = before {
            slots = before.slots;
            let bound_alike = before.grant.dpop_key == grant.dpop_key;
            // Some providers give a refresh token at the first consent only. One that is bound to
            // another key would be of no use.
            if bound_alike {
                grant.refresh_token = grant.refresh_token.or(before.grant.refresh_token);
            }
            slots.retain(|_, slot| slot.outlives_its_grant(bound_alike, turn.now));
        }
        turn.push(Effect::Remember(Memory::Granted(grant.clone())));
        turn.answer(ticket, Outcome::SignedIn(Ok(())));
        let mut signed_in = Self { slots, ..Self::new(grant) };
        signed_in.fill(key.clone(), Arc::new(access), turn);
        signed_in.slots.entry(key).or_default().keep_until = keep_until.unwrap_or_default();
        signed_in.start_next(turn);
        signed_in.without_vain_waits(turn)
    }

    /// Nobody is left waiting for a renewal that no refresh token can bring.
    fn without_vain_waits(mut self, turn: &mut Turn<'_>) -> State {
        if !self.can_renew() {
            for slot in self.slots.values_mut() {
                let failure = Ending::NoRefreshToken.failure();
                answer_all(std::mem::take(&mut slot.waiting), &failure, turn);
            }
        }
        State::SignedIn(self)
    }

    pub(super) fn sign_out(self, leaver: &Leaver, turn: &mut Turn<'_>) -> State {
        let mut access = Vec::new();
        for slot in self.slots.into_values() {
            answer_all(slot.waiting, &signed_out(), turn);
            access.extend(slot.held.filter(|token| turn.now < token.expires));
        }
        if self.holder == Holder::Client {
            // It is in the configuration and stays there; only its tokens are dropped.
            turn.answer(leaver.ticket, Outcome::SignedOut(SignOutReport::OnlyForgotten));
            return State::SignedIn(Self::of_client(self.grant));
        }
        match leaver.reach {
            SignOutReach::Local => forget(leaver, turn),
            SignOutReach::Provider => {
                let attempt = turn.new_attempt();
                turn.push(Effect::Revoke { attempt, grant: self.grant, access });
                let leaving = vec![leaver.ticket];
                State::SigningOut { attempt, void_before: leaver.stamp, leaving }
            }
        }
    }

    /// Puts the grant out of memory, unless something would be lost by that: a refresh token that is
    /// in use may come back rotated, and what the disk refused is nowhere else. A doubt is not lost:
    /// the note of it stays in the vault. Of a client there is nothing in the vault.
    pub(super) fn locked(self, failure: Failure, turn: &mut Turn<'_>) -> State {
        let in_use = matches!(self.line, Line::Busy { .. });
        if in_use || self.saved != Saved::Yes || self.holder == Holder::Client {
            return State::SignedIn(self);
        }
        for slot in self.slots.into_values() {
            answer_all(slot.waiting, &failure, turn);
        }
        State::Unread { trouble: Some(failure) }
    }

    pub(super) fn standing(&self) -> Standing {
        match (&self.line, self.saved) {
            (Line::Resting { failure, .. }, _) => Standing::Offline(failure.clone()),
            (_, Saved::No { .. }) => Standing::Unsaved,
            _ => Standing::Ready,
        }
    }
}

impl Slot {
    /// Makes the slot ready for a new grant: what is still waited for stays, and so does a token
    /// that is kept for its strength, where the new grant can present it. Tells whether anything
    /// of it stays.
    fn outlives_its_grant(&mut self, bound_alike: bool, now: BootTime) -> bool {
        if !(bound_alike && now < self.keep_until) {
            self.held = None;
        }
        self.held.is_some() || !self.waiting.is_empty()
    }
}

pub(super) fn answer_all(tickets: Vec<Ticket>, failure: &Failure, turn: &mut Turn<'_>) {
    for ticket in tickets {
        turn.answer_token(ticket, Err(failure.clone()));
    }
}

fn step_up_required() -> Failure {
    let message = "the API asks for a stronger or more recent sign-in than this one";
    Failure::new(Code::StepUpRequired, message, "brokerctl login")
}

fn not_granted() -> Failure {
    interaction_required("the sign-in does not cover these scopes")
}
