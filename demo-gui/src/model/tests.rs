//! The model by its steps: what a click or news makes of a state, and what it calls for.

use std::time::Duration;

use authbroker_client::http::Interaction;
use authbroker_client::{Account, ErrorCode, Progress};
use jiff::Timestamp;

use super::*;
use crate::messages::{Answer, Facts, Sent};
use crate::problem::{Cause, Problem};

fn account(id: &str, state: &str) -> Account {
    Account { id: id.into(), state: state.into(), ..Account::default() }
}

fn problem() -> Problem {
    let cause = Cause::Broker(ErrorCode::UserDenied);
    Problem { cause, message: "no".into(), hint: String::new() }
}

/// A model that has heard of these accounts.
fn with(accounts: &[Account]) -> Model {
    let mut model = Model::new(None);
    assert_eq!(model.heard(Event::Accounts(accounts.to_vec())), []);
    model
}

/// Has the model start a job, and gives the number of the attempt.
fn start(model: &mut Model, intent: Intent) -> Attempt {
    match model.wanted(intent) {
        Some(Command::Start(attempt, _)) => attempt,
        other => panic!("{intent:?} gave {other:?}"),
    }
}

fn reply(model: &mut Model, attempt: Attempt, reply: Reply) {
    assert_eq!(model.heard(Event::Reply(attempt, reply)), []);
}

fn message(model: &Model) -> &Message {
    match model.state() {
        State::SignedIn(now) => &now.message,
        other => panic!("not signed in: {other:?}"),
    }
}

fn shown(text: &str) -> Message {
    Message::Shown { page: Page::Private, text: text.into() }
}

fn text(text: &str) -> Reply {
    Reply::Message(Answer::Text { status: 200, text: text.into() })
}

#[test]
fn the_first_news_end_the_connecting() {
    assert_eq!(*Model::new(None).state(), State::Connecting);
    assert_eq!(*with(&[]).state(), State::signed_out());
    assert_eq!(with(&[account("a", "ready")]).state().account().unwrap().id, "a");
}

#[test]
fn a_broker_that_goes_away_is_said_and_one_that_comes_back_is_believed() {
    let mut model = with(&[account("a", "ready")]);
    model.heard(Event::BrokerDown(problem()));
    assert_eq!(*model.state(), State::NoBroker(problem()));
    assert_eq!(model.wanted(Intent::TryNow), Some(Command::Reconnect));
    model.heard(Event::Accounts(vec![]));
    assert_eq!(*model.state(), State::signed_out());
}

#[test]
fn a_sign_in_shows_its_account_once_both_have_come() {
    let mut model = with(&[]);
    let attempt = start(&mut model, Intent::SignIn);
    reply(&mut model, attempt, Reply::SignedIn("b".into()));
    assert!(matches!(model.state(), State::SigningIn(now) if now.stage == Stage::Finishing));
    let accounts = vec![account("a", "ready"), account("b", "ready")];
    assert_eq!(model.heard(Event::Accounts(accounts)), [Command::Cancel]);
    assert_eq!(
        model.state().account().unwrap().id,
        "b",
        "not the first, but the one signed in here"
    );
}

#[test]
fn a_sign_in_in_another_window_shows_here_and_ends_ours() {
    let mut model = with(&[]);
    let attempt = start(&mut model, Intent::SignIn);
    let commands = model.heard(Event::Accounts(vec![account("a", "ready")]));
    assert_eq!(commands, [Command::Cancel]);
    reply(&mut model, attempt, Reply::Failed(problem()));
    assert_eq!(*message(&model), Message::Unasked, "the reply to ours came too late");
}

#[test]
fn a_stronger_sign_in_is_not_taken_for_done_by_news_of_the_old_one() {
    let mut model = with(&[account("a", "ready")]);
    let attempt = start(&mut model, Intent::SignIn);
    model.heard(Event::Accounts(vec![account("a", "ready")]));
    assert!(matches!(model.state(), State::SigningIn(_)));
    reply(&mut model, attempt, Reply::SignedIn("a".into()));
    assert_eq!(*message(&model), Message::Unasked);
}

#[test]
fn progress_brings_the_page_and_only_a_page() {
    let mut model = with(&[]);
    let attempt = start(&mut model, Intent::SignIn);
    let progress = |phase: &str, url: &str| {
        let url = (!url.is_empty()).then(|| url.to_owned());
        Reply::Progress(Progress { phase: Some(phase.into()), url, ..Progress::default() })
    };
    reply(&mut model, attempt, progress("url", "https://login.example/a"));
    reply(&mut model, attempt, progress("browser-opened", "file:///etc/passwd"));
    let State::SigningIn(now) = model.state() else { panic!("{:?}", model.state()) };
    assert_eq!(now.address.as_ref().unwrap().as_str(), "https://login.example/a");
    assert_eq!(now.stage, Stage::InBrowser);
    reply(&mut model, attempt, progress("exchanging", ""));
    assert!(matches!(model.state(), State::SigningIn(now) if now.stage == Stage::Finishing));
}

#[test]
fn a_failed_sign_in_leads_back_to_where_it_began() {
    let mut model = with(&[]);
    let attempt = start(&mut model, Intent::SignIn);
    reply(&mut model, attempt, Reply::Failed(problem()));
    assert_eq!(*model.state(), State::SignedOut(SignedOut { problem: Some(problem()) }));

    let mut model = with(&[account("a", "interaction-required")]);
    let attempt = start(&mut model, Intent::SignIn);
    reply(&mut model, attempt, Reply::Failed(problem()));
    assert_eq!(*message(&model), Message::Failed(problem()));
}

#[test]
fn a_cancelled_sign_in_is_over_and_says_nothing() {
    let mut model = with(&[]);
    let attempt = start(&mut model, Intent::SignIn);
    assert_eq!(model.wanted(Intent::CancelSignIn), Some(Command::Cancel));
    reply(&mut model, attempt, Reply::Failed(problem()));
    assert_eq!(*model.state(), State::signed_out());
}

#[test]
fn a_late_reply_says_nothing_about_the_next_attempt() {
    let mut model = with(&[]);
    let first = start(&mut model, Intent::SignIn);
    model.wanted(Intent::CancelSignIn);
    start(&mut model, Intent::SignIn);
    reply(&mut model, first, Reply::Failed(problem()));
    assert!(matches!(model.state(), State::SigningIn(_)));
}

#[test]
fn the_message_comes_once_for_one_click() {
    let mut model = with(&[account("a", "ready")]);
    let attempt = start(&mut model, Intent::Get(Page::Private));
    assert_eq!(model.wanted(Intent::Get(Page::Private)), None, "it is on its way");
    reply(&mut model, attempt, text("hello"));
    assert_eq!(*message(&model), shown("hello"));
}

#[test]
fn news_of_the_account_keep_its_message_and_another_account_does_not() {
    let mut model = with(&[account("a", "ready")]);
    let attempt = start(&mut model, Intent::Get(Page::Private));
    reply(&mut model, attempt, text("hello"));
    model.heard(Event::Accounts(vec![account("a", "offline")]));
    assert_eq!(*message(&model), shown("hello"));
    model.heard(Event::Accounts(vec![account("b", "ready")]));
    assert_eq!(*message(&model), Message::Unasked);
}

#[test]
fn a_message_that_comes_after_the_log_out_is_dropped() {
    let mut model = with(&[account("a", "ready")]);
    let asked = start(&mut model, Intent::Get(Page::Private));
    let leaving = start(&mut model, Intent::LogOut);
    reply(&mut model, asked, text("hello"));
    assert!(matches!(model.state(), State::SigningOut(_)));
    reply(&mut model, leaving, Reply::SignedOut("a".into()));
    assert_eq!(*model.state(), State::signed_out());
}

#[test]
fn a_log_out_in_another_window_is_one_here() {
    let mut model = with(&[account("a", "ready")]);
    model.heard(Event::Accounts(vec![]));
    assert_eq!(*model.state(), State::signed_out());
}

#[test]
fn a_log_out_that_fails_leaves_the_account_and_says_why() {
    let mut model = with(&[account("a", "ready")]);
    let attempt = start(&mut model, Intent::LogOut);
    model.heard(Event::Accounts(vec![account("a", "vault-locked")]));
    reply(&mut model, attempt, Reply::Failed(problem()));
    assert_eq!(*message(&model), Message::Failed(problem()));
}

#[test]
fn a_step_up_signs_in_as_the_api_asks_and_gets_the_message_then() {
    let mut model = with(&[account("a", "ready")]);
    let attempt = start(&mut model, Intent::Get(Page::Recent));
    reply(&mut model, attempt, Reply::StepUp(Box::default()));
    let interaction = Box::<Interaction>::default();
    assert_eq!(*message(&model), Message::StepUp { page: Page::Recent, interaction });

    let Some(Command::Start(attempt, job)) = model.wanted(Intent::SignIn) else { panic!("no job") };
    assert_eq!(job, Job::StepUp(Box::default()));
    let commands = model.heard(Event::Reply(attempt, Reply::SignedIn("a".into())));
    let job = Job::GetMessage { account: "a".into(), page: Page::Recent, token: TokenAge::Any };
    assert_eq!(commands, [Command::Start(attempt.next(), job)]);
    assert_eq!(*message(&model), Message::Loading(Page::Recent));
}

#[test]
fn a_step_up_that_is_given_up_leads_back_to_the_account() {
    let mut model = with(&[account("a", "ready")]);
    let attempt = start(&mut model, Intent::Get(Page::Recent));
    reply(&mut model, attempt, Reply::StepUp(Box::default()));
    start(&mut model, Intent::SignIn);
    assert_eq!(model.wanted(Intent::CancelSignIn), Some(Command::Cancel));
    assert_eq!(*message(&model), Message::Unasked);
}

#[test]
fn the_code_of_a_sign_in_on_another_device_is_kept_with_its_page() {
    let mut model = with(&[]);
    let attempt = start(&mut model, Intent::SignIn);
    let news = Progress {
        phase: Some("device-code".into()),
        url: Some("https://login.example/device".into()),
        user_code: Some("WDJB-MJHT".into()),
        ..Progress::default()
    };
    reply(&mut model, attempt, Reply::Progress(news));
    let State::SigningIn(now) = model.state() else { panic!("{:?}", model.state()) };
    assert_eq!(now.code.as_deref(), Some("WDJB-MJHT"));
    assert_eq!((now.stage, now.address.is_some()), (Stage::InBrowser, true));
}

#[test]
fn the_broker_is_asked_for_details_once_and_again_when_the_account_changes() {
    let mut model = with(&[account("a", "ready")]);
    let ask = Command::Ask("a".into());
    assert_eq!(model.wanted(Intent::TurnDetails), Some(ask.clone()));
    assert_eq!(model.heard(Event::Accounts(vec![account("a", "ready")])), []);
    let renewed = Account { renewed_at: 7, ..account("a", "ready") };
    assert_eq!(model.heard(Event::Accounts(vec![renewed.clone()])), [ask]);
    assert_eq!(model.wanted(Intent::TurnDetails), None);
    let again = Account { renewed_at: 8, ..renewed };
    assert_eq!(model.heard(Event::Accounts(vec![again])), [], "nobody looks");
}

#[test]
fn how_long_the_token_lasts_is_asked_when_the_provider_is_away() {
    let mut model = with(&[account("a", "ready")]);
    let commands = model.heard(Event::Accounts(vec![account("a", "offline")]));
    assert_eq!(commands, [Command::Ask("a".into())]);
}

#[test]
fn what_was_said_about_one_account_is_not_shown_for_another() {
    let mut model = with(&[account("a", "ready")]);
    let facts = Facts { account: "a".into(), identity: Err(problem()), token: Err(problem()) };
    model.heard(Event::Facts(Box::new(facts)));
    assert!(model.details().facts(&account("a", "ready")).is_some());
    assert!(model.details().facts(&account("b", "ready")).is_none());
}

#[test]
fn the_last_five_requests_are_remembered() {
    let mut model = with(&[account("a", "ready")]);
    for status in 201..=207 {
        model.heard(Event::Sent(sent(status)));
    }
    let seen: Vec<_> = model.details().sent.iter().filter_map(|sent| sent.status).collect();
    assert_eq!(seen, [207, 206, 205, 204, 203]);
}

fn sent(status: u16) -> Sent {
    let (at, took) = (Timestamp::UNIX_EPOCH, Duration::ZERO);
    Sent { page: Page::Private, at, status: Some(status), took }
}

#[test]
fn the_command_line_names_the_account_in_any_way() {
    let alice = Account { provider: "acme".into(), username: "alice".into(), ..account("a", "x") };
    for (name, shown) in [("a", true), ("acme", true), ("alice", true), ("bob", false)] {
        let mut model = Model::new(Some(name.into()));
        model.heard(Event::Accounts(vec![account("z", "ready"), alice.clone()]));
        assert_eq!(model.state().account().is_some_and(|a| a.id == "a"), shown, "{name}");
    }
    let mut model = Model::new(Some("bob".into()));
    model.heard(Event::Accounts(vec![]));
    let Some(Command::Start(_, job)) = model.wanted(Intent::SignIn) else { panic!("no job") };
    assert_eq!(job, Job::SignIn { account: "bob".into() });
}

#[test]
fn a_picture_is_fetched_once_for_an_address() {
    let with_picture = |address: &str| {
        Event::Accounts(vec![Account { picture: address.into(), ..account("a", "ready") }])
    };
    let mut model = Model::new(None);
    assert_eq!(model.heard(with_picture("")), []);
    assert_eq!(model.heard(with_picture("p")), [Command::FetchPicture("p".into())]);
    assert_eq!(model.heard(with_picture("p")), []);
    assert_eq!(model.heard(with_picture("q")), [Command::FetchPicture("q".into())]);
}
