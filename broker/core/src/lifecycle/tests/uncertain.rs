//! Answers that were lost, notes of a use, and writes that failed.

use super::*;

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
