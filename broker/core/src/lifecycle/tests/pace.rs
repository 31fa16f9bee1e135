//! How often a provider is asked: neither too late, nor without end.

use super::*;

impl World {
    /// Somebody asks every ten milliseconds for a minute, at a provider that answers at once and
    /// whose tokens live for `lifetime`. How often it is asked, and how many are left without.
    fn busy_minute(lifetime: Duration) -> (usize, usize) {
        let mut world = Self::signed_in();
        world.pass(2 * HOUR);
        let end = world.now.plus(Duration::from_mins(1));
        let (mut renewals, mut without) = (0, 0);
        while world.now < end {
            if world.session.next_tick(&world.margins).is_some_and(|due| due <= world.now) {
                world.happen(Event::Tick);
            }
            let ticket = world.ask_any();
            let effects = world.take();
            let mut served = answered(&effects, ticket);
            for attempt in effects.iter().filter_map(refresh_attempt) {
                let mut access = world.access("short");
                access.expires = world.now.plus(lifetime);
                let renewal = Renewal { access, refresh_token: None, id_token: None };
                world.happen(Event::Renewed { attempt, renewal });
                served |= answered(&world.take(), ticket);
                renewals += 1;
            }
            without += usize::from(!served);
            world.now = world.now.plus(Duration::from_millis(10));
        }
        (renewals, without)
    }
}

#[test]
fn a_token_of_one_second_is_renewed_about_once_a_second() {
    let (renewals, without) = World::busy_minute(Duration::from_secs(1));
    assert!((60..=86).contains(&renewals), "{renewals}");
    assert_eq!(without, 0);
}

#[test]
fn a_token_of_no_life_at_all_is_no_reason_to_ask_without_end() {
    for lifetime in [0, 1, 999].map(Duration::from_millis) {
        let (renewals, without) = World::busy_minute(lifetime);
        assert!((60..=86).contains(&renewals), "{renewals}");
        assert_eq!(without, 0);
    }
}

#[test]
fn a_ten_second_token_in_use_is_renewed_about_every_eight_seconds() {
    let (renewals, without) = World::busy_minute(Duration::from_secs(10));
    assert!((7..=9).contains(&renewals), "{renewals}");
    assert_eq!(without, 0);
}

#[test]
fn a_token_in_use_that_ran_out_in_a_suspend_is_renewed_when_the_machine_wakes() {
    let mut world = World::signed_in();
    world.ask_any();
    world.take();
    world.pass(12 * HOUR);
    world.happen(Event::Tick);
    world.refresh();
}

#[test]
fn a_failing_provider_is_tried_ahead_only_while_the_token_still_lives() {
    let mut world = World::signed_in();
    world.ask_any();
    world.take();
    let mut tries = 0;
    while let Some(due) = world.session.next_tick(&world.margins) {
        assert!(world.now < due, "no tick comes before its time");
        world.now = due;
        world.happen(Event::Tick);
        let attempt = world.refresh();
        let certainty = Certainty::NotActedOn;
        world.happen(Event::Unreachable { attempt, failure: down(), certainty });
        tries += 1;
    }
    assert!((10..=16).contains(&tries), "{tries} in the last five minutes");
}

#[test]
fn a_provider_that_asks_for_no_pause_is_given_one() {
    let mut world = World::signed_in();
    world.ask_any();
    world.take();
    world.now = world.session.next_tick(&world.margins).unwrap();
    world.happen(Event::Tick);
    let attempt = world.refresh();
    let failure = down().retry_after(Duration::ZERO);
    world.happen(Event::Unreachable { attempt, failure, certainty: Certainty::NotActedOn });
    let due = world.session.next_tick(&world.margins).unwrap();
    assert_eq!(world.now.until(due), Duration::from_secs(1));
}

#[test]
fn a_caller_that_waits_for_one_key_is_not_held_up_by_anothers_ageing_token() {
    let mut world = World::signed_in();
    world.pass(HOUR - 200);
    world.ask_any();
    let behind = world.refresh();
    let reader = world.ask(Want::valid(key("read")));
    world.renew(behind, None, "access-1");
    let attempt = world.refresh();
    world.renew(attempt, None, "access-read");
    assert_eq!(given(&world.take(), reader), Some(Ok("access-read".into())));
}
