//! A window without a window: one state, drawn, and what the person wanted.

use std::time::Duration;

use authbroker_client::http::Interaction;
use authbroker_client::{Account, Identity, Reaction, TokenRequest};
use demo_gui::args::Theme;
use demo_gui::messages::{Event, Facts, Page, Sent, TokenFacts};
use demo_gui::model::{Details, Intent, Message, Model, SignedIn, SigningIn, Stage, State};
use demo_gui::problem::{Cause, Problem};
use demo_gui::theme;
use demo_gui::view::{self, Scene};
use eframe::egui::{self, Key, TextureHandle, Ui, UiBuilder, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use jiff::{Timestamp, Zoned};

use crate::painter::Painter;

const NOON: &str = "2026-03-01T12:00[UTC]";
pub(crate) const PAGE: &str = "https://login.example/authorize?state=x";

/// A window in one state, and what the person wanted last.
pub(crate) struct Window {
    pub(crate) state: State,
    pub(crate) portrait: Option<TextureHandle>,
    pub(crate) details: Details,
    pub(crate) now: Zoned,
    pub(crate) wanted: Vec<Intent>,
}

fn draw(ui: &mut Ui, window: &mut Window) {
    let portrait = window.portrait.as_ref();
    let Window { state, details, now, .. } = &*window;
    let scene = Scene { title: "Left window", state, portrait, details, now };
    // All of it: the harness would leave a margin.
    let whole = ui.ctx().content_rect();
    let shown = ui.scope_builder(UiBuilder::new().max_rect(whole), |ui| {
        ui.set_clip_rect(whole);
        view::show(ui, scene)
    });
    window.wanted.extend(shown.inner);
}

pub(crate) fn show(state: State) -> Harness<'static, Window> {
    show_as(state, Theme::Light, vec2(480.0, 640.0), 1.0)
}

/// The same in these colours, at this size in points, with so many pixels a point.
pub(crate) fn show_as(
    state: State,
    theme: Theme,
    size: Vec2,
    scale: f32,
) -> Harness<'static, Window> {
    let (details, now) = (Details::default(), NOON.parse().unwrap());
    let window = Window { state, portrait: None, details, now, wanted: Vec::new() };
    let builder = Harness::builder().with_size(size).with_pixels_per_point(scale);
    let builder = builder.with_theme(match theme {
        Theme::Dark => egui::Theme::Dark,
        Theme::Light | Theme::System => egui::Theme::Light,
    });
    let builder = builder.with_context_setup(move |ctx| theme::apply(ctx, theme));
    let builder = builder.renderer(Painter::default());
    let mut harness = builder.build_ui_state(draw, window);
    harness.run();
    harness
}

pub(crate) fn click(harness: &mut Harness<'_, Window>, name: &str) -> Vec<Intent> {
    harness.get_by_label(name).click();
    harness.run();
    std::mem::take(&mut harness.state_mut().wanted)
}

pub(crate) fn press(harness: &mut Harness<'_, Window>, key: Key) -> Vec<Intent> {
    harness.key_press(key);
    harness.run();
    std::mem::take(&mut harness.state_mut().wanted)
}

pub(crate) fn alice() -> Account {
    Account {
        id: "demo-alice".into(),
        provider: "demo".into(),
        issuer: "https://login.example".into(),
        subject: "u-1".into(),
        username: "alice".into(),
        label: "Alice Adams".into(),
        auth_time: 1_772_366_300,
        state: "ready".into(),
        ..Account::default()
    }
}

pub(crate) fn alice_who_is(state: &str, reason: &str) -> State {
    let account = Account { state: state.into(), state_reason: reason.into(), ..alice() };
    State::SignedIn(SignedIn { account, message: Message::Unasked })
}

pub(crate) fn with(message: Message) -> State {
    State::SignedIn(SignedIn { account: alice(), message })
}

pub(crate) fn problem(cause: Cause, message: &str, hint: &str) -> Problem {
    Problem { cause, message: message.into(), hint: hint.into() }
}

pub(crate) fn signing_in(stage: Stage) -> State {
    let address = (stage != Stage::Preparing).then(|| PAGE.parse().unwrap());
    State::SigningIn(SigningIn { address, stage, ..SigningIn::of(None) })
}

pub(crate) fn step_up(max_age: Option<u64>) -> Message {
    let terms = Reaction { max_age, ..Reaction::default() };
    let interaction = Box::new(Interaction::new(TokenRequest::new(), terms));
    Message::StepUp { page: Page::Recent, interaction }
}

/// The details, open, with a token that expires then.
pub(crate) fn details_of(account: &Account, expires_at: &str) -> Details {
    let identity = Identity {
        level: 1,
        level_name: "described".into(),
        app: "exe:/usr/bin/demo-gui".into(),
        source: "its path".into(),
        uid: 1000,
        pid: None,
        executable: Some("/usr/bin/demo-gui".into()),
        user_unit: None,
        terminal: None,
        proxy: None,
        proves: "nothing".into(),
    };
    let token = TokenFacts {
        token_type: "DPoP".into(),
        expires_at: expires_at.parse().unwrap(),
        scopes: vec!["openid".into(), "messages.read".into()],
        resource: vec!["urn:demo".into()],
    };
    let facts = Facts { account: account.id.clone(), identity: Ok(identity), token: Ok(token) };
    let took = Duration::from_millis(12);
    let at: Timestamp = "2026-03-01T11:59:00Z".parse().unwrap();
    let requests = [
        Sent { page: Page::Private, at, status: None, took },
        Sent { page: Page::Recent, at, status: Some(401), took },
    ];
    opened(account, facts, &requests)
}

/// The details after such news.
pub(crate) fn opened(account: &Account, facts: Facts, requests: &[Sent]) -> Details {
    let mut model = Model::new(None);
    model.heard(Event::Accounts(vec![account.clone()]));
    model.wanted(Intent::TurnDetails);
    model.heard(Event::Facts(Box::new(facts)));
    for sent in requests {
        model.heard(Event::Sent(sent.clone()));
    }
    model.details().clone()
}
