//! The transitions of a signed-in session: the line to the refresh token, and the slots behind it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::effect::{Effect, Means, Outcome, SignOutReport};
use super::event::{Arrival, Certainty, Event, Refusal, Renewal, SignOutReach, Want};
use super::freshness::{Freshness, Need, freshness};
use super::step::{Leaver, Turn, forget, interaction_required, signed_out};
use super::{
    AtStake, Demand, Doubt, Ending, Exchange, Holder, Line, Past, Saved, SignedIn, Slot, Standing,
    State, backoff,
};
use crate::account::{Grant, Memory};
use crate::failure::{Code, Failure};
use crate::ids::{Attempt, Ticket};
use crate::time::BootTime;
use crate::token::{AccessToken, SlotKey};

/// The pause before a write that failed is tried again: a full disk is seldom emptied sooner.
const WRITE_AGAIN: Duration = Duration::from_secs(15);
/// How often a provider that was out of reach is tried unasked after the network has changed: with
/// the pauses between, for half a minute. A network seldom works from its first moment.
const UNASKED: u8 = 6;
/// The time over which the accounts of one machine come back when the network does.
const BACK_WITHIN: Duration = Duration::from_secs(1);

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

    /// Whether `attempt` is the use of the refresh token that is under way (I4).
    fn awaits(&self, attempt: Attempt) -> bool {
        matches!(self.line, Line::Busy { attempt: current, .. } if current == attempt)
    }

    pub(super) fn asked(mut self, ticket: Ticket, want: Want, turn: &mut Turn<'_>) -> State {
        let Want { key, need, requirement } = want;
        if !self.grant.scopes.is_empty() && !key.scopes.is_subset(&self.grant.scopes) {
            turn.answer_token(ticket, Err(not_granted()));
            return State::SignedIn(self);
        }
        let slot = self.slots.entry(key.clone()).or_default();
        slot.demand = Demand::Asked;
        let fits = |token: &&AccessToken| requirement.is_met_by(&token.authentication);
        let held = slot.held.as_ref().filter(fits).cloned();
        if held.is_none() && !requirement.is_met_by(&self.grant.authentication) {
            turn.answer_token(ticket, Err(step_up_required()));
            return State::SignedIn(self);
        }
        let judge = |token: &AccessToken| freshness(token, need, turn.now, turn.margins);
        match (held.as_ref().map(judge), held) {
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
    fn broader_than(&self, key: &SlotKey, turn: &Turn<'_>) -> Option<AccessToken> {
        if key.scopes.is_empty() {
            return None;
        }
        let fits = |token: &&AccessToken| {
            key.scopes.is_subset(&token.scopes)
                && freshness(token, Need::default(), turn.now, turn.margins) == Freshness::Fresh
        };
        let broad = self.slots.iter().filter(|(other, _)| other.scopes.is_empty());
        broad.filter_map(|(_, slot)| slot.held.as_ref()).find(fits).cloned()
    }

    /// Asks for a token of `key`, if nobody else is asking.
    fn start_if_free(&mut self, key: SlotKey, turn: &mut Turn<'_>) {
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
    fn start_next(&mut self, turn: &mut Turn<'_>) {
        if let Some(key) = self.longest_waiting() {
            self.start_if_free(key, turn);
        }
    }

    pub(super) fn longest_waiting(&self) -> Option<SlotKey> {
        let oldest = |(key, slot): (&SlotKey, &Slot)| Some((*slot.waiting.first()?, key.clone()));
        self.slots.iter().filter_map(oldest).min_by_key(|(ticket, _)| *ticket).map(|(_, key)| key)
    }

    fn renewed(mut self, renewal: Renewal, turn: &mut Turn<'_>) -> State {
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
        self.fill(key, &access, turn);
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

    /// Puts a new token into its slot and answers those who waited for it.
    fn fill(&mut self, key: SlotKey, access: &AccessToken, turn: &mut Turn<'_>) {
        let slot = self.slots.entry(key).or_default();
        slot.held = Some(access.clone());
        slot.keep_until = BootTime::default();
        slot.demand = Demand::Quiet;
        for ticket in std::mem::take(&mut slot.waiting) {
            turn.answer_token(ticket, Ok(access.clone()));
        }
    }

    fn refused(mut self, refusal: Refusal, turn: &mut Turn<'_>) -> State {
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

    fn unreachable(mut self, failure: Failure, certainty: Certainty, turn: &mut Turn<'_>) -> State {
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

    /// Has a provider that was out of reach tried again soon. One that answered, if only to say
    /// that it cannot serve, is left alone for as long as it asked.
    fn network_changed(mut self, turn: &Turn<'_>) -> State {
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
        signed_in.fill(key.clone(), &access, turn);
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

/// Whether the provider could not even be asked.
fn is_out_of_reach(failure: &Failure) -> bool {
    failure.code == Code::Offline
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

fn answer_all(tickets: Vec<Ticket>, failure: &Failure, turn: &mut Turn<'_>) {
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
