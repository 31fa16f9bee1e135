//! Tokens that are had with something else than the refresh token.

use super::*;

/// What the effects ask the provider with.
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
