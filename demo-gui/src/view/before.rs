//! The states without an account: on the way to the broker, and on the way in.

use eframe::egui::{Key, RichText, Ui};

use super::{parts, words};
use crate::model::{Intent, SignedOut, SigningIn, Stage};
use crate::problem::{Cause, Problem};
use crate::theme::{GRID, Palette};

pub(super) fn connecting(ui: &mut Ui) -> Option<Intent> {
    parts::pale_emblem(ui);
    words::heading(ui, "Looking for the broker");
    parts::dots(ui);
    None
}

pub(super) fn no_broker(ui: &mut Ui, problem: &Problem) -> Option<Intent> {
    parts::pale_emblem(ui);
    words::heading(
        ui,
        match problem.cause {
            Cause::NoBroker => "The broker is not running",
            _ => "No connection to the broker",
        },
    );
    words::soft(ui, &words::sentence(&problem.message));
    parts::panel(ui, Palette::of(ui).tint, |ui| {
        ui.label(RichText::new("What helps").small().color(Palette::of(ui).soft));
        words::hint(ui, &problem.hint);
    });
    ui.add_space(GRID);
    let wanted = parts::primary(ui, "Try now").then_some(Intent::TryNow);
    words::soft(ui, "This window keeps trying, and goes on by itself.");
    wanted
}

pub(super) fn signed_out(ui: &mut Ui, now: &SignedOut) -> Option<Intent> {
    parts::emblem(ui);
    words::heading(ui, "Welcome");
    words::soft(
        ui,
        "Sign in once, in your browser. Every app that asks the broker is then signed in.",
    );
    if let Some(problem) = &now.problem {
        parts::problem(ui, "The sign-in did not work", problem);
    }
    ui.add_space(GRID);
    parts::primary(ui, "Sign in").then_some(Intent::SignIn)
}

pub(super) fn signing_in(ui: &mut Ui, now: &SigningIn) -> Option<Intent> {
    parts::emblem(ui);
    let (title, words) = match now.stage {
        Stage::Preparing => ("One moment", "The broker prepares the sign-in."),
        Stage::Consent => ("May this app?", "The broker asks you. Answer its question first."),
        Stage::InBrowser if now.code.is_some() => {
            ("Type in this code", "on the sign-in page, on this device or another one.")
        }
        Stage::InBrowser => ("Go on in your browser", "Come back here when you are done."),
        Stage::Finishing => ("Almost there", "The broker gets your tokens."),
    };
    words::heading(ui, title);
    words::soft(ui, words);
    if let (Stage::InBrowser, Some(code)) = (now.stage, &now.code) {
        words::code(ui, code);
    }
    parts::dots(ui);
    if let (Stage::InBrowser, Some(address)) = (now.stage, &now.address) {
        page(ui, now.code.as_deref(), address.as_str());
    }
    ui.add_space(GRID);
    let cancelled = parts::secondary(ui, "Cancel") || ui.input(|i| i.key_pressed(Key::Escape));
    cancelled.then_some(Intent::CancelSignIn)
}

/// The way to the page: where a code is to be typed in, and where no browser came up or the wrong
/// one.
fn page(ui: &mut Ui, code: Option<&str>, address: &str) {
    let title = if code.is_some() { "Where to type it in" } else { "No page came up?" };
    parts::panel(ui, Palette::of(ui).tint, |ui| {
        ui.label(RichText::new(title).small().color(Palette::of(ui).soft));
        ui.horizontal_wrapped(|ui| {
            ui.hyperlink_to("Open the sign-in page", address);
            ui.label("or");
            if ui.link("copy its address").clicked() {
                ui.copy_text(address.to_owned());
            }
        });
    });
}
