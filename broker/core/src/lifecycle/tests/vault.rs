//! What is read from the vault, and what a lock puts out of memory.

use super::*;

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
