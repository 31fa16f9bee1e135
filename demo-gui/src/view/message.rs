//! The API's messages: the line that introduces them, the buttons, and what came of them.

use authbroker_client::ErrorCode;
use authbroker_client::http::Interaction;
use eframe::egui::{RichText, Ui};

use super::{parts, words};
use crate::messages::Page;
use crate::model::{Intent, Message};
use crate::problem::{Cause, Cure, Problem};
use crate::theme::{GRID, Palette};

pub(super) fn show(ui: &mut Ui, message: &Message) -> Option<Intent> {
    words::centred(ui, "You successfully used OpenID Connect and OAuth 2.0 to authenticate.");
    match message {
        Message::StepUp { interaction, .. } => {
            step_up(ui, interaction);
            cured(ui, "Sign in again")
        }
        Message::Failed(problem) => {
            let cure = match problem.cause.cure() {
                Cure::SignIn => "Sign in again",
                Cure::Consent => "Ask me again",
                Cure::Elsewhere => return failed(ui, message, problem),
            };
            parts::problem(ui, title(problem), problem);
            cured(ui, cure)
        }
        _ => {
            let wanted = pages(ui, message);
            came(ui, message);
            wanted
        }
    }
}

/// What a person can do about it, and what is there besides.
fn cured(ui: &mut Ui, cure: &str) -> Option<Intent> {
    ui.add_space(GRID);
    let cure = parts::primary(ui, cure).then_some(Intent::SignIn);
    let private = parts::secondary(ui, "Get Private Message");
    cure.or_else(|| private.then_some(Intent::Get(Page::Private)))
}

fn failed(ui: &mut Ui, message: &Message, problem: &Problem) -> Option<Intent> {
    let wanted = pages(ui, message);
    parts::problem(ui, title(problem), problem);
    wanted
}

fn came(ui: &mut Ui, message: &Message) {
    match message {
        Message::Shown { page, text } => shown(ui, *page, text),
        Message::Refused { status, reason } => refused(ui, *status, reason),
        _ => {}
    }
}

fn pages(ui: &mut Ui, message: &Message) -> Option<Intent> {
    ui.add_space(GRID);
    let loading = match message {
        Message::Loading(page) => Some(*page),
        _ => None,
    };
    let private = match loading {
        Some(Page::Private) => parts::busy(ui, "Getting the message…"),
        _ => parts::primary(ui, "Get Private Message"),
    };
    let recent = match loading {
        Some(Page::Recent) => parts::busy(ui, "Getting the recent message…"),
        _ => parts::secondary(ui, "Show recent"),
    };
    let private = private.then_some(Intent::Get(Page::Private));
    private.or_else(|| recent.then_some(Intent::Get(Page::Recent)))
}

fn shown(ui: &mut Ui, page: Page, text: &str) {
    let palette = Palette::of(ui);
    let title = match page {
        Page::Private => "Private message",
        Page::Recent => "Message for a recent sign-in",
    };
    parts::panel(ui, palette.tint, |ui| {
        ui.label(RichText::new(title).small().color(palette.accent));
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

fn step_up(ui: &mut Ui, interaction: &Interaction) {
    let terms = interaction.terms();
    let usual = match terms.max_age {
        Some(age) => {
            format!("This message is for those who signed in within the last {}.", minutes(age))
        }
        None => "This message takes a stronger sign-in than yours was.".to_owned(),
    };
    parts::notice(ui, "The API asks for a new sign-in", &[&usual]);
}

fn minutes(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} seconds"),
        60..120 => "minute".to_owned(),
        _ => format!("{} minutes", seconds / 60),
    }
}

/// What kind of problem it is, in a few words.
pub(super) const fn title(problem: &Problem) -> &'static str {
    use ErrorCode::{
        ConsentRequired, IdentityUnverified, Offline, PolicyDenied, ProviderUnavailable,
        UserDenied, VaultLocked,
    };
    match problem.cause {
        Cause::ApiDown => "The API does not answer",
        Cause::Broker(PolicyDenied) => "Policy does not allow it",
        Cause::Broker(ConsentRequired) => "The broker waits for your consent",
        Cause::Broker(UserDenied) => "You did not allow it",
        Cause::Broker(IdentityUnverified) => "The broker does not know who asks",
        Cause::Broker(Offline | ProviderUnavailable) => "The provider cannot be reached",
        Cause::Broker(VaultLocked) => "The vault is locked",
        Cause::Broker(_) => match problem.cause.cure() {
            Cure::SignIn => "A new sign-in is needed",
            Cure::Consent | Cure::Elsewhere => "The broker said no",
        },
        _ => "No connection to the broker",
    }
}

#[cfg(test)]
mod tests {
    use super::minutes;

    #[test]
    fn an_age_is_told_in_words() {
        assert_eq!(minutes(30), "30 seconds");
        assert_eq!(minutes(60), "minute");
        assert_eq!(minutes(300), "5 minutes");
    }
}
