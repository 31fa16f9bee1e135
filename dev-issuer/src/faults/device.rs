//! Devices that get no tokens, or are told what they must not show to anybody.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::BadAnswer::{Document, Never, OAuth, Rewritten, Status};
use super::Effect::Answer;
use super::Endpoint::{Device, Poll};

faults! {
    /// A device is answered with 500 when it asks for its codes.
    device_500 => Answer(Device, Status(StatusCode::INTERNAL_SERVER_ERROR)),
    /// A device gets a page for people instead of its codes.
    device_not_json => Answer(Device, Document(StatusCode::OK, "<!doctype html><title>Hello")),
    /// A device never gets its codes.
    device_hang => Answer(Device, Never),
    /// A device is not told how often to ask: every five seconds then.
    device_without_interval => Answer(Device, Rewritten(|text| changed(&text, |answer| {
        answer.remove("interval");
    }))),
    /// A device is told as text how often to ask.
    device_interval_text => Answer(Device, Rewritten(|text| with(&text, "interval", json!("5")))),
    /// A device is told to ask less than never.
    device_interval_negative => Answer(Device, Rewritten(|text| with(&text, "interval", json!(-5)))),
    /// A device is told to wait for a century between two polls.
    device_interval_huge => {
        Answer(Device, Rewritten(|text| with(&text, "interval", json!(3_155_760_000_u64))))
    },
    /// A device is not told how long its codes are good.
    device_without_expires_in => Answer(Device, Rewritten(|text| changed(&text, |answer| {
        answer.remove("expires_in");
    }))),
    /// The page for the code is a script.
    device_uri_javascript => Answer(Device, Rewritten(|text| led_to(&text, "javascript:alert(1)"))),
    /// The page for the code is a file.
    device_uri_file => Answer(Device, Rewritten(|text| led_to(&text, "file:///etc/passwd"))),
    /// The page for the code looks like an option of the program that would open it.
    device_uri_dash => Answer(Device, Rewritten(|text| led_to(&text, "--help"))),
    /// The page for the code is another machine's, over plain http.
    device_uri_plain_http => {
        Answer(Device, Rewritten(|text| led_to(&text, "http://stranger.example/device")))
    },
    /// The address of the page for the code has control characters in it.
    device_uri_control_characters => {
        Answer(Device, Rewritten(|text| led_to(&text, "https://stranger.example/\u{1b}[2J\r\n")))
    },
    /// A device is not told where its code is typed.
    device_without_uri => Answer(Device, Rewritten(|text| changed(&text, |answer| {
        answer.remove("verification_uri");
        answer.remove("verification_uri_complete");
    }))),
    /// The code for the person has control characters in it.
    device_user_code_control_characters => Answer(Device, Rewritten(|text| {
        with(&text, "user_code", json!("\u{1b}[2J\u{1b}[31mWDJB\r\nMJHT\u{202e}\u{7}"))
    })),
    /// The code for the person is a page long.
    device_user_code_huge => {
        Answer(Device, Rewritten(|text| with(&text, "user_code", "WDJB-MJHT ".repeat(500).into())))
    },
    /// A device gets no code for the person.
    device_without_user_code => Answer(Device, Rewritten(|text| changed(&text, |answer| {
        answer.remove("user_code");
    }))),
    /// A device that polls is told to slow down, however slow it is.
    device_slow_down => Answer(Poll, OAuth("slow_down")),
    /// A device that polls is told that the person said no; nobody did.
    device_denied => Answer(Poll, OAuth("access_denied")),
    /// A device that polls is told that its code has expired; it has not.
    device_expired => Answer(Poll, OAuth("expired_token")),
    /// A device that polls is told to wait, whatever the person has said.
    device_never_answered => Answer(Poll, OAuth("authorization_pending")),
    /// A device that polls is answered with 500.
    device_poll_500 => Answer(Poll, Status(StatusCode::INTERNAL_SERVER_ERROR)),
    /// A device that polls is never answered.
    device_poll_hang => Answer(Poll, Never),
}

/// The same answer with one member set.
fn with(text: &str, name: &str, value: Value) -> String {
    changed(text, |answer| {
        answer.insert(name.to_owned(), value);
    })
}

/// The same answer with other addresses of the page for the code.
fn led_to(text: &str, address: &str) -> String {
    changed(text, |answer| {
        for name in ["verification_uri", "verification_uri_complete"] {
            answer.insert(name.to_owned(), json!(address));
        }
    })
}

fn changed(text: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let Ok(Value::Object(mut answer)) = serde_json::from_str(text) else { return text.to_owned() };
    change(&mut answer);
    Value::Object(answer).to_string()
}
