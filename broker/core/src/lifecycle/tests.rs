//! The lifecycle in sentences. Each test drives one session and reads what it asks of the desk.

mod network;
mod pace;

use std::time::Duration;

use super::*;
use crate::account::Memory;
use crate::authentication::{Authentication, Requirement};
use crate::failure::Code;
use crate::scope::ScopeSet;
use crate::secret::Secret;

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
            value: Secret::new(value.into()),
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
fn a_lost_answer_is_repeated_once_and_callers_wait_for_it() {
    let mut world = World::expired();
    let ticket = world.ask_any();
    let attempt = world.refresh();
    let certainty = Certainty::Unknown;
    world.happen(Event::Unreachable { attempt, failure: down(), certainty });
    assert!(!answered(&world.take(), ticket));
    let due = world.session.next_tick(&world.margins).expect("the repeat is due some time");
    world.now = due;
    world.happen(Event::Tick);
    let attempt = world.refresh();
    world.renew(attempt, Some("refresh-1"), "access-1");
    assert_eq!(given(&world.take(), ticket), Some(Ok("access-1".into())));
}

#[test]
fn a_second_lost_answer_means_a_new_sign_in() {
    let mut world = World::expired();
    let ticket = world.ask_any();
    for _ in 0..2 {
        let attempt = world.refresh();
        let certainty = Certainty::Unknown;
        world.happen(Event::Unreachable { attempt, failure: down(), certainty });
        world.pass(10);
        world.happen(Event::Tick);
        if world.session.standing() == Standing::Ended(Ending::Interrupted) {
            break;
        }
    }
    assert_eq!(given(&world.take(), ticket), Some(Err(Code::InteractionRequired)));
}

#[test]
fn invalid_grant_after_a_lost_answer_is_told_as_an_interrupted_renewal() {
    let mut world = World::expired();
    world.ask_any();
    let attempt = world.refresh();
    let certainty = Certainty::Unknown;
    world.happen(Event::Unreachable { attempt, failure: down(), certainty });
    world.pass(10);
    world.happen(Event::Tick);
    let attempt = world.refresh();
    world.happen(Event::Refused { attempt, refusal: Refusal::InvalidGrant });
    assert_eq!(world.session.standing(), Standing::Ended(Ending::Interrupted));
}

#[test]
fn a_use_of_the_refresh_token_is_noted_before_it_begins() {
    let mut world = World::expired();
    world.ask_any();
    assert!(matches!(world.effects[..], [Effect::Intend, Effect::Obtain { .. }]));
}

#[test]
fn a_use_that_changed_nothing_ends_its_note() {
    let mut world = World::expired();
    world.ask_any();
    let attempt = world.refresh();
    world.renew(attempt, None, "access-1");
    assert_eq!(world.take()[0], Effect::Settle);
    world.pass(2 * HOUR);
    world.ask_any();
    let attempt = world.refresh();
    let certainty = Certainty::NotActedOn;
    world.happen(Event::Unreachable { attempt, failure: down(), certainty });
    assert_eq!(world.take()[0], Effect::Settle);
}

#[test]
fn a_note_found_at_the_start_allows_one_repeat() {
    let mut world = World::new(Session::unread());
    let ticket = world.ask_any();
    world.take();
    world.happen(Event::Recalled(Some(Memory::Interrupted(grant("refresh-0")))));
    assert_eq!(world.session.standing(), Standing::Ready);
    let attempt = world.refresh();
    world.happen(Event::Refused { attempt, refusal: Refusal::InvalidGrant });
    assert_eq!(given(&world.take(), ticket), Some(Err(Code::InteractionRequired)));
    assert_eq!(world.session.standing(), Standing::Ended(Ending::Interrupted));
}

#[test]
fn a_note_outlives_a_failure_that_came_after_a_lost_answer() {
    let mut world = World::expired();
    world.ask_any();
    let attempt = world.refresh();
    world.happen(Event::Unreachable { attempt, failure: down(), certainty: Certainty::Unknown });
    assert!(!world.take().contains(&Effect::Settle));
    world.pass(10);
    world.happen(Event::Tick);
    let attempt = world.refresh();
    world.happen(Event::Unreachable { attempt, failure: down(), certainty: Certainty::NotActedOn });
    assert!(!world.take().contains(&Effect::Settle));
}

#[test]
fn a_failed_write_is_said_and_tried_again() {
    let mut world = World::signed_in();
    world.happen(Event::RememberFailed);
    assert_eq!(world.session.standing(), Standing::Unsaved);
    let ticket = world.ask_any();
    assert_eq!(given(&world.take(), ticket), Some(Ok("access-0".into())), "it lives on in memory");
    world.now = world.session.next_tick(&world.margins).unwrap();
    world.happen(Event::Tick);
    assert!(matches!(world.take()[..], [Effect::Remember(Memory::Granted(_))]));
    world.happen(Event::Remembered);
    assert_eq!(world.session.standing(), Standing::Ready);
}

#[test]
fn signing_out_answers_those_who_wait_and_revokes_before_it_forgets() {
    let mut world = World::expired();
    let waiting = world.ask_any();
    world.refresh();
    let leaving = world.sign_out(2, SignOutReach::Provider);
    let effects = world.take();
    assert_eq!(given(&effects, waiting), Some(Err(Code::InteractionRequired)));
    let Some(Effect::Revoke { attempt, .. }) = effects.last() else { panic!("{effects:?}") };
    let report = SignOutReport::Revoked { id_token: None };
    world.happen(Event::Left { attempt: *attempt, report });
    let effects = world.take();
    assert_eq!(effects[0], Effect::Forget);
    assert!(answered(&effects, leaving));
}

#[test]
fn a_renewal_that_comes_after_a_sign_out_is_given_back() {
    let mut world = World::expired();
    world.ask_any();
    let attempt = world.refresh();
    world.sign_out(2, SignOutReach::Local);
    world.take();
    world.renew(attempt, Some("refresh-1"), "access-1");
    assert_eq!(world.take(), [Effect::Discard(Secret::new("refresh-1".into()))]);
    assert_eq!(world.session.standing(), Standing::SignedOut);
}

#[test]
fn a_sign_in_begun_before_a_sign_out_is_void_and_one_begun_after_counts() {
    let mut world = World::signed_in();
    world.sign_out(5, SignOutReach::Local);
    world.take();
    let early = world.arrive(4, "early", "access-early");
    let effects = world.take();
    assert!(
        effects.contains(&Effect::Discard(Secret::new("early".into())))
            && answered(&effects, early)
    );
    assert_eq!(world.session.standing(), Standing::SignedOut);
    world.arrive(6, "late", "access-late");
    assert_eq!(world.session.standing(), Standing::Ready);
}

#[test]
fn a_new_sign_in_serves_those_who_waited_for_the_old_one() {
    let mut world = World::expired();
    let any = world.ask_any();
    let reader = world.ask(Want::valid(key("read")));
    let old = world.refresh();
    world.arrive(9, "refresh-9", "access-9");
    assert_eq!(given(&world.effects, any), Some(Ok("access-9".into())));
    let attempt = world.refresh();
    world.renew(old, Some("stale"), "stale");
    assert_eq!(world.session.grant().unwrap().refresh_token, Some(Secret::new("refresh-9".into())));
    world.renew(attempt, None, "access-read");
    assert_eq!(given(&world.take(), reader), Some(Ok("access-read".into())));
}

#[test]
fn a_sign_in_without_a_refresh_token_keeps_the_one_at_hand() {
    let mut world = World::signed_in();
    let mut arrival = Arrival {
        grant: grant("x"),
        key: SlotKey::default(),
        access: world.access("a"),
        keep_until: None,
    };
    arrival.grant.refresh_token = None;
    let ticket = world.ticket();
    world.happen(Event::Arrived { begun: Stamp(3), ticket, arrival });
    assert_eq!(world.session.grant().unwrap().refresh_token, Some(Secret::new("refresh-0".into())));
}

#[test]
fn without_a_refresh_token_the_session_ends_with_its_token() {
    let mut world = World::new(Session::signed_out());
    let mut arrival = Arrival {
        grant: grant("x"),
        key: SlotKey::default(),
        access: world.access("a"),
        keep_until: None,
    };
    arrival.grant.refresh_token = None;
    let ticket = world.ticket();
    world.happen(Event::Arrived { begun: Stamp(1), ticket, arrival });
    let ticket = world.ask_any();
    assert_eq!(given(&world.take(), ticket), Some(Ok("a".into())));
    world.now = world.session.next_tick(&world.margins).unwrap();
    world.happen(Event::Tick);
    assert_eq!(world.session.standing(), Standing::Ended(Ending::NoRefreshToken));
}

#[test]
fn after_a_restart_the_first_caller_has_the_record_read_once() {
    let mut world = World::new(Session::unread());
    let (first, second) = (world.ask_any(), world.ask_any());
    assert_eq!(world.take(), [Effect::Recall]);
    world.happen(Event::Recalled(Some(Memory::Granted(grant("refresh-0")))));
    let attempt = world.refresh();
    world.renew(attempt, None, "access-1");
    let effects = world.take();
    assert!(given(&effects, first).is_some() && given(&effects, second).is_some());
}

#[test]
fn a_locked_vault_fails_the_callers_and_is_asked_again_by_the_next() {
    let mut world = World::new(Session::unread());
    let ticket = world.ask_any();
    world.take();
    let locked = Failure::new(Code::VaultLocked, "the keyring is locked", "brokerctl unlock");
    world.happen(Event::RecallFailed(locked));
    assert_eq!(given(&world.take(), ticket), Some(Err(Code::VaultLocked)));
    world.ask_any();
    assert_eq!(world.take(), [Effect::Recall]);
}

#[test]
fn a_locked_vault_takes_what_it_holds_out_of_memory_and_gives_it_back_when_opened() {
    let mut world = World::signed_in();
    world.happen(Event::Locked(vault_locked()));
    assert_eq!(world.session.standing(), Standing::Unreadable(vault_locked()));
    assert_eq!(world.session.grant(), None);
    world.happen(Event::Unlocked);
    assert_eq!(world.session.standing(), Standing::Ready);
    world.ask_any();
    assert_eq!(world.take(), [Effect::Recall]);
}

#[test]
fn a_lock_waits_for_a_refresh_token_in_use_and_for_one_that_is_not_on_disk() {
    let mut world = World::expired();
    let ticket = world.ask_any();
    let attempt = world.refresh();
    world.happen(Event::Locked(vault_locked()));
    assert!(world.session.grant().is_some(), "the provider may be rotating it");
    world.renew(attempt, Some("refresh-1"), "access-1");
    assert_eq!(given(&world.take(), ticket), Some(Ok("access-1".into())));
    world.happen(Event::RememberFailed);
    world.happen(Event::Locked(vault_locked()));
    assert!(world.session.grant().is_some(), "it is nowhere else");
    world.happen(Event::Remembered);
    world.happen(Event::Locked(vault_locked()));
    assert_eq!(world.session.grant(), None);
}

#[test]
fn an_opened_vault_has_a_broken_record_looked_at_again() {
    let broken = Failure::new(Code::VaultDamaged, "broken", "brokerctl vault status");
    let mut world = World::new(Session::unread());
    world.ask_any();
    world.happen(Event::RecallFailed(broken.clone()));
    world.happen(Event::Locked(vault_locked()));
    assert_eq!(world.session.standing(), Standing::Unreadable(broken.clone()), "worse than locked");
    world.take();
    world.happen(Event::Unlocked);
    assert_eq!(world.take(), [Effect::Recall]);
    world.happen(Event::RecallFailed(broken.clone()));
    assert_eq!(world.session.standing(), Standing::Unreadable(broken));
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

/// What the effects ask the provider with.
fn means(effects: &[Effect]) -> Vec<&Means> {
    effects.iter().filter_map(means_of).collect()
}

fn means_of(effect: &Effect) -> Option<&Means> {
    match effect {
        Effect::Obtain { with, .. } => Some(with),
        _ => None,
    }
}

#[test]
fn a_narrower_token_is_exchanged_for_the_broad_one_and_leaves_the_refresh_token_alone() {
    let mut world = World::signed_in();
    let ticket = world.ask(Want::valid(key("read")));
    let effects = world.take();
    assert!(
        matches!(means(&effects)[..], [Means::Exchange(broad)] if broad.value.expose() == "access-0")
    );
    assert!(!effects.contains(&Effect::Intend), "nothing is at stake");
    world.renew(Attempt(1), None, "narrow");
    let effects = world.take();
    assert_eq!(given(&effects, ticket), Some(Ok("narrow".into())));
    assert!(!effects.iter().any(|e| matches!(e, Effect::Remember(_) | Effect::Settle)));
}

#[test]
fn where_no_exchange_is_offered_the_refresh_token_is_used_and_it_is_not_asked_again() {
    let mut world = World::signed_in();
    let first = world.ask(Want::valid(key("read")));
    let attempt = world.refresh();
    world.happen(Event::Refused { attempt, refusal: Refusal::NoExchange });
    let effects = world.take();
    assert!(matches!(means(&effects)[..], [Means::RefreshToken(_)]), "{effects:?}");
    world.renew(Attempt(2), Some("refresh-1"), "narrow");
    assert_eq!(given(&world.take(), first), Some(Ok("narrow".into())));
    world.ask(Want::valid(key("write")));
    assert!(matches!(means(&world.take())[..], [Means::RefreshToken(_)]));
}

#[test]
fn the_broad_token_itself_is_never_exchanged() {
    let mut world = World::signed_in();
    world.ask(Want { need: Need::Renewed, ..Want::valid(SlotKey::default()) });
    world.pass(3);
    world.ask(Want { need: Need::Renewed, ..Want::valid(SlotKey::default()) });
    assert!(matches!(means(&world.take())[..], [Means::RefreshToken(_)]));
}

fn demand(acr: &str) -> Requirement {
    Requirement { acr_values: vec![acr.to_owned()], ..Requirement::default() }
}

/// A sign-in of the kind "gold", which an API asked for, and whose token is kept for some minutes.
fn step_up(world: &mut World, access: &str, minutes: u64) {
    let ticket = world.ticket();
    let authentication = Authentication { acr: Some("gold".into()), ..Authentication::default() };
    let grant = Grant { authentication: authentication.clone(), ..grant("strong") };
    let access = AccessToken { authentication, ..world.access(access) };
    let keep_until = Some(world.now.plus(Duration::from_mins(minutes)));
    let arrival = Arrival { grant, key: key("write"), access, keep_until };
    world.happen(Event::Arrived { begun: Stamp(1), ticket, arrival });
    world.take();
}

#[test]
fn a_demand_that_the_sign_in_does_not_meet_asks_for_a_person_and_not_the_provider() {
    let mut world = World::signed_in();
    let want = Want { requirement: demand("gold"), ..Want::valid(SlotKey::default()) };
    let ticket = world.ask(want);
    let effects = world.take();
    assert_eq!(given(&effects, ticket), Some(Err(Code::StepUpRequired)));
    assert_eq!(effects.len(), 1);
}

#[test]
fn a_stronger_token_answers_the_next_silent_call_whether_it_demands_anything_or_not() {
    let mut world = World::signed_in();
    step_up(&mut world, "strong", 10);
    for requirement in [demand("gold"), Requirement::NONE] {
        let ticket = world.ask(Want { requirement, ..Want::valid(key("write")) });
        assert_eq!(given(&world.take(), ticket), Some(Ok("strong".into())));
    }
}

#[test]
fn a_stronger_token_is_not_renewed_ahead_while_it_is_kept() {
    let mut world = World::signed_in();
    step_up(&mut world, "strong", 57);
    world.pass(56 * 60);
    world.ask(Want::valid(key("write")));
    assert!(means(&world.take()).is_empty(), "it ages, yet a newer one might be weaker");
    world.pass(2 * 60);
    world.ask(Want::valid(key("write")));
    assert_eq!(means(&world.take()).len(), 1, "its time is over");
}

#[test]
fn a_stronger_token_outlives_a_second_sign_in_until_its_time_is_over() {
    let mut world = World::signed_in();
    step_up(&mut world, "strong", 10);
    world.arrive(2, "refresh-2", "weak");
    world.take();
    let ticket = world.ask(Want { requirement: demand("gold"), ..Want::valid(key("write")) });
    assert_eq!(given(&world.take(), ticket), Some(Ok("strong".into())));
    world.pass(11 * 60);
    world.arrive(3, "refresh-3", "weak");
    world.take();
    let ticket = world.ask(Want { requirement: demand("gold"), ..Want::valid(key("write")) });
    assert_eq!(given(&world.take(), ticket), Some(Err(Code::StepUpRequired)));
}

#[test]
fn a_new_key_leaves_nothing_of_the_old_grant_behind() {
    let mut world = World::signed_in();
    step_up(&mut world, "strong", 10);
    let ticket = world.ticket();
    let bound =
        Grant { dpop_key: Some(Secret::new("key".into())), refresh_token: None, ..grant("x") };
    let access = world.access("bound");
    let arrival = Arrival { grant: bound, key: SlotKey::default(), access, keep_until: None };
    world.happen(Event::Arrived { begun: Stamp(2), ticket, arrival });
    let effects = world.take();
    let remembered = effects.iter().find_map(|effect| match effect {
        Effect::Remember(Memory::Granted(grant)) => Some(grant.refresh_token.clone()),
        _ => None,
    });
    assert_eq!(remembered, Some(None), "the old refresh token needs the old key");
    let ticket = world.ask(Want::valid(key("write")));
    assert_eq!(given(&world.take(), ticket), Some(Err(Code::InteractionRequired)));
}

#[test]
fn a_client_of_its_own_is_ready_without_a_sign_in_and_asks_with_its_credentials() {
    let mut world = World::new(Session::of_client(Grant::default()));
    assert_eq!(world.session.standing(), Standing::Ready);
    let ticket = world.ask(Want::valid(key("backup.write")));
    let effects = world.take();
    assert!(matches!(means(&effects)[..], [Means::ClientCredentials]));
    world.renew(Attempt(1), None, "token");
    let effects = world.take();
    assert_eq!(given(&effects, ticket), Some(Ok("token".into())));
    assert_eq!(effects.len(), 1, "nothing of it is kept: {effects:?}");
}

#[test]
fn a_client_of_its_own_survives_a_refusal_and_a_sign_out() {
    let mut world = World::new(Session::of_client(Grant::default()));
    let ticket = world.ask_any();
    let attempt = world.refresh();
    world.happen(Event::Refused { attempt, refusal: Refusal::Other(down()) });
    assert_eq!(given(&world.take(), ticket), Some(Err(Code::ProviderUnavailable)));
    world.pass(60);
    world.ask_any();
    let attempt = world.refresh();
    world.renew(attempt, None, "token");
    world.take();
    let leaver = world.sign_out(5, SignOutReach::Provider);
    let effects = world.take();
    assert!(answered(&effects, leaver) && effects.len() == 1, "{effects:?}");
    world.ask_any();
    assert_eq!(means(&world.take()).len(), 1, "its token was dropped, and it is still there");
}
