//! The dialog in which a person answers, by the names that a screen reader says.
#![expect(clippy::unwrap_used, reason = "tests say what they expect by panicking")]

use authbroker_client::wire::consent::{News, Question};
use demo_gui::agent::{self, Answer, Dialog, SETTLES};
use demo_gui::args::Theme;
use demo_gui::theme;
use eframe::egui::{Key, Ui};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

/// From frame to frame, in seconds.
const STEP: f32 = 0.02;

/// A dialog, and what the person said in it.
#[derive(Default)]
struct Window {
    dialog: Dialog,
    said: Vec<(u64, Answer)>,
}

fn draw(ui: &mut Ui, window: &mut Window) {
    if let Some(answer) = agent::show(ui, &mut window.dialog) {
        let id = window.dialog.answered().unwrap();
        window.said.push((id, answer));
    }
}

fn window(questions: impl IntoIterator<Item = Question>) -> Harness<'static, Window> {
    let mut window = Window::default();
    window.dialog.heard(News::default());
    for question in questions {
        window.dialog.heard(asked(question));
    }
    let builder = Harness::builder().with_size([440.0, 800.0]).with_step_dt(STEP);
    let builder = builder.with_context_setup(|ctx| theme::apply(ctx, Theme::Light));
    builder.build_ui_state(draw, window)
}

/// The same once the question takes an answer.
fn settled(questions: impl IntoIterator<Item = Question>) -> Harness<'static, Window> {
    let mut harness = window(questions);
    settle(&mut harness);
    harness
}

fn settle(harness: &mut Harness<'_, Window>) {
    let mut time = 0.0;
    while time <= SETTLES {
        harness.step();
        time += f64::from(STEP);
    }
    harness.step();
}

fn asked(question: Question) -> News {
    News { question: Some(question), ..News::default() }
}

fn mail(id: u64) -> Question {
    Question {
        id,
        app: "flatpak:org.acme.Mail".into(),
        verified: true,
        source: "the metadata of its Flatpak sandbox".into(),
        provider: "acme".into(),
        account: "alice".into(),
        resource: vec!["https://api.acme.example".into()],
        wants: vec!["see your e-mail address".into()],
        reason: Some("To show your mail".into()),
        ..Question::default()
    }
}

fn click(harness: &mut Harness<'_, Window>, name: &str) {
    harness.get_by_label(name).click();
    harness.run_steps(2);
}

#[test]
fn a_question_says_who_wants_what_of_which_account() {
    let harness = settled([mail(1)]);
    for words in [
        "flatpak:org.acme.Mail",
        "alice at acme",
        "https://api.acme.example",
        "see your e-mail address",
        "“To show your mail”",
    ] {
        harness.get_by_label(words);
    }
    assert!(harness.query_by_label_contains("Not verified").is_none());
}

#[test]
fn an_app_that_nothing_vouches_for_is_called_in_doubt() {
    let harness = settled([Question { verified: false, ..mail(1) }]);
    harness.get_by_label("Not verified: any program of yours can look like this one.");
}

#[test]
fn each_button_says_what_is_on_it() {
    for (button, answer) in [
        ("Deny", Answer::No),
        ("Allow once", Answer::Once),
        ("Allow until the session is locked", Answer::UntilLocked),
        ("Allow for 30 days", Answer::ThirtyDays),
        ("Allow always", Answer::Always),
    ] {
        let mut harness = settled([mail(1)]);
        click(&mut harness, button);
        assert_eq!(harness.state().said, [(1, answer)], "{button}");
        harness.get_by_label("Nothing is asked");
    }
}

#[test]
fn enter_and_escape_say_no() {
    for key in [Key::Enter, Key::Escape] {
        let mut harness = settled([mail(1)]);
        harness.key_press(key);
        harness.run_steps(2);
        assert_eq!(harness.state().said, [(1, Answer::No)], "{key:?}");
    }
}

#[test]
fn the_keyboard_alone_can_say_yes() {
    let mut harness = settled([mail(1)]);
    for _ in 0..2 {
        harness.key_press(Key::Tab);
        harness.run_steps(1);
    }
    assert!(harness.get_by_label("Allow once").is_focused());
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    assert_eq!(harness.state().said, [(1, Answer::Once)]);
}

#[test]
fn what_was_meant_for_something_else_is_no_answer() {
    let mut harness = window([mail(1)]);
    harness.run_steps(1);
    click(&mut harness, "Allow always");
    harness.key_press(Key::Enter);
    harness.run_steps(1);
    assert_eq!(harness.state().said, []);
    settle(&mut harness);
    assert_eq!(harness.state().said, [], "nor later");
    click(&mut harness, "Allow once");
    assert_eq!(harness.state().said, [(1, Answer::Once)]);
}

#[test]
fn a_double_click_does_not_answer_the_next_question_too() {
    let mut harness = settled([mail(1), mail(2)]);
    harness.get_by_label("After this one, 1 more to answer.");
    click(&mut harness, "Allow always");
    click(&mut harness, "Allow always");
    assert_eq!(harness.state().said, [(1, Answer::Always)]);
    settle(&mut harness);
    click(&mut harness, "Deny");
    assert_eq!(harness.state().said, [(1, Answer::Always), (2, Answer::No)]);
}

#[test]
fn a_question_that_is_over_goes_and_the_next_one_has_first_moments_of_its_own() {
    let mut harness = settled([mail(1), mail(2)]);
    harness.state_mut().dialog.heard(News { withdrawn: Some(1), ..News::default() });
    harness.run_steps(1);
    click(&mut harness, "Allow always");
    assert_eq!(harness.state().said, []);
    harness.state_mut().dialog.heard(News { withdrawn: Some(2), ..News::default() });
    harness.run_steps(2);
    harness.get_by_label("Nothing is asked");
}

#[test]
fn a_dialog_without_a_broker_says_what_helps() {
    let mut harness = window([mail(1)]);
    let lost = ("no broker is running".to_owned(), "start one: brokerd".to_owned());
    harness.state_mut().dialog.lost(lost.0, lost.1);
    harness.run();
    harness.get_by_label("No connection to the broker");
    harness.get_by_label("start one: brokerd");
}
