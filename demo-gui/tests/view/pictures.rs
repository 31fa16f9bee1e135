//! Pictures of the window, held against those in `tests/snapshots`.
//!
//! The painter is our own, so they differ nowhere by more than the shape of a letter may. After a
//! change that is meant: `UPDATE_SNAPSHOTS=1 cargo test -p demo-gui --test view`, and look at them.

use authbroker_client::ErrorCode;
use demo_gui::args::Theme;
use demo_gui::messages::Page;
use demo_gui::model::{Message, SignedOut, Stage, State};
use demo_gui::problem::Cause;
use eframe::egui::{Key, Vec2, vec2};
use egui_kittest::{Harness, SnapshotOptions};

use crate::stage::{
    Window, alice, alice_who_is, details_of, problem, show_as, signing_in, step_up, with,
};

const USUAL: Vec2 = vec2(480.0, 640.0);

fn shown() -> Message {
    let text = "Only authenticated users can read this message.".into();
    Message::Shown { page: Page::Private, text }
}

fn hold(harness: &mut Harness<'_, Window>, name: &str) {
    // A letter's edge may differ where fonts are drawn with other instructions.
    let options = SnapshotOptions::new().threshold(0.8).max_failed_pixels(20);
    harness.snapshot_options(name, &options);
}

fn hold_state(name: &str, theme: Theme, state: State) {
    hold(&mut show_as(state, theme, USUAL, 1.0), name);
}

#[test]
fn without_a_broker() {
    let hint = "systemctl --user start authbroker.socket, or run brokerd";
    let told = problem(Cause::NoBroker, "no broker is running (looked at /run/x)", hint);
    hold_state("no-broker", Theme::Light, State::NoBroker(told));
}

#[test]
fn signed_out() {
    hold_state("signed-out", Theme::Light, State::SignedOut(SignedOut::default()));
}

#[test]
fn on_the_way_in() {
    hold_state("signing-in", Theme::Light, signing_in(Stage::InBrowser));
}

#[test]
fn with_the_message() {
    hold_state("message", Theme::Light, with(shown()));
}

#[test]
fn with_the_message_by_night() {
    hold_state("message-dark", Theme::Dark, with(shown()));
}

#[test]
fn refused_by_policy() {
    let denied = Cause::Broker(ErrorCode::PolicyDenied);
    let told = problem(denied, "rule 3 denies it", "brokerctl why demo-gui urn:demo");
    hold_state("refused-dark", Theme::Dark, with(Message::Failed(told)));
}

#[test]
fn asked_to_step_up() {
    hold_state("step-up", Theme::Light, with(step_up(Some(300))));
}

#[test]
fn while_the_provider_is_away() {
    let state = alice_who_is("offline", "login.example cannot be reached");
    let mut harness = show_as(state, Theme::Light, USUAL, 1.0);
    harness.state_mut().details = details_of(&alice(), "2026-03-01T12:34:00Z");
    harness.set_size(vec2(920.0, 640.0));
    harness.run();
    hold(&mut harness, "offline-with-details");
}

#[test]
fn at_twice_the_scale_with_the_keyboard_on_a_button() {
    let mut harness = show_as(with(Message::Unasked), Theme::Light, vec2(360.0, 400.0), 2.0);
    harness.key_press(Key::Tab);
    harness.run();
    hold(&mut harness, "small-at-twice-the-scale");
}
