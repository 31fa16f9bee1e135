//! The pieces that views are made of. Each has a name that a screen reader can say.

use std::time::Duration;

use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align, Button, Color32, Frame, Key, Layout, Margin, Response, Sense, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};

use super::words;
use crate::mark;
use crate::problem::Problem;
use crate::theme::{self, BUTTON, GRID, Palette, ROUND, ROUNDISH};

/// The sheet that everything stands on.
pub(super) fn card<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let palette = Palette::of(ui);
    let frame = Frame::new()
        .fill(palette.card)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(ROUND)
        .shadow(theme::shadow(ui))
        .inner_margin(Margin::symmetric(32, 24));
    frame.show(ui, |ui| ui.vertical_centered(add).inner).inner
}

/// The mark, large, above a state that has no face.
pub(super) fn emblem(ui: &mut Ui) {
    let palette = Palette::of(ui);
    mark::show(ui, 64.0, palette.accent, palette.on_accent);
    ui.add_space(GRID);
}

/// The same without colour, while there is no broker behind it.
pub(super) fn pale_emblem(ui: &mut Ui) {
    let palette = Palette::of(ui);
    mark::show(ui, 64.0, palette.line, palette.soft);
    ui.add_space(GRID);
}

/// The button that the person probably wants. Enter presses it, unless the keyboard is elsewhere.
pub(super) fn primary(ui: &mut Ui, label: &str) -> bool {
    let pressed = in_accent(ui, |ui| wide(ui, label).clicked());
    let free = ui.memory(|memory| memory.focused().is_none());
    pressed || (free && ui.input(|input| input.key_pressed(Key::Enter)))
}

/// A button while there is nothing to do but wait: it cannot be pressed.
pub(super) fn busy(ui: &mut Ui, label: &str) -> bool {
    in_accent(ui, |ui| {
        ui.visuals_mut().disabled_alpha = 0.75;
        ui.add_enabled_ui(false, |ui| wide(ui, label)).inner.clicked()
    })
}

fn in_accent<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let palette = Palette::of(ui);
    let shown = ui.scope(|ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        for (look, fill) in [
            (&mut widgets.inactive, palette.accent),
            (&mut widgets.hovered, palette.accent_hover),
            (&mut widgets.active, palette.accent_hover),
        ] {
            look.weak_bg_fill = fill;
            look.fg_stroke.color = palette.on_accent;
        }
        widgets.inactive.bg_stroke = Stroke::NONE;
        widgets.hovered.bg_stroke = Stroke::NONE;
        widgets.active.bg_stroke = Stroke::new(2.0, palette.text);
        add(ui)
    });
    shown.inner
}

/// A button for the other way.
pub(super) fn secondary(ui: &mut Ui, label: &str) -> bool {
    wide(ui, label).clicked()
}

fn wide(ui: &mut Ui, label: &str) -> Response {
    let button = ui.add(Button::new(label).min_size(vec2(ui.available_width(), BUTTON)));
    if button.gained_focus() {
        // The keyboard may have gone to where the window does not reach.
        button.scroll_to_me(None);
    }
    button
}

/// What went wrong, and what helps.
pub(super) fn problem(ui: &mut Ui, title: &str, problem: &Problem) {
    let palette = Palette::of(ui);
    panel(ui, palette.alarm_tint, |ui| {
        words::announce(ui, words::plain(title).color(palette.alarm));
        words::text(ui, &words::sentence(&problem.message));
        words::hint(ui, &problem.hint);
    });
}

/// How something stands, and what there is to say about it.
pub(super) fn notice(ui: &mut Ui, title: &str, lines: &[&str]) {
    let palette = Palette::of(ui);
    panel(ui, palette.tint, |ui| {
        words::announce(ui, words::plain(title).color(palette.accent));
        for line in lines {
            words::text(ui, &words::sentence(line));
        }
    });
}

/// A box of one colour, a step below what is above it, with text from the left.
pub(super) fn panel<R>(ui: &mut Ui, fill: Color32, add: impl FnOnce(&mut Ui) -> R) -> R {
    let frame = Frame::new().fill(fill).corner_radius(ROUNDISH).inner_margin(Margin::same(16));
    let left = Layout::top_down(Align::Min);
    ui.add_space(GRID);
    let shown = frame.show(ui, |ui| {
        ui.with_layout(left, |ui| {
            ui.set_min_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = GRID / 2.0;
            add(ui)
        })
    });
    shown.inner.inner
}

/// Two cells beside each other: `name` in a column of that width, and `value` in what is left. A
/// screen reader says them together.
pub(super) fn row(
    ui: &mut Ui,
    width: f32,
    name: impl FnOnce(&mut Ui) -> Response,
    value: impl FnOnce(&mut Ui) -> Response,
) {
    ui.horizontal_top(|ui| {
        let name = ui.scope(|ui| {
            ui.set_width(width);
            name(ui)
        });
        ui.vertical(|ui| value(ui).labelled_by(name.inner.id));
    });
}

/// Three dots, one of them lit, and the next one in a while: shows that something goes on, and
/// costs two frames a second.
pub(super) fn dots(ui: &mut Ui) {
    const PERIOD: Duration = Duration::from_millis(500);
    let palette = Palette::of(ui);
    let (place, response) = ui.allocate_exact_size(vec2(48.0, 2.0 * GRID), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, "Please wait"));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 3")]
    let lit = (ui.input(|input| input.time) / PERIOD.as_secs_f64()).rem_euclid(3.0) as usize;
    for (index, x) in [-16.0, 0.0, 16.0].into_iter().enumerate() {
        let colour = if index == lit { palette.accent } else { palette.line };
        ui.painter().circle_filled(pos2(place.center().x + x, place.center().y), 4.0, colour);
    }
    ui.ctx().request_repaint_after(PERIOD);
}
