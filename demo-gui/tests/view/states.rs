//! Each state, by the names that a screen reader says, with mouse and keyboard.

use authbroker_client::{Account, ErrorCode};
use demo_gui::args::Theme;
use demo_gui::messages::Page;
use demo_gui::model::{Intent, Message, SignedIn, SignedOut, SigningIn, Stage, State};
use demo_gui::problem::Cause;
use eframe::egui::accesskit::Role;
use eframe::egui::{ColorImage, Key, Modifiers, OutputCommand, TextureOptions, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::stage::{
    PAGE, Window, alice, alice_who_is, click, details_of, press, problem, show, show_as,
    signing_in, step_up, with,
};

#[test]
fn connecting_says_so_and_asks_for_patience() {
    let harness = show(State::Connecting);
    harness.get_by_role_and_label(Role::Heading, "Looking for the broker");
    harness.get_by_role_and_label(Role::ProgressIndicator, "Please wait");
    harness.get_by_label("Left window");
    assert!(harness.query_by_role(Role::Button).is_none());
}

#[test]
fn no_broker_shows_the_hint_and_can_be_tried_again() {
    let hint = "systemctl --user start authbroker.socket, or run brokerd";
    let told = problem(Cause::NoBroker, "no broker is running (looked at /run/x)", hint);
    let mut harness = show(State::NoBroker(told));
    harness.get_by_role_and_label(Role::Heading, "The broker is not running");
    harness.get_by_label("No broker is running (looked at /run/x)");
    harness.get_by_label(hint);
    assert_eq!(click(&mut harness, "Try now"), [Intent::TryNow]);
}

#[test]
fn a_broken_connection_is_told_apart_from_a_missing_broker() {
    let told = problem(Cause::ConnectionLost, "the connection to the broker broke", "x");
    let harness = show(State::NoBroker(told));
    harness.get_by_role_and_label(Role::Heading, "No connection to the broker");
}

#[test]
fn signed_out_offers_a_sign_in() {
    let mut harness = show(State::SignedOut(SignedOut::default()));
    harness.get_by_role_and_label(Role::Heading, "Welcome");
    assert_eq!(click(&mut harness, "Sign in"), [Intent::SignIn]);
    assert!(harness.query_by_label("Log out").is_none());
}

#[test]
fn a_sign_in_that_failed_says_why_and_what_helps() {
    let denied = Cause::Broker(ErrorCode::UserDenied);
    let told = problem(denied, "the person said no", "brokerctl login demo");
    let mut harness = show(State::SignedOut(SignedOut { problem: Some(told) }));
    for words in ["The sign-in did not work", "The person said no", "brokerctl login demo"] {
        harness.get_by_label(words);
    }
    assert_eq!(click(&mut harness, "Sign in"), [Intent::SignIn]);
}

#[test]
fn signing_in_leads_to_the_page_and_can_be_cancelled() {
    let mut harness = show(signing_in(Stage::InBrowser));
    harness.get_by_role_and_label(Role::Heading, "Go on in your browser");
    assert_eq!(click(&mut harness, "Cancel"), [Intent::CancelSignIn]);
    assert_eq!(press(&mut harness, Key::Escape), [Intent::CancelSignIn]);
}

#[test]
fn the_sign_in_page_can_be_opened_and_its_address_copied() {
    let mut harness = show(signing_in(Stage::InBrowser));
    assert_eq!(effect_of(&mut harness, "copy its address"), OutputCommand::CopyText(PAGE.into()));
    let OutputCommand::OpenUrl(open) = effect_of(&mut harness, "Open the sign-in page") else {
        unreachable!("the link opens a page");
    };
    assert_eq!(open.url, PAGE);
}

/// What a click on `name` makes the desktop do. It is there for one frame only.
fn effect_of(harness: &mut Harness<'_, Window>, name: &str) -> OutputCommand {
    harness.get_by_label(name).click();
    for _ in 0..4 {
        harness.step();
        if let Some(command) = harness.output().platform_output.commands.first() {
            return command.clone();
        }
    }
    unreachable!("a click on {name} has an effect");
}

#[test]
fn a_sign_in_without_a_page_yet_offers_none() {
    for stage in [Stage::Preparing, Stage::Finishing] {
        let harness = show(signing_in(stage));
        assert!(harness.query_by_label("Open the sign-in page").is_none());
        harness.get_by_label("Cancel");
    }
}

#[test]
fn signed_in_shows_who_it_is_and_how() {
    let mut harness = show(with(Message::Unasked));
    harness.get_by_role_and_label(Role::Heading, "Alice Adams");
    harness.get_by_role_and_label(Role::Image, "Picture of Alice Adams");
    harness.get_by_label("alice at demo");
    harness.get_by_label("You successfully used OpenID Connect and OAuth 2.0 to authenticate.");
    assert_eq!(click(&mut harness, "Get Private Message"), [Intent::Get(Page::Private)]);
    assert_eq!(click(&mut harness, "Log out"), [Intent::LogOut]);
}

#[test]
fn the_picture_has_the_same_name_as_the_initials() {
    let mut harness = show(with(Message::Unasked));
    let image = ColorImage::example();
    let texture = harness.ctx.load_texture("test", image, TextureOptions::LINEAR);
    harness.state_mut().portrait = Some(texture);
    harness.run();
    harness.get_by_role_and_label(Role::Image, "Picture of Alice Adams");
}

#[test]
fn an_account_without_a_name_goes_by_its_username() {
    let account = Account { label: String::new(), ..alice() };
    let harness = show(State::SignedIn(SignedIn { account, message: Message::Unasked }));
    harness.get_by_role_and_label(Role::Heading, "alice");
}

#[test]
fn a_message_on_its_way_is_not_asked_for_again() {
    let mut harness = show(with(Message::Loading(Page::Private)));
    let button = harness.get_by_role_and_label(Role::Button, "Getting the message…");
    assert!(button.accesskit_node().is_disabled());
    assert_eq!(press(&mut harness, Key::Enter), []);
}

#[test]
fn the_message_is_shown() {
    let text = "Only authenticated users can read this message.";
    let mut harness = show(with(Message::Shown { page: Page::Private, text: text.into() }));
    harness.get_by_label(text);
    assert_eq!(click(&mut harness, "Get Private Message"), [Intent::Get(Page::Private)]);
}

#[test]
fn a_refused_message_shows_status_and_reason() {
    let reason = "A scope is missing".to_owned();
    let harness = show(with(Message::Refused { status: 403, reason }));
    harness.get_by_label("The API refused, with status 403");
    harness.get_by_label("A scope is missing");
}

#[test]
fn an_api_that_is_down_says_what_helps() {
    let told = problem(Cause::ApiDown, "The API at http://x cannot be reached", "Start it");
    let mut harness = show(with(Message::Failed(told)));
    for words in ["The API does not answer", "The API at http://x cannot be reached", "Start it"] {
        harness.get_by_label(words);
    }
    assert_eq!(click(&mut harness, "Get Private Message"), [Intent::Get(Page::Private)]);
}

#[test]
fn a_token_that_needs_a_person_leads_to_a_sign_in() {
    for code in [ErrorCode::InteractionRequired, ErrorCode::StepUpRequired] {
        let told = problem(Cause::Broker(code), "a person must sign in", "brokerctl login demo");
        let mut harness = show(with(Message::Failed(told)));
        harness.get_by_label("A new sign-in is needed");
        assert_eq!(click(&mut harness, "Sign in again"), [Intent::SignIn]);
    }
}

#[test]
fn a_policy_that_says_no_is_shown_with_its_hint() {
    let denied = Cause::Broker(ErrorCode::PolicyDenied);
    let told = problem(denied, "rule 3 denies it", "brokerctl why demo-gui urn:demo");
    let harness = show(with(Message::Failed(told)));
    for words in ["Policy does not allow it", "Rule 3 denies it", "brokerctl why demo-gui urn:demo"]
    {
        harness.get_by_label(words);
    }
}

#[test]
fn an_account_that_needs_a_person_offers_a_sign_in_and_no_message() {
    for state in ["interaction-required", "revoked"] {
        let mut harness = show(alice_who_is(state, "the sign-in has expired"));
        harness.get_by_label("Please sign in again");
        harness.get_by_label("The sign-in has expired");
        assert!(harness.query_by_label("Get Private Message").is_none());
        assert_eq!(click(&mut harness, "Sign in again"), [Intent::SignIn]);
        assert_eq!(click(&mut harness, "Log out"), [Intent::LogOut]);
    }
}

#[test]
fn a_new_sign_in_that_failed_says_why() {
    let account = Account { state: "interaction-required".into(), ..alice() };
    let denied = Cause::Broker(ErrorCode::UserDenied);
    let message = Message::Failed(problem(denied, "the person said no", "try again"));
    let harness = show(State::SignedIn(SignedIn { account, message }));
    for words in ["The person said no", "try again", "Sign in again"] {
        harness.get_by_label(words);
    }
}

#[test]
fn an_account_that_is_offline_says_why_and_may_still_be_used() {
    let mut harness = show(alice_who_is("offline", "login.example cannot be reached"));
    harness.get_by_label("The provider cannot be reached");
    harness.get_by_label("login.example cannot be reached");
    assert_eq!(click(&mut harness, "Get Private Message"), [Intent::Get(Page::Private)]);
}

#[test]
fn a_locked_vault_and_a_disabled_account_are_named() {
    show(alice_who_is("vault-locked", "")).get_by_label("Unlock it with: brokerctl unlock");
    show(alice_who_is("disabled", "")).get_by_label("This account is disabled");
}

#[test]
fn logging_out_leaves_nothing_to_press() {
    let harness = show(State::SigningOut(alice()));
    harness.get_by_role_and_label(Role::Heading, "Alice Adams");
    harness.get_by_label("Logging out, here and in every other app");
    assert!(harness.query_by_role(Role::Button).is_none());
}

#[test]
fn enter_presses_the_main_button() {
    let mut harness = show(State::SignedOut(SignedOut::default()));
    assert_eq!(press(&mut harness, Key::Enter), [Intent::SignIn]);
    let mut harness = show(with(Message::Unasked));
    assert_eq!(press(&mut harness, Key::Enter), [Intent::Get(Page::Private)]);
}

#[test]
fn the_keyboard_reaches_every_button() {
    let mut harness = show(with(Message::Unasked));
    harness.key_press_modifiers(Modifiers::NONE, Key::Tab);
    harness.run();
    assert!(harness.get_by_label("Log out").is_focused());
    assert_eq!(press(&mut harness, Key::Enter), [Intent::LogOut]);
    harness.key_press_modifiers(Modifiers::NONE, Key::Tab);
    harness.run();
    assert!(harness.get_by_label("Details").is_focused());
    harness.key_press_modifiers(Modifiers::NONE, Key::Tab);
    harness.run();
    assert!(harness.get_by_label("Get Private Message").is_focused());
    assert_eq!(press(&mut harness, Key::Space), [Intent::Get(Page::Private)]);
}

#[test]
fn a_message_for_a_recent_sign_in_can_be_asked_for() {
    let mut harness = show(with(Message::Unasked));
    assert_eq!(click(&mut harness, "Show recent"), [Intent::Get(Page::Recent)]);
    let text = "Only users who have just signed in can read this message.";
    let harness = show(with(Message::Shown { page: Page::Recent, text: text.into() }));
    for words in ["Message for a recent sign-in", text] {
        harness.get_by_label(words);
    }
}

#[test]
fn a_step_up_says_why_and_leads_to_a_sign_in() {
    let mut harness = show(with(step_up(Some(300))));
    harness.get_by_label("The API asks for a new sign-in");
    harness.get_by_label("This message is for those who signed in within the last 5 minutes.");
    assert_eq!(click(&mut harness, "Sign in again"), [Intent::SignIn]);
    let other = click(&mut harness, "Get Private Message");
    assert_eq!(other, [Intent::Get(Page::Private)], "nobody is made to");
    show(with(step_up(None))).get_by_label("This message takes a stronger sign-in than yours was.");
}

#[test]
fn what_a_person_has_not_allowed_can_be_asked_again() {
    for (code, title) in [
        (ErrorCode::ConsentRequired, "The broker waits for your consent"),
        (ErrorCode::UserDenied, "You did not allow it"),
    ] {
        let told = problem(Cause::Broker(code), "it is not allowed", "brokerctl agent");
        let mut harness = show(with(Message::Failed(told)));
        for words in [title, "It is not allowed", "brokerctl agent"] {
            harness.get_by_label(words);
        }
        assert_eq!(click(&mut harness, "Ask me again"), [Intent::SignIn]);
    }
}

#[test]
fn each_refusal_has_a_title_of_its_own() {
    for (code, title) in [
        (ErrorCode::IdentityUnverified, "The broker does not know who asks"),
        (ErrorCode::Offline, "The provider cannot be reached"),
        (ErrorCode::VaultLocked, "The vault is locked"),
        (ErrorCode::Internal, "The broker said no"),
    ] {
        let told = problem(Cause::Broker(code), "it is so", "brokerctl doctor");
        show(with(Message::Failed(told))).get_by_label(title);
    }
}

#[test]
fn a_code_for_another_device_is_shown_with_its_page() {
    let code = Some("WDJB-MJHT".to_owned());
    let State::SigningIn(now) = signing_in(Stage::InBrowser) else { unreachable!() };
    let harness = show(State::SigningIn(SigningIn { code, ..now }));
    for words in ["Type in this code", "WDJB-MJHT", "Open the sign-in page"] {
        harness.get_by_label(words);
    }
}

#[test]
fn the_brokers_own_question_comes_first() {
    let mut harness = show(signing_in(Stage::Consent));
    harness.get_by_label("May this app?");
    assert_eq!(click(&mut harness, "Cancel"), [Intent::CancelSignIn]);
}

#[test]
fn a_provider_that_is_away_leaves_a_token_for_a_while() {
    let account = Account { state: "offline".into(), ..alice() };
    let mut harness = show(with(Message::Unasked));
    harness.state_mut().state = alice_who_is("offline", "");
    harness.state_mut().details = details_of(&account, "2026-03-01T12:34:00Z");
    harness.run();
    harness.get_by_label("Your token is still good until 12:34.");
    harness.state_mut().details = details_of(&account, "2026-03-01T11:59:00Z");
    harness.run();
    harness.get_by_label("The token that the broker had has expired.");
}

#[test]
fn a_small_window_can_be_read_to_its_end_from_the_keyboard() {
    let size = vec2(360.0, 400.0);
    let mut harness = show_as(with(Message::Unasked), Theme::Light, size, 2.0);
    let bottom =
        |harness: &Harness<'_, Window>| harness.get_by_label("Show recent").rect().bottom();
    assert!(bottom(&harness) > size.y, "it is out of sight");
    press(&mut harness, Key::PageDown);
    assert!(bottom(&harness) < size.y);
    press(&mut harness, Key::PageUp);
    assert!(bottom(&harness) > size.y);
    for _ in 0..4 {
        press(&mut harness, Key::Tab);
    }
    assert!(harness.get_by_label("Show recent").is_focused());
    assert!(bottom(&harness) < size.y, "the window goes where the keyboard goes");
}
