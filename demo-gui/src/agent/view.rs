//! The dialog's content.

use std::time::Duration;

use authbroker_client::wire::consent::Question;
use eframe::egui::accesskit::{Live, Role};
use eframe::egui::{
    Align, Button, CentralPanel, Color32, Frame, Key, Label, Layout, Margin, RichText, ScrollArea,
    Stroke, Ui, Widget as _, vec2,
};

use super::dialog::{Answer, Connection, Dialog, SETTLES};
use crate::theme::{BUTTON, GRID, Palette, ROUNDISH};

/// How wide the column of names is, in points.
const NAMES: f32 = 88.0;

/// Shows the dialog, and gives the person's answer to the question that is on it.
pub fn show(ui: &mut Ui, dialog: &mut Dialog) -> Option<Answer> {
    let ground = Frame::new().fill(Palette::of(ui).ground).inner_margin(Margin::same(24));
    let shown = CentralPanel::default().frame(ground).show(ui, |ui| {
        let area = ScrollArea::vertical().auto_shrink(false);
        area.show(ui, |ui| content(ui, dialog)).inner
    });
    shown.inner
}

fn content(ui: &mut Ui, dialog: &mut Dialog) -> Option<Answer> {
    if let Some(question) = dialog.question() {
        describe(ui, question, dialog.waiting());
        return answers(ui, dialog);
    }
    match dialog.connection() {
        Connection::Connecting => heading(ui, "Looking for the broker"),
        Connection::Listening => {
            heading(ui, "Nothing is asked");
            ui.label("When an app asks for access to an account, the question comes here.");
        }
        Connection::Lost(what, hint) => {
            heading(ui, "No connection to the broker");
            ui.label(what);
            ui.label(RichText::new(hint).color(Palette::of(ui).soft));
        }
    }
    None
}

/// What is asked: by whom, how well that is known, and for what.
fn describe(ui: &mut Ui, question: &Question, waiting: usize) {
    heading(ui, "May this app use your account?");
    fact(ui, "App", &question.app);
    if !question.verified {
        doubt(ui, "Not verified: any program of yours can look like this one.");
    }
    fact(ui, "Known by", &question.source);
    if question.in_terminal {
        fact(ui, "Where", "one terminal session: the answer is about that alone");
    }
    fact(ui, "Account", &account(question));
    for resource in &question.resource {
        fact(ui, "At", resource);
    }
    for want in &question.wants {
        fact(ui, "It wants to", want);
    }
    if let Some(reason) = &question.reason {
        fact(ui, "It says", &format!("“{reason}”"));
    }
    if waiting > 0 {
        ui.label(format!("After this one, {waiting} more to answer."));
    }
    ui.add_space(GRID);
}

/// The one line that says what this is. Changes are read out.
fn heading(ui: &mut Ui, text: &str) {
    let said = Label::new(RichText::new(text).heading()).wrap().ui(ui);
    ui.ctx().accesskit_node_builder(said.id, |node| {
        node.set_role(Role::Heading);
        // A label's text is its value; a heading's is its name.
        node.set_label(text);
        node.clear_value();
        node.set_live(Live::Assertive);
    });
}

fn fact(ui: &mut Ui, name: &str, value: &str) {
    let soft = Palette::of(ui).soft;
    ui.horizontal_top(|ui| {
        let left = Layout::left_to_right(Align::Min);
        ui.allocate_ui_with_layout(vec2(NAMES, 0.0), left, |ui| {
            ui.set_min_width(NAMES);
            ui.label(RichText::new(name).color(soft));
        });
        // Whatever an app put there is words, and no more.
        Label::new(value).wrap().ui(ui);
    });
}

fn doubt(ui: &mut Ui, text: &str) {
    let palette = Palette::of(ui);
    let margin = Margin::symmetric(12, 8);
    let frame = Frame::new().fill(palette.alarm_tint).corner_radius(ROUNDISH).inner_margin(margin);
    frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.label(RichText::new(text).color(palette.alarm));
    });
}

fn account(question: &Question) -> String {
    if question.account.is_empty() {
        return format!("whichever you sign in with at {}", question.provider);
    }
    format!("{} at {}", question.account, question.provider)
}

/// The buttons, and the keys: Escape says no, and so does Enter unless the keyboard has moved to
/// another button.
fn answers(ui: &mut Ui, dialog: &mut Dialog) -> Option<Answer> {
    let left = dialog.settles_in(ui.input(|input| input.time));
    if left > 0.0 {
        ui.ctx().request_repaint_after(Duration::from_secs_f64(left.min(SETTLES)));
    }
    let settled = left <= 0.0;
    let pressed = ui.add_enabled_ui(settled, |ui| ui.vertical_centered(buttons).inner).inner;
    let (enter, escape) =
        ui.input(|input| (input.key_pressed(Key::Enter), input.key_pressed(Key::Escape)));
    let free = ui.memory(|memory| memory.focused().is_none());
    let no = (escape || (enter && free)).then_some(Answer::No);
    pressed.or(no).filter(|_| settled)
}

fn buttons(ui: &mut Ui) -> Option<Answer> {
    let palette = Palette::of(ui);
    let choices = [
        ("Deny", Answer::No),
        ("Allow once", Answer::Once),
        ("Allow until the session is locked", Answer::UntilLocked),
        ("Allow for 30 days", Answer::ThirtyDays),
        ("Allow always", Answer::Always),
    ];
    let mut answer = None;
    for (label, means) in choices {
        let button = match means {
            Answer::No => filled(label, palette.accent, palette.on_accent),
            _ => Button::new(label),
        };
        if ui.add(button.min_size(vec2(ui.available_width(), BUTTON))).clicked() {
            answer = Some(means);
        }
    }
    answer
}

/// The button that the eye and Enter find first.
fn filled(label: &str, fill: Color32, text: Color32) -> Button<'_> {
    Button::new(RichText::new(label).color(text)).fill(fill).stroke(Stroke::NONE)
}
