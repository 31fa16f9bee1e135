//! What a change of network does to a session, and what it leaves alone.

use super::*;

fn offline() -> Failure {
    Failure::new(Code::Offline, "the provider cannot be reached", "check the network")
}

impl World {
    /// Somebody asked for an expired token, and the provider was out of reach.
    fn offline() -> Self {
        let mut world = Self::expired();
        world.ask_any();
        world.fail_offline();
        world
    }

    fn fail_offline(&mut self) {
        self.fail(offline(), Certainty::NotActedOn);
    }

    fn fail(&mut self, failure: Failure, certainty: Certainty) {
        let attempt = self.refresh();
        self.happen(Event::Unreachable { attempt, failure, certainty });
        self.take();
    }

    fn change_network(&mut self) {
        self.happen(Event::NetworkChanged);
        assert_eq!(self.take(), [], "nothing happens in the very moment");
    }

    /// How long it is to the next tick.
    fn pause(&self) -> Option<Duration> {
        self.session.next_tick(&self.margins).map(|due| self.now.until(due))
    }

    /// Lets time pass until the next tick, and ticks.
    fn tick(&mut self) {
        self.now = self.session.next_tick(&self.margins).expect("something is due");
        self.happen(Event::Tick);
    }
}

#[test]
fn a_session_that_was_offline_is_ready_again_without_being_asked() {
    let mut world = World::offline();
    assert_eq!(world.pause(), None, "nobody waits, and the old token is of no use");
    world.change_network();
    assert_eq!(world.pause(), Some(Duration::ZERO));
    world.tick();
    let attempt = world.refresh();
    world.renew(attempt, Some("refresh-1"), "access-1");
    assert_eq!(world.session.standing(), Standing::Ready);
}

#[test]
fn the_accounts_of_one_machine_come_back_one_after_the_other() {
    let mut moments = std::collections::BTreeSet::new();
    for spread in 0..=255 {
        let mut world = World::offline();
        world.margins.spread = spread;
        world.change_network();
        moments.insert(world.pause());
    }
    assert_eq!(moments.len(), 256);
    assert!(moments.iter().all(|pause| *pause < Some(Duration::from_secs(1))));
}

#[test]
fn a_caller_who_asks_meanwhile_is_told_when_it_is_worth_it() {
    let mut world = World::offline();
    world.margins.spread = 128;
    world.change_network();
    let ticket = world.ask_any();
    let effects = world.take();
    let [Effect::Answer { ticket: to, outcome: Outcome::Token(Err(failure)) }] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(*to, ticket);
    assert_eq!(failure.retry_after, Some(Duration::from_millis(500)));
}

#[test]
fn a_provider_that_answered_is_left_alone_for_as_long_as_it_asked() {
    let mut world = World::expired();
    world.ask_any();
    world.fail(down().retry_after(Duration::from_mins(10)), Certainty::NotActedOn);
    world.change_network();
    assert_eq!(world.pause(), None);
    let ticket = world.ask_any();
    assert_eq!(given(&world.take(), ticket), Some(Err(Code::ProviderUnavailable)));
    world.pass(600);
    world.ask_any();
    world.refresh();
}

#[test]
fn a_network_that_does_not_work_yet_is_tried_for_half_a_minute_and_then_left_in_peace() {
    let mut world = World::offline();
    world.change_network();
    let begun = world.now;
    let mut tries = 0;
    while world.pause().is_some() {
        world.tick();
        world.fail_offline();
        tries += 1;
    }
    assert_eq!(tries, 6);
    assert_eq!(begun.until(world.now), Duration::from_secs(1 + 2 + 4 + 8 + 16));
    assert!(matches!(world.session.standing(), Standing::Offline(_)));
    world.change_network();
    assert_eq!(world.pause(), Some(Duration::ZERO), "until it changes again");
}

#[test]
fn a_change_while_the_refresh_token_is_in_use_waits_for_the_answer() {
    let mut world = World::expired();
    world.ask_any();
    let attempt = world.refresh();
    world.change_network();
    assert_eq!(world.pause(), None);
    world.renew(attempt, None, "access-1");
    assert_eq!(world.session.standing(), Standing::Ready);
}

#[test]
fn what_the_old_network_took_with_it_is_tried_again_on_the_new_one() {
    let mut world = World::expired();
    world.ask_any();
    world.happen(Event::NetworkChanged);
    world.fail_offline();
    assert_eq!(world.pause(), Some(Duration::from_secs(1)));
    world.tick();
    world.refresh();
}

#[test]
fn an_answer_of_the_provider_ends_the_tries_that_nobody_asked_for() {
    let mut world = World::offline();
    world.change_network();
    world.tick();
    world.fail(down(), Certainty::NotActedOn);
    assert_eq!(world.pause(), None);
}

#[test]
fn the_one_repeat_of_a_lost_answer_stays_one_whatever_the_network_does() {
    let mut world = World::expired();
    world.ask_any();
    world.fail(down(), Certainty::Unknown);
    world.change_network();
    assert_eq!(world.pause(), Some(Duration::from_secs(1)), "it is not hurried");
    world.tick();
    world.fail_offline();
    world.change_network();
    world.tick();
    world.fail(down(), Certainty::Unknown);
    assert_eq!(world.session.standing(), Standing::Ended(Ending::Interrupted));
}

#[test]
fn a_session_that_is_well_takes_no_notice() {
    let mut world = World::signed_in();
    let before = world.session.clone();
    world.change_network();
    assert_eq!(world.session, before);
}
