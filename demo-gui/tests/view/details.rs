//! The details pane.

use std::time::Duration;

use authbroker_client::ErrorCode;
use demo_gui::messages::Facts;
use demo_gui::model::{Intent, Message};
use demo_gui::problem::Cause;
use eframe::egui::accesskit::{Role, Toggled};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::stage::{Window, alice, click, details_of, opened, problem, show, with};

#[test]
fn the_details_are_opened_and_closed_by_their_button() {
    let mut harness = show(with(Message::Unasked));
    assert!(harness.query_by_label("Last requests").is_none());
    assert_eq!(click(&mut harness, "Details"), [Intent::TurnDetails]);
    harness.state_mut().details = details_of(&alice(), "2026-03-01T12:05:00Z");
    harness.run();
    let button = harness.get_by_role_and_label(Role::Button, "Details");
    assert_eq!(button.accesskit_node().toggled(), Some(Toggled::True));
}

#[test]
fn the_details_tell_all_but_the_token() {
    let mut harness = show(with(Message::Unasked));
    harness.state_mut().details = details_of(&alice(), "2026-03-01T12:05:00Z");
    harness.run();
    for words in [
        "Account",
        "Alice Adams",
        "demo",
        "https://login.example",
        "u-1",
        "11:58:20",
        "Access token",
        "DPoP",
        "openid messages.read",
        "urn:demo",
        "in 5:00",
        "This app, as the broker sees it",
        "1, described",
        "its path",
        "exe:/usr/bin/demo-gui",
        "Last requests",
        "11:59:00",
        "GET /private/recent: 401 after 12 ms",
        "GET /private: no answer after 12 ms",
    ] {
        assert!(harness.query_all_by_label(words).next().is_some(), "{words}");
    }
}

#[test]
fn the_details_say_what_is_missing_and_why() {
    let told = problem(Cause::Broker(ErrorCode::Offline), "no network", "try again later");
    let facts = Facts { account: alice().id, identity: Err(told.clone()), token: Err(told) };
    let mut harness = show(with(Message::Unasked));
    harness.state_mut().details = opened(&alice(), facts, &[]);
    harness.run();
    assert_eq!(harness.query_all_by_label("No network").count(), 2);
    harness.get_by_label("None yet");
}

#[test]
fn the_clock_wakes_the_window_only_while_a_countdown_is_there() {
    let wakes_after = |harness: &mut Harness<'_, Window>| {
        harness.run();
        harness.output().viewport_output.values().map(|out| out.repaint_delay).min().unwrap()
    };
    let mut harness = show(with(Message::Unasked));
    assert_eq!(wakes_after(&mut harness), Duration::MAX);
    harness.state_mut().details = details_of(&alice(), "2026-03-01T12:05:00Z");
    assert_eq!(wakes_after(&mut harness), Duration::from_secs(1));
    harness.state_mut().details = details_of(&alice(), "2026-03-01T11:00:00Z");
    assert_eq!(wakes_after(&mut harness), Duration::MAX);
}
