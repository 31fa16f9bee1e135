//! The lifecycle in sentences. Each test drives one session and reads what it asks of the desk.

mod coming_and_going;
mod exchange;
mod network;
mod pace;
mod step_up;
mod uncertain;
mod vault;

use std::time::Duration;

use super::*;
use crate::account::Memory;
use crate::authentication::{Authentication, Requirement};
use crate::failure::Code;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::token::TokenValue;

const HOUR: u64 = 3600;

/// A session, its clock, and the effects not yet looked at.
struct World {
    session: Session,
    now: BootTime,
    margins: Margins,
    effects: Vec<Effect>,
    tickets: u64,
}

impl World {
    fn new(session: Session) -> Self {
        let now = BootTime::from_start(Duration::from_secs(1000));
        Self { session, now, margins: Margins::default(), effects: Vec::new(), tickets: 0 }
    }

    /// Signed in a moment ago, with an access token that lives for an hour.
    fn signed_in() -> Self {
        let mut world = Self::new(Session::signed_out());
        world.arrive(1, "refresh-0", "access-0");
        world.take();
        world
    }

    /// The same, an hour and a half later: the access token has run out.
    fn expired() -> Self {
        let mut world = Self::signed_in();
        world.pass(HOUR + HOUR / 2);
        world
    }

    fn happen(&mut self, event: Event) {
        let session = std::mem::replace(&mut self.session, Session::signed_out());
        let (session, effects) = session.step(event, self.now, &self.margins);
        self.session = session;
        self.effects.extend(effects);
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn ask(&mut self, want: Want) -> Ticket {
        let ticket = self.ticket();
        self.happen(Event::Asked { ticket, want });
        ticket
    }

    fn ask_any(&mut self) -> Ticket {
        self.ask(Want::valid(SlotKey::default()))
    }

    fn access(&self, value: &str) -> AccessToken {
        AccessToken {
            value: TokenValue::new(value.into()),
            bound_to: None,
            scopes: scopes("openid read write"),
            resources: std::collections::BTreeSet::new(),
            authentication: Authentication::default(),
            issued: self.now,
            expires: self.now.plus(Duration::from_secs(HOUR)),
        }
    }

    fn arrive(&mut self, begun: u64, refresh: &str, access: &str) -> Ticket {
        let ticket = self.ticket();
        let arrival = Arrival {
            grant: grant(refresh),
            key: SlotKey::default(),
            access: self.access(access),
            keep_until: None,
        };
        self.happen(Event::Arrived { begun: Stamp(begun), ticket, arrival });
        ticket
    }

    fn renew(&mut self, attempt: Attempt, refresh: Option<&str>, access: &str) {
        let refresh_token = refresh.map(|text| Secret::new(text.into()));
        let renewal = Renewal { access: self.access(access), refresh_token, id_token: None };
        self.happen(Event::Renewed { attempt, renewal });
    }

    fn sign_out(&mut self, stamp: u64, reach: SignOutReach) -> Ticket {
        let ticket = self.ticket();
        self.happen(Event::SignOutAsked { ticket, stamp: Stamp(stamp), reach });
        ticket
    }

    /// The attempt of the one refresh among the effects.
    fn refresh(&mut self) -> Attempt {
        let effects = self.take();
        let attempts: Vec<_> = effects.iter().filter_map(refresh_attempt).collect();
        assert_eq!(attempts.len(), 1, "one refresh in {effects:?}");
        attempts[0]
    }
}

fn refresh_attempt(effect: &Effect) -> Option<Attempt> {
    match effect {
        Effect::Obtain { attempt, .. } => Some(*attempt),
        _ => None,
    }
}

fn means(effects: &[Effect]) -> Vec<&Means> {
    effects.iter().filter_map(means_of).collect()
}

fn means_of(effect: &Effect) -> Option<&Means> {
    match effect {
        Effect::Obtain { with, .. } => Some(with),
        _ => None,
    }
}

fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

fn key(scope: &str) -> SlotKey {
    SlotKey { scopes: scopes(scope), ..SlotKey::default() }
}

fn grant(refresh: &str) -> Grant {
    let refresh_token = Some(Secret::new(refresh.into()));
    Grant { refresh_token, scopes: scopes("openid read write"), ..Grant::default() }
}

fn given(effects: &[Effect], ticket: Ticket) -> Option<Result<String, Code>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Answer { ticket: to, outcome: Outcome::Token(result) } if *to == ticket => {
            Some(result.as_ref().map(|token| token.value.expose().to_owned()).map_err(|f| f.code))
        }
        _ => None,
    })
}

fn answered(effects: &[Effect], ticket: Ticket) -> bool {
    effects.iter().any(|e| matches!(e, Effect::Answer { ticket: to, .. } if *to == ticket))
}

fn down() -> Failure {
    Failure::new(Code::ProviderUnavailable, "the provider answers 503", "brokerctl status")
}

fn vault_locked() -> Failure {
    Failure::new(Code::VaultLocked, "locked", "brokerctl unlock")
}

#[test]
fn a_fresh_token_is_given_without_a_word_to_anybody() {
    let mut world = World::signed_in();
    let ticket = world.ask_any();
    let effects = world.take();
    assert_eq!(given(&effects, ticket), Some(Ok("access-0".into())));
    assert_eq!(effects.len(), 1);
}

#[test]
fn an_ageing_token_is_given_and_renewed_behind() {
    let mut world = World::signed_in();
    world.pass(HOUR - 200);
    let ticket = world.ask_any();
    let effects = world.take();
    assert_eq!(given(&effects, ticket), Some(Ok("access-0".into())));
    assert!(matches!(effects[1..], [Effect::Intend, Effect::Obtain { .. }]));
}

#[test]
fn two_callers_of_an_expired_token_share_one_refresh() {
    let mut world = World::expired();
    let (first, second) = (world.ask_any(), world.ask_any());
    let attempt = world.refresh();
    world.renew(attempt, Some("refresh-1"), "access-1");
    let effects = world.take();
    for ticket in [first, second] {
        assert_eq!(given(&effects, ticket), Some(Ok("access-1".into())));
    }
}

#[test]
fn a_rotated_refresh_token_is_remembered_before_anyone_is_answered() {
    let mut world = World::expired();
    world.ask_any();
    let attempt = world.refresh();
    world.renew(attempt, Some("refresh-1"), "access-1");
    let Effect::Remember(Memory::Granted(grant)) = &world.effects[0] else {
        panic!("first of {:?}", world.effects)
    };
    assert_eq!(grant.refresh_token, Some(Secret::new("refresh-1".into())));
}

#[test]
fn a_refresh_token_that_is_not_rotated_is_kept_and_costs_no_write() {
    let mut world = World::expired();
    world.ask_any();
    let attempt = world.refresh();
    world.renew(attempt, None, "access-1");
    assert!(!world.take().iter().any(|e| matches!(e, Effect::Remember(_))));
    assert_eq!(world.session.grant().unwrap().refresh_token, Some(Secret::new("refresh-0".into())));
}

#[test]
fn two_keys_use_the_refresh_token_one_after_the_other() {
    let mut world = World::expired();
    let reader = world.ask(Want::valid(key("read")));
    let writer = world.ask(Want::valid(key("write")));
    let attempt = world.refresh();
    world.renew(attempt, Some("refresh-1"), "access-read");
    assert_eq!(given(&world.effects, reader), Some(Ok("access-read".into())));
    assert!(matches!(world.effects[0], Effect::Remember(_)), "remembered before the next use");
    let attempt = world.refresh();
    world.renew(attempt, Some("refresh-2"), "access-write");
    assert_eq!(given(&world.take(), writer), Some(Ok("access-write".into())));
}

#[test]
fn a_refused_key_fails_its_own_callers_only() {
    let mut world = World::expired();
    let reader = world.ask(Want::valid(key("read")));
    let writer = world.ask(Want::valid(key("write")));
    let attempt = world.refresh();
    let refusal = Refusal::Key(Failure::new(Code::InvalidScope, "no", "brokerctl accounts"));
    world.happen(Event::Refused { attempt, refusal });
    assert_eq!(given(&world.effects, reader), Some(Err(Code::InvalidScope)));
    let attempt = world.refresh();
    world.renew(attempt, None, "access-write");
    assert_eq!(given(&world.take(), writer), Some(Ok("access-write".into())));
}

#[test]
fn a_scope_outside_the_grant_asks_for_a_person_and_not_the_provider() {
    let mut world = World::signed_in();
    let ticket = world.ask(Want::valid(key("admin")));
    let effects = world.take();
    assert_eq!(given(&effects, ticket), Some(Err(Code::InteractionRequired)));
    assert_eq!(effects.len(), 1);
}

#[test]
fn invalid_grant_ends_the_session_and_tells_everybody() {
    let mut world = World::expired();
    let (first, second) = (world.ask_any(), world.ask(Want::valid(key("read"))));
    let attempt = world.refresh();
    world.happen(Event::Refused { attempt, refusal: Refusal::InvalidGrant });
    let effects = world.take();
    assert_eq!(effects[0], Effect::Remember(Memory::Ended));
    assert_eq!(given(&effects, first), Some(Err(Code::InteractionRequired)));
    assert_eq!(given(&effects, second), Some(Err(Code::InteractionRequired)));
    assert_eq!(world.session.standing(), Standing::Ended(Ending::ByProvider));
}

#[test]
fn an_unavailable_provider_is_left_alone_and_the_session_is_kept() {
    let mut world = World::expired();
    let waiting = world.ask_any();
    let attempt = world.refresh();
    let certainty = Certainty::NotActedOn;
    world.happen(Event::Unreachable { attempt, failure: down(), certainty });
    assert_eq!(given(&world.take(), waiting), Some(Err(Code::ProviderUnavailable)));
    let at_once = world.ask_any();
    let effects = world.take();
    assert_eq!(given(&effects, at_once), Some(Err(Code::ProviderUnavailable)));
    assert_eq!(effects.len(), 1, "no request follows while it rests");
    world.pass(60);
    world.ask_any();
    world.refresh();
}

#[test]
fn a_valid_token_is_served_while_the_provider_is_down() {
    let mut world = World::signed_in();
    world.pass(HOUR - 200);
    world.ask_any();
    let attempt = world.refresh();
    let certainty = Certainty::NotActedOn;
    world.happen(Event::Unreachable { attempt, failure: down(), certainty });
    let ticket = world.ask_any();
    assert_eq!(given(&world.take(), ticket), Some(Ok("access-0".into())));
    assert!(matches!(world.session.standing(), Standing::Offline(_)));
}

#[test]
fn a_ten_second_token_is_not_renewed_without_end() {
    let world = World::signed_in();
    let mut token = world.access("short");
    token.expires = world.now.plus(Duration::from_secs(10));
    let verdict = |seconds| {
        let now = token.issued.plus(Duration::from_secs(seconds));
        freshness(&token, Need::default(), now, &Margins::default())
    };
    let verdicts: Vec<_> = (0..=10).map(verdict).collect();
    assert_eq!(verdicts[..8], [Freshness::Fresh; 8]);
    assert_eq!(verdicts[8..], [Freshness::Ageing, Freshness::Expired, Freshness::Expired]);
}

#[test]
fn a_need_beyond_the_providers_lifetime_is_met_by_its_newest_token() {
    let mut world = World::signed_in();
    let need = Need::AtLeast(Duration::from_secs(2 * HOUR));
    let ticket = world.ask(Want { need, ..Want::valid(SlotKey::default()) });
    assert_eq!(given(&world.take(), ticket), Some(Ok("access-0".into())));
    world.pass(60);
    world.ask(Want { need, ..Want::valid(SlotKey::default()) });
    world.refresh();
}

#[test]
fn forced_requests_of_the_same_moment_share_one_renewal() {
    let mut world = World::signed_in();
    let force = || Want { need: Need::Renewed, ..Want::valid(SlotKey::default()) };
    let (first, second) = (world.ask(force()), world.ask(force()));
    let attempt = world.refresh();
    world.renew(attempt, None, "access-1");
    let effects = world.take();
    assert!(given(&effects, first).is_some() && given(&effects, second).is_some());
}

#[test]
fn a_token_in_use_is_renewed_ahead_unasked_and_an_unused_one_is_not() {
    let mut world = World::signed_in();
    assert_eq!(world.session.next_tick(&world.margins), None, "nobody has asked yet");
    world.ask_any();
    world.take();
    let due = world.session.next_tick(&world.margins).unwrap();
    assert_eq!(world.now.until(due), Duration::from_secs(HOUR - 300));
    world.now = due;
    world.happen(Event::Tick);
    let attempt = world.refresh();
    world.renew(attempt, None, "access-1");
    assert_eq!(world.session.next_tick(&world.margins), None, "nobody asked for the new one");
}
