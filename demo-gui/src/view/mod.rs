//! The window's content: from a state to widgets, and from a click to an intent.
//!
//! Nothing here has an effect or keeps anything. A state has a function of its own, in the order in
//! which a person meets them: `before` has those without an account, `account` those with one.
//! `parts` and `words` have the pieces that they are made of.

mod account;
mod before;
mod message;
mod parts;
mod words;

use eframe::egui::{
    CentralPanel, Frame, Margin, Panel, Rect, RichText, ScrollArea, Sides, TextureHandle, Ui,
    UiBuilder, pos2, vec2,
};

use crate::mark;
use crate::model::{Intent, State};
use crate::theme::{COLUMN, GRID, Palette};

/// All that is shown.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The window's name.
    pub title: &'a str,
    /// What the window shows.
    pub state: &'a State,
    /// The account's picture, where there is one.
    pub portrait: Option<&'a TextureHandle>,
}

/// Shows `scene`, and gives what the person wants.
pub fn show(ui: &mut Ui, scene: Scene<'_>) -> Option<Intent> {
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
        State::SignedIn(_) => ui.button("Log out").clicked().then_some(Intent::LogOut),
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

/// The card, in a column that is centred and never too wide to read.
fn column(ui: &mut Ui, scene: Scene<'_>) -> Option<Intent> {
    let area = ScrollArea::vertical().auto_shrink(false);
    let shown = area.show(ui, |ui| {
        let room = ui.available_rect_before_wrap();
        let width = room.width().min(COLUMN);
        let corner = pos2(room.center().x - width / 2.0, room.top() + above(room.height()));
        let place = Rect::from_min_max(corner, corner + vec2(width, room.bottom() - corner.y));
        ui.scope_builder(UiBuilder::new().max_rect(place), |ui| {
            parts::card(ui, |ui| content(ui, scene))
        })
    });
    shown.inner.inner
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
        State::SignedIn(now) => account::signed_in(ui, now, scene.portrait),
        State::SigningOut(account) => account::signing_out(ui, account, scene.portrait),
    }
}
