//! A code that a person types in on another device, shown in every form that helps.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Color, Style};
use authbroker_client::Progress;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::failure::Failure;
use crate::print::Printer;

/// Black on white whatever the terminal's colours are: a camera expects that.
const PAPER: Style = Style::new()
    .fg_color(Some(Color::Ansi(AnsiColor::BrightWhite)))
    .bg_color(Some(Color::Ansi(AnsiColor::Black)));

/// Prints the address and the code, each alone on a line, and for a person what to do with them.
pub(super) fn show(progress: &Progress, printer: &Printer) -> Result<(), Failure> {
    if printer.json() {
        printer.document(progress)?;
        return Ok(());
    }
    printer.line(progress.url.as_deref().unwrap_or_default())?;
    printer.line(progress.user_code.as_deref().unwrap_or_default())?;
    printer.say(&advice(progress));
    if printer.on_terminal()
        && let Some(picture) = address(progress).and_then(picture)
    {
        printer.say(&picture);
    }
    Ok(())
}

/// The same in one sentence, for a command whose standard output is for something else.
pub(super) fn sentence(progress: &Progress) -> Option<String> {
    let (url, code) = (progress.url.as_ref()?, progress.user_code.as_ref()?);
    Some(format!("Sign in on any device: open {url} and type {code}"))
}

/// The address with the code in it, or else the one to type it in.
pub(super) fn address(progress: &Progress) -> Option<&str> {
    progress.url_complete.as_deref().or(progress.url.as_deref())
}

fn advice(progress: &Progress) -> String {
    let time = match progress.expires_in {
        Some(seconds @ 0..120) => format!(" within {seconds} seconds"),
        Some(seconds) => format!(" within {} minutes", (seconds + 30) / 60),
        None => String::new(),
    };
    match progress.url_complete {
        Some(_) => format!(
            "Open this address on any device and type the code{time}. A page that knows it already \
             must show the same one."
        ),
        None => format!("Open this address on any device and type the code{time}."),
    }
}

/// An address as a QR code, two rows of it in each line of text.
fn picture(address: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(address, EcLevel::L).ok()?;
    let (dark, light) = (Dense1x2::Light, Dense1x2::Dark);
    let text = code.render::<Dense1x2>().dark_color(dark).light_color(light).build();
    let mut picture = String::new();
    for line in text.lines() {
        writeln!(picture, "{PAPER}{line}{PAPER:#}").ok()?;
    }
    Some(picture.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(complete: Option<&str>, expires_in: Option<u64>) -> Progress {
        Progress {
            url: Some("https://a.example/device".to_owned()),
            user_code: Some("WDJB-MJHT".to_owned()),
            url_complete: complete.map(str::to_owned),
            expires_in,
            ..Progress::default()
        }
    }

    #[test]
    fn a_person_is_told_how_long_the_code_can_be_used() {
        let time = |expires_in| advice(&progress(None, expires_in));
        assert!(time(Some(600)).ends_with("type the code within 10 minutes."));
        assert!(time(Some(90)).ends_with("type the code within 90 seconds."));
        assert!(time(None).ends_with("type the code."));
    }

    #[test]
    fn the_picture_is_of_the_address_that_has_the_code() {
        let complete = "https://a.example/device?user_code=WDJB-MJHT";
        assert_eq!(address(&progress(Some(complete), None)), Some(complete));
        assert_eq!(address(&progress(None, None)), Some("https://a.example/device"));
        assert!(picture(complete).unwrap().lines().count() > 15);
        assert!(picture(&"x".repeat(10_000)).is_none(), "no picture holds that much");
    }
}
