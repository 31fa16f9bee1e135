//! A walk over every sequence of events, breadth first over distinct states.
//!
//! It asserts what no list of examples can: every ticket is answered exactly once or still waits in
//! the state (I2), the refresh token has one user (I1), and nothing follows an answer that should
//! have gone before it (I3).

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use super::*;
use crate::account::Memory;
use crate::authentication::Authentication;
use crate::failure::Code;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::token::TokenValue;

const DEPTH: usize = 7;

/// One place of the walk. Tickets and attempts are renumbered, so that places that differ in
/// numbers alone are one.
#[derive(Clone)]
struct Place {
    session: Session,
    now: BootTime,
    open: BTreeSet<Ticket>,
    stamp: u64,
}

#[derive(Clone, Copy, Debug)]
enum Move {
    AskAll,
    AskRead,
    Force,
    Renewed(Which),
    RenewedRotating(Which),
    InvalidGrant(Which),
    InvalidScope(Which),
    NoExchange(Which),
    Failed(Which),
    Lost(Which),
    Recalled,
    RecalledInterrupted,
    RecallFailed,
    RememberFailed,
    Arrived,
    ArrivedStrong,
    ArrivedLate,
    ArrivedBare,
    SignOut,
    SignOutLocally,
    Left(Which),
    Locked,
    Unlocked,
    TimePasses,
    NetworkChanged,
}

/// The attempt that a reply bears.
#[derive(Clone, Copy, Debug)]
enum Which {
    Current,
    Old,
}

use Which::{Current, Old};

const MOVES: &[Move] = &[
    Move::AskAll,
    Move::AskRead,
    Move::Force,
    Move::Renewed(Current),
    Move::Renewed(Old),
    Move::RenewedRotating(Current),
    Move::RenewedRotating(Old),
    Move::InvalidGrant(Current),
    Move::InvalidGrant(Old),
    Move::InvalidScope(Current),
    Move::NoExchange(Current),
    Move::Failed(Current),
    Move::Lost(Current),
    Move::Lost(Old),
    Move::Recalled,
    Move::RecalledInterrupted,
    Move::RecallFailed,
    Move::RememberFailed,
    Move::Arrived,
    Move::ArrivedStrong,
    Move::ArrivedLate,
    Move::ArrivedBare,
    Move::SignOut,
    Move::SignOutLocally,
    Move::Left(Current),
    Move::Left(Old),
    Move::Locked,
    Move::Unlocked,
    Move::TimePasses,
    Move::NetworkChanged,
];

#[test]
fn every_ticket_is_answered_exactly_once_or_still_waits() {
    let mut seen = HashSet::new();
    let mut ring: Vec<_> =
        [Session::unread(), Session::signed_out(), Session::of_client(Grant::default())]
            .map(Place::at)
            .into();
    for depth in 0..DEPTH {
        let mut next = Vec::new();
        for place in &ring {
            for step in MOVES {
                let reached = place.go(*step);
                if seen.insert(format!("{:?}", reached.session) + &format!("{:?}", reached.now)) {
                    next.push(reached);
                }
            }
        }
        assert!(!next.is_empty(), "the walk ends at depth {depth}");
        ring = next;
    }
    assert!(seen.len() > 10_000, "only {} distinct states", seen.len());
}

impl Place {
    fn at(session: Session) -> Self {
        let now = BootTime::from_start(Duration::from_secs(1));
        Self { session, now, open: BTreeSet::new(), stamp: 2 }
    }

    /// Makes one move, checks the invariants, and renumbers.
    fn go(&self, step: Move) -> Self {
        let mut place = self.clone();
        let ticket = Ticket(place.open.len() as u64);
        let (event, expected) = place.event(step, ticket);
        place.open.extend(expected);
        let margins = Margins::default();
        let trace = format!("{step:?} at {:?}", place.session);
        let (session, effects) = place.session.step(event, place.now, &margins);
        place.session = session;
        place.check(&effects, &trace);
        if matches!(step, Move::TimePasses) {
            let due = place.session.next_tick(&margins);
            assert!(due.is_none_or(|due| due > place.now), "a tick without end: {trace}");
        }
        place.renumber();
        place
    }

    /// The event of a move, and the ticket that it opens.
    fn event(&mut self, step: Move, ticket: Ticket) -> (Event, Option<Ticket>) {
        let asked = |key, need| {
            let want = Want { need, ..Want::valid(key) };
            (Event::Asked { ticket, want }, Some(ticket))
        };
        let read = SlotKey { scopes: scopes("read"), ..SlotKey::default() };
        match step {
            Move::AskAll => asked(SlotKey::default(), Need::default()),
            Move::AskRead => asked(read, Need::default()),
            Move::Force => asked(SlotKey::default(), Need::Renewed),
            Move::Arrived => self.arrived(ticket, self.stamp, Some("new"), None),
            Move::ArrivedStrong => {
                let long = self.now.plus(Duration::from_mins(2));
                self.arrived(ticket, self.stamp, Some("new"), Some(long))
            }
            Move::ArrivedLate => self.arrived(ticket, 1, Some("late"), None),
            Move::ArrivedBare => self.arrived(ticket, self.stamp, None, None),
            Move::SignOut => self.sign_out(ticket, SignOutReach::Provider),
            Move::SignOutLocally => self.sign_out(ticket, SignOutReach::Local),
            Move::TimePasses => {
                self.now = self.now.plus(Duration::from_secs(40));
                (Event::Tick, None)
            }
            Move::NetworkChanged => (Event::NetworkChanged, None),
            reply => (self.reply(reply), None),
        }
    }

    fn arrived(
        &self,
        ticket: Ticket,
        begun: u64,
        refresh: Option<&str>,
        keep_until: Option<BootTime>,
    ) -> (Event, Option<Ticket>) {
        let refresh_token = refresh.map(|text| Secret::new(text.into()));
        let grant = Grant { refresh_token, scopes: scopes("read write"), ..Grant::default() };
        let arrival = Arrival { grant, key: SlotKey::default(), access: self.access(), keep_until };
        (Event::Arrived { begun: Stamp(begun), ticket, arrival }, Some(ticket))
    }

    fn sign_out(&self, ticket: Ticket, reach: SignOutReach) -> (Event, Option<Ticket>) {
        (Event::SignOutAsked { ticket, stamp: Stamp(self.stamp), reach }, Some(ticket))
    }

    fn reply(&self, step: Move) -> Event {
        let failure = Failure::new(Code::Offline, "offline", "brokerctl status");
        let renewal =
            |refresh_token| Renewal { access: self.access(), refresh_token, id_token: None };
        let refused = |attempt, refusal| Event::Refused { attempt, refusal };
        match step {
            Move::Renewed(which) => {
                Event::Renewed { attempt: self.attempt(which), renewal: renewal(None) }
            }
            Move::RenewedRotating(which) => {
                let rotated = renewal(Some(Secret::new("rotated".into())));
                Event::Renewed { attempt: self.attempt(which), renewal: rotated }
            }
            Move::InvalidGrant(which) => refused(self.attempt(which), Refusal::InvalidGrant),
            Move::InvalidScope(which) => refused(self.attempt(which), Refusal::Key(failure)),
            Move::NoExchange(which) => refused(self.attempt(which), Refusal::NoExchange),
            Move::Failed(which) => refused(self.attempt(which), Refusal::Other(failure)),
            Move::Lost(which) => {
                let certainty = Certainty::Unknown;
                Event::Unreachable { attempt: self.attempt(which), failure, certainty }
            }
            Move::Recalled => Event::Recalled(Some(Memory::Granted(old_grant()))),
            Move::RecalledInterrupted => Event::Recalled(Some(Memory::Interrupted(old_grant()))),
            Move::RecallFailed => Event::RecallFailed(failure),
            Move::RememberFailed => Event::RememberFailed,
            Move::Locked => Event::Locked(Failure::new(Code::VaultLocked, "locked", "unlock it")),
            Move::Unlocked => Event::Unlocked,
            Move::Left(which) => {
                Event::Left { attempt: self.attempt(which), report: SignOutReport::OnlyForgotten }
            }
            other => unreachable!("{other:?} is no reply"),
        }
    }

    fn attempt(&self, which: Which) -> Attempt {
        let last = self.session.next_attempt.0 - 1;
        match which {
            Current => Attempt(last),
            Old => Attempt(last.saturating_sub(1)),
        }
    }

    fn access(&self) -> AccessToken {
        AccessToken {
            value: TokenValue::new("access".into()),
            bound_to: None,
            scopes: scopes("read write"),
            resources: BTreeSet::new(),
            authentication: Authentication::default(),
            issued: self.now,
            expires: self.now.plus(Duration::from_mins(1)),
        }
    }

    fn check(&mut self, effects: &[Effect], trace: &str) {
        for effect in effects {
            if let Effect::Answer { ticket, .. } = effect {
                assert!(self.open.remove(ticket), "{ticket:?} answered twice: {trace}");
            }
        }
        assert_eq!(tickets(&self.session), self.open, "a ticket was lost: {trace}");
        let uses = effects.iter().filter(|e| matches!(e, Effect::Obtain { .. })).count();
        assert!(uses <= 1, "I1: {trace}");
        let intended = effects.iter().position(|e| matches!(e, Effect::Intend));
        let uses_it = |e: &Effect| matches!(e, Effect::Obtain { with: Means::RefreshToken(_), .. });
        let refreshed = effects.iter().position(uses_it);
        assert_eq!(intended.map(|place| place + 1), refreshed, "I6: {trace}");
        let remembered = effects.iter().position(|e| matches!(e, Effect::Remember(_)));
        let answered = effects.iter().position(|e| matches!(e, Effect::Answer { .. }));
        if let (Some(remembered), Some(answered)) = (remembered, answered) {
            assert!(remembered < answered, "I3: {trace}");
        }
    }

    /// Gives tickets the numbers from 0 in their order, and attempts the numbers around 10.
    fn renumber(&mut self) {
        let order: Vec<_> = self.open.iter().copied().collect();
        let rank = |ticket: &Ticket| Ticket(order.binary_search(ticket).unwrap() as u64);
        for_each_ticket(&mut self.session.state, |ticket| *ticket = rank(ticket));
        self.open = (0..order.len() as u64).map(Ticket).collect();
        let shift =
            |attempt: &mut Attempt, next: u64| attempt.0 = (10 + attempt.0).saturating_sub(next);
        let next = self.session.next_attempt.0;
        match &mut self.session.state {
            State::SignedIn(SignedIn { line: Line::Busy { attempt, .. }, .. })
            | State::SigningOut { attempt, .. } => shift(attempt, next),
            _ => {}
        }
        self.session.next_attempt = Attempt(10);
    }
}

fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

fn old_grant() -> Grant {
    let refresh_token = Some(Secret::new("old".into()));
    Grant { refresh_token, scopes: scopes("read write"), ..Grant::default() }
}

fn tickets(session: &Session) -> BTreeSet<Ticket> {
    let mut found = BTreeSet::new();
    for_each_ticket(&mut session.clone().state, |ticket| {
        assert!(found.insert(*ticket), "{ticket:?} waits twice");
    });
    found
}

fn for_each_ticket(state: &mut State, visit: impl FnMut(&mut Ticket)) {
    match state {
        State::Recalling { wants, leaving } => {
            let wants = wants.iter_mut().map(|(ticket, _)| ticket);
            wants.chain(leaving.iter_mut().map(|leaver| &mut leaver.ticket)).for_each(visit);
        }
        State::SignedIn(signed_in) => {
            signed_in.slots.values_mut().flat_map(|slot| &mut slot.waiting).for_each(visit);
        }
        State::SigningOut { leaving, .. } => leaving.iter_mut().for_each(visit),
        _ => {}
    }
}
