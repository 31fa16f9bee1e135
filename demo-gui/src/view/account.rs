//! The states with an account: who is signed in, how the account stands, and the message.

use authbroker_client::Account;
use eframe::egui::accesskit::Role;
use eframe::egui::{
    Align2, CornerRadius, Image, Rect, RichText, Sense, TextureHandle, Ui, Vec2, Widget as _,
    WidgetInfo,
};

use super::{Scene, details, message, parts, words};
use crate::model::{Intent, Message, SignedIn, Standing};
use crate::theme::{GRID, Palette};

/// Half the width of the picture, in points.
const RADIUS: u8 = 44;

pub(super) fn signed_in(ui: &mut Ui, now: &SignedIn, scene: Scene<'_>) -> Option<Intent> {
    who(ui, &now.account, scene.portrait);
    match Standing::of(&now.account) {
        Standing::SignInNeeded => sign_in_again(ui, now),
        standing => {
            note(ui, standing, &now.account, scene);
            ui.add_space(GRID);
            message::show(ui, &now.message)
        }
    }
}

pub(super) fn signing_out(
    ui: &mut Ui,
    account: &Account,
    portrait: Option<&TextureHandle>,
) -> Option<Intent> {
    who(ui, account, portrait);
    ui.add_space(GRID);
    words::soft(ui, "Logging out, here and in every other app");
    parts::dots(ui);
    None
}

fn who(ui: &mut Ui, account: &Account, portrait: Option<&TextureHandle>) {
    face(ui, account, portrait);
    ui.add_space(GRID / 2.0);
    words::heading(ui, name(account));
    let second = format!("{} at {}", account.username, account.provider);
    ui.label(RichText::new(second).small().color(Palette::of(ui).soft));
}

fn name(account: &Account) -> &str {
    if account.label.is_empty() { &account.username } else { &account.label }
}

/// The picture as a disc, or the initials on one.
fn face(ui: &mut Ui, account: &Account, portrait: Option<&TextureHandle>) {
    let size = Vec2::splat(2.0 * f32::from(RADIUS));
    let named = format!("Picture of {}", name(account));
    if let Some(texture) = portrait {
        let image = Image::from_texture((texture.id(), size));
        let _ = image.corner_radius(CornerRadius::same(RADIUS)).alt_text(named).ui(ui);
        return;
    }
    let (place, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &named));
    paint_initials(ui, place, &initials(name(account)));
}

fn paint_initials(ui: &Ui, place: Rect, initials: &str) {
    let palette = Palette::of(ui);
    ui.painter().circle_filled(place.center(), f32::from(RADIUS), palette.tint);
    let (centre, font) = (Align2::CENTER_CENTER, words::large(ui));
    ui.painter().text(place.center(), centre, initials, font, palette.accent);
}

/// The first letters of the first and the last word.
fn initials(name: &str) -> String {
    let mut letters = name.split_whitespace().filter_map(|word| word.chars().next());
    let first = letters.next();
    first.into_iter().chain(letters.next_back()).flat_map(char::to_uppercase).collect()
}

fn sign_in_again(ui: &mut Ui, now: &SignedIn) -> Option<Intent> {
    let reason = reason(&now.account, "The provider asks for it.");
    parts::notice(ui, "Please sign in again", &[reason]);
    if let Message::Failed(problem) = &now.message {
        parts::problem(ui, message::title(problem), problem);
    }
    ui.add_space(GRID);
    parts::primary(ui, "Sign in again").then_some(Intent::SignIn)
}

/// The reason that was given for how the account stands, or else the usual one.
fn reason<'a>(account: &'a Account, usual: &'a str) -> &'a str {
    if account.state_reason.is_empty() { usual } else { &account.state_reason }
}

/// How the account stands, where that is worth a word.
fn note(ui: &mut Ui, standing: Standing, account: &Account, scene: Scene<'_>) {
    let (title, usual) = match standing {
        Standing::Ready | Standing::SignInNeeded => return,
        Standing::Offline => return offline(ui, account, scene),
        Standing::VaultLocked => ("The vault is locked", "Unlock it with: brokerctl unlock"),
        Standing::Disabled => ("This account is disabled", "Ask the provider why."),
    };
    parts::notice(ui, title, &[reason(account, usual)]);
}

/// The provider is away; what the broker has will do until it expires.
fn offline(ui: &mut Ui, account: &Account, scene: Scene<'_>) {
    let usual = "The broker goes on by itself when it is back.";
    let until = still_good(ui, account, scene);
    let lines = [reason(account, usual), until.as_deref().unwrap_or("The broker goes on trying.")];
    parts::notice(ui, "The provider cannot be reached", &lines);
}

/// How long the token lasts that the broker has, where that is known.
fn still_good(ui: &Ui, account: &Account, scene: Scene<'_>) -> Option<String> {
    let token = scene.details.facts(account)?.token.as_ref().ok()?;
    let left = details::left(token, scene.now.timestamp());
    if left.is_zero() {
        return Some("The token that the broker had has expired.".to_owned());
    }
    ui.ctx().request_repaint_after(left);
    let until = token.expires_at.to_zoned(scene.now.time_zone().clone());
    Some(format!("Your token is still good until {}.", until.strftime("%H:%M")))
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Alice Adams"), "AA");
        assert_eq!(initials("Ada King of Lovelace"), "AL");
        assert_eq!(initials("alice"), "A");
        assert_eq!(initials("  "), "");
        assert_eq!(initials("émile ßtraße"), "ÉSS");
    }
}
