//! Sign-ins that arrive, and sign-outs, also in the midst of something else.

use super::*;

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
