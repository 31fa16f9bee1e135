//! The details: what the broker says of the account, its token and this app, and what went to the
//! API. Never the token, nor what stands in it: that is for the API alone (RFC 9068 §6).

use std::time::Duration;

use authbroker_client::{Account, Identity};
use eframe::egui::{RichText, Ui};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::{parts, words};
use crate::messages::{Facts, Sent, TokenFacts};
use crate::model::Details;
use crate::problem::Problem;
use crate::theme::{GRID, Palette};

pub(super) fn show(ui: &mut Ui, account: &Account, details: &Details, now: &Zoned) {
    words::heading(ui, "Details");
    of_account(ui, account, now);
    let facts = details.facts(account);
    of_token(ui, facts, now.timestamp());
    of_app(ui, facts);
    of_requests(ui, details, now.time_zone());
}

fn of_account(ui: &mut Ui, account: &Account, now: &Zoned) {
    section(ui, "Account", |ui| {
        row(ui, "Name", &account.label);
        row(ui, "Username", &account.username);
        row(ui, "Subject", &account.subject);
        row(ui, "Provider", &account.provider);
        row(ui, "Issuer", &account.issuer);
        row(ui, "Signed in", &since(account.auth_time, now));
        row(ui, "Renewed", &since(account.renewed_at, now));
    });
}

fn of_token(ui: &mut Ui, facts: Option<&Facts>, now: Timestamp) {
    section(ui, "Access token", |ui| match facts.map(|facts| &facts.token) {
        None => row(ui, "Type", "the broker is being asked"),
        Some(Err(problem)) => none(ui, problem),
        Some(Ok(token)) => token_rows(ui, token, now),
    });
}

fn token_rows(ui: &mut Ui, token: &TokenFacts, now: Timestamp) {
    row(ui, "Type", &token.token_type);
    row(ui, "Scopes", &token.scopes.join(" "));
    row(ui, "For", &token.resource.join(" "));
    row(ui, "Expires", &countdown(left(token, now)));
    if !left(token, now).is_zero() {
        ui.ctx().request_repaint_after(Duration::from_secs(1));
    }
}

fn of_app(ui: &mut Ui, facts: Option<&Facts>) {
    section(ui, "This app, as the broker sees it", |ui| match facts.map(|facts| &facts.identity) {
        None => row(ui, "Level", "the broker is being asked"),
        Some(Err(problem)) => none(ui, problem),
        Some(Ok(identity)) => identity_rows(ui, identity),
    });
}

fn identity_rows(ui: &mut Ui, identity: &Identity) {
    row(ui, "Level", &format!("{}, {}", identity.level, identity.level_name));
    row(ui, "Known by", &identity.source);
    row(ui, "Called", &identity.app);
    row(ui, "Proves", &identity.proves);
}

fn of_requests(ui: &mut Ui, details: &Details, zone: &TimeZone) {
    section(ui, "Last requests", |ui| {
        if details.sent.is_empty() {
            words::text(ui, "None yet");
        }
        for sent in &details.sent {
            row(ui, &sent.at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string(), &told(sent));
        }
    });
}

fn told(sent: &Sent) -> String {
    let status = sent.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    format!("GET /{}: {status} after {} ms", sent.page.path(), sent.took.as_millis())
}

fn section(ui: &mut Ui, title: &str, add: impl FnOnce(&mut Ui)) {
    parts::panel(ui, Palette::of(ui).tint, |ui| {
        words::subheading(ui, title);
        add(ui);
    });
}

/// A name and its value. What there is nothing to say about is left out.
fn row(ui: &mut Ui, name: &str, value: &str) {
    const NAMES: f32 = 76.0;
    if value.is_empty() {
        return;
    }
    parts::row(
        ui,
        NAMES,
        |ui| ui.label(RichText::new(name).small().color(Palette::of(ui).soft)),
        |ui| ui.label(RichText::new(value).small()),
    );
}

fn none(ui: &mut Ui, problem: &Problem) {
    row(ui, "None", &words::sentence(&problem.message));
    row(ui, "Hint", &problem.hint);
    ui.add_space(GRID / 2.0);
}

/// How long the token lasts. Not less than nothing.
pub(super) fn left(token: &TokenFacts, now: Timestamp) -> Duration {
    Duration::try_from(token.expires_at.duration_since(now)).unwrap_or_default()
}

fn countdown(left: Duration) -> String {
    let seconds = left.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => "now: the next request gets a new one".to_owned(),
        (0, minutes, seconds) => format!("in {minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("in {hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A moment that is past, in seconds since the epoch: its time today, its date before; nothing
/// where it is not known.
fn since(seconds: u64, now: &Zoned) -> String {
    let known = i64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
    let Some(at) = known.and_then(|seconds| Timestamp::from_second(seconds).ok()) else {
        return String::new();
    };
    let at = at.to_zoned(now.time_zone().clone());
    let form = if at.date() == now.date() { "%H:%M:%S" } else { "%-d %B %Y, %H:%M" };
    at.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_countdown_ends_with_what_comes_then() {
        let told = |seconds| countdown(Duration::from_secs(seconds));
        assert_eq!(told(3_725), "in 1:02:05");
        assert_eq!(told(65), "in 1:05");
        assert_eq!(told(1), "in 0:01");
        assert_eq!(told(0), "now: the next request gets a new one");
    }

    #[test]
    fn a_moment_has_its_date_where_it_was_not_today() {
        let now: Zoned = "2026-03-01T12:00[UTC]".parse().unwrap();
        let at =
            |text: &str| u64::try_from(text.parse::<Timestamp>().unwrap().as_second()).unwrap();
        assert_eq!(since(at("2026-03-01T09:05:07Z"), &now), "09:05:07");
        assert_eq!(since(at("2026-02-03T09:05:07Z"), &now), "3 February 2026, 09:05");
        assert_eq!(since(0, &now), "");
    }
}
