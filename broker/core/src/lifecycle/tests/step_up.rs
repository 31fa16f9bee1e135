//! What an API demands of the sign-in, and how long a stronger token is kept.

use super::*;

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
