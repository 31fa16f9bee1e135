//! The window's content: from a state to widgets, and from a click to an intent.
//!
//! Nothing here has an effect or keeps anything. A state has a function of its own, in the order in
//! which a person meets them: `before` has those without an account, `account` those with one.
//! `parts` and `words` have the pieces that they are made of.

mod account;
mod before;
mod details;
mod message;
mod parts;
mod words;

use authbroker_client::Account;
use eframe::egui::{
    Button, CentralPanel, Frame, Key, Margin, Panel, Rect, RichText, ScrollArea, Sides,
    TextureHandle, Ui, UiBuilder, accesskit_root_id, pos2, vec2,
};

use jiff::Zoned;

use crate::mark;
use crate::model::{Details, Intent, Pane, State};
use crate::theme::{COLUMN, GRID, Palette};

/// Between two cards, in points.
const GAP: f32 = 2.0 * GRID;

/// All that is shown.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The window's name.
    pub title: &'a str,
    /// What the window shows.
    pub state: &'a State,
    /// The account's picture, where there is one.
    pub portrait: Option<&'a TextureHandle>,
    /// What the details pane shows.
    pub details: &'a Details,
    /// The time, where the person is.
    pub now: &'a Zoned,
}

/// Shows `scene`, and gives what the person wants.
pub fn show(ui: &mut Ui, scene: Scene<'_>) -> Option<Intent> {
    let ctx = ui.ctx();
    ctx.accesskit_node_builder(accesskit_root_id(), |node| node.set_label(scene.title));
    let from_header = header(ui, scene);
    footer(ui);
    let ground = Frame::new().fill(Palette::of(ui).ground).inner_margin(Margin::symmetric(24, 0));
    let shown = CentralPanel::default().frame(ground).show(ui, |ui| column(ui, scene));
    shown.inner.or(from_header)
}

fn header(ui: &mut Ui, scene: Scene<'_>) -> Option<Intent> {
    let palette = Palette::of(ui);
    let bar = Frame::new().fill(palette.ground).inner_margin(Margin::symmetric(24, 16));
    let panel = Panel::top("header").frame(bar).show_separator_line(false);
    let sides = Sides::new().height(32.0).shrink_left().truncate();
    let shown = panel.show(ui, |ui| sides.show(ui, |ui| name(ui, scene), |ui| log_out(ui, scene)));
    shown.inner.1
}

fn name(ui: &mut Ui, scene: Scene<'_>) {
    let palette = Palette::of(ui);
    mark::show(ui, 28.0, palette.accent, palette.on_accent);
    ui.label(RichText::new(scene.title).small().color(palette.soft));
}

fn log_out(ui: &mut Ui, scene: Scene<'_>) -> Option<Intent> {
    match scene.state {
        State::SignedIn(_) => {
            // From right to left.
            let leave = ui.button("Log out").clicked().then_some(Intent::LogOut);
            let open = scene.details.pane() == Pane::Open;
            let turn = ui.add(Button::new("Details").selected(open)).clicked();
            leave.or(turn.then_some(Intent::TurnDetails))
        }
        _ => None,
    }
}

fn footer(ui: &mut Ui) {
    const LEAST_HEIGHT: f32 = 600.0;
    if ui.ctx().content_rect().height() < LEAST_HEIGHT {
        return;
    }
    let palette = Palette::of(ui);
    let bar = Frame::new().fill(palette.ground).inner_margin(Margin::symmetric(24, 16));
    Panel::bottom("footer").frame(bar).show_separator_line(false).show(ui, |ui| {
        ui.vertical_centered(|ui| {
            let words = "The sign-in stays with the broker. This app gets access tokens.";
            ui.label(RichText::new(words).small().color(palette.soft));
        });
    });
}

/// The card, and the details beside it where there is room, else below it; in columns that are
/// centred and never too wide to read.
fn column(ui: &mut Ui, scene: Scene<'_>) -> Option<Intent> {
    let area = ScrollArea::vertical().auto_shrink(false);
    let shown = area.show(ui, |ui| {
        turn_pages(ui);
        let room = ui.available_rect_before_wrap();
        let Some(account) = with_details(scene) else {
            return card(ui, centred(room, COLUMN), scene);
        };
        let details = |ui: &mut Ui| details::show(ui, account, scene.details, scene.now);
        if room.width() < 2.0 * COLUMN + GAP {
            return ui
                .scope_builder(UiBuilder::new().max_rect(centred(room, COLUMN)), |ui| {
                    let wanted = parts::card(ui, |ui| content(ui, scene));
                    ui.add_space(GAP);
                    parts::card(ui, details);
                    ui.add_space(GAP);
                    wanted
                })
                .inner;
        }
        let both = centred(room, 2.0 * COLUMN + GAP);
        let (left, right) = both.split_left_right_at_x(both.center().x);
        let wanted = card(ui, left.with_max_x(left.max.x - GAP / 2.0), scene);
        let right = right.with_min_x(right.min.x + GAP / 2.0);
        ui.scope_builder(UiBuilder::new().max_rect(right), |ui| parts::card(ui, details));
        wanted
    });
    shown.inner
}

/// The keys that scroll: what there is to read has no button for the keyboard to go to.
fn turn_pages(ui: &Ui) {
    const OVERLAP: f32 = 5.0 * GRID;
    let page = ui.clip_rect().height() - OVERLAP;
    for (key, way) in [(Key::PageDown, -page), (Key::PageUp, page)] {
        if ui.input(|input| input.key_pressed(key)) {
            ui.scroll_with_delta(vec2(0.0, way));
        }
    }
}

fn card(ui: &mut Ui, place: Rect, scene: Scene<'_>) -> Option<Intent> {
    let builder = UiBuilder::new().max_rect(place);
    ui.scope_builder(builder, |ui| parts::card(ui, |ui| content(ui, scene))).inner
}

/// The account whose details are open.
fn with_details(scene: Scene<'_>) -> Option<&Account> {
    match (scene.state, scene.details.pane()) {
        (State::SignedIn(now), Pane::Open) => Some(&now.account),
        _ => None,
    }
}

/// A place of at most `width` in the middle of `room`.
fn centred(room: Rect, width: f32) -> Rect {
    let width = room.width().min(width);
    let corner = pos2(room.center().x - width / 2.0, room.top() + above(room.height()));
    Rect::from_min_max(corner, corner + vec2(width, room.bottom() - corner.y))
}

/// The room above the card. It depends on the window alone, so that nothing jumps when a message
/// comes; a third of what is free looks centred.
fn above(height: f32) -> f32 {
    const USUAL_CARD: f32 = 440.0;
    ((height - USUAL_CARD) / 3.0).max(GRID)
}

fn content(ui: &mut Ui, scene: Scene<'_>) -> Option<Intent> {
    match scene.state {
        State::Connecting => before::connecting(ui),
        State::NoBroker(problem) => before::no_broker(ui, problem),
        State::SignedOut(now) => before::signed_out(ui, now),
        State::SigningIn(now) => before::signing_in(ui, now),
        State::SignedIn(now) => account::signed_in(ui, now, scene),
        State::SigningOut(account) => account::signing_out(ui, account, scene.portrait),
    }
}
