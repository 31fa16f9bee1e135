//! The private message: the line that introduces it, the button, and what came of it.

use eframe::egui::{RichText, Ui};

use super::{parts, words};
use crate::model::{Intent, Message};
use crate::problem::{Cause, Problem};
use crate::theme::{GRID, Palette};

pub(super) fn show(ui: &mut Ui, message: &Message) -> Option<Intent> {
    words::centred(ui, "You successfully used OpenID Connect and OAuth 2.0 to authenticate.");
    ui.add_space(GRID);
    let wanted = button(ui, message);
    match message {
        Message::Unasked | Message::Loading => {}
        Message::Shown(text) => shown(ui, text),
        Message::Refused { status, reason } => refused(ui, *status, reason),
        Message::Failed(problem) => parts::problem(ui, title(problem), problem),
    }
    wanted
}

fn button(ui: &mut Ui, message: &Message) -> Option<Intent> {
    match message {
        Message::Loading => {
            parts::busy(ui, "Getting the message…");
            None
        }
        Message::Failed(problem) if problem.cause.wants_sign_in() => {
            parts::primary(ui, "Sign in again").then_some(Intent::SignIn)
        }
        _ => parts::primary(ui, "Get Private Message").then_some(Intent::GetMessage),
    }
}

fn shown(ui: &mut Ui, text: &str) {
    let palette = Palette::of(ui);
    parts::panel(ui, palette.tint, |ui| {
        ui.label(RichText::new("Private message").small().color(palette.accent));
        words::announce(ui, words::plain(text));
    });
}

fn refused(ui: &mut Ui, status: u16, reason: &str) {
    let palette = Palette::of(ui);
    parts::panel(ui, palette.alarm_tint, |ui| {
        let title = format!("The API refused, with status {status}");
        words::announce(ui, words::plain(&title).color(palette.alarm));
        words::text(ui, reason);
    });
}

/// What kind of problem it is, in a few words.
pub(super) fn title(problem: &Problem) -> &'static str {
    match problem.cause {
        Cause::ApiDown => "The API does not answer",
        Cause::Broker(_) if problem.cause.wants_sign_in() => "A new sign-in is needed",
        Cause::Broker(_) => "The broker said no",
        _ => "No connection to the broker",
    }
}
