//! Answers, signals and errors off the bus, read into the words of the wire.

use std::collections::HashMap;
use std::io;

use zbus::{Message, OwnedVariant, Variant};

use crate::error::Error;
use crate::wire::broker1::{Account, BUS_NAME, ErrorDetails, Progress, Reaction};

/// A dictionary as it comes.
pub(super) type Dict = HashMap<String, OwnedVariant>;

pub(super) fn read_request_signal(message: &Message) -> Result<Progress, Error> {
    let header = message.header();
    if header.member().is_some_and(|member| member.as_str() == "Progress") {
        let (phase, details): (String, Dict) = message.body().deserialize().map_err(from_zbus)?;
        return Ok(Progress {
            phase: Some(phase),
            url: word(&details, "url"),
            user_code: word(&details, "user_code"),
            url_complete: word(&details, "url_complete"),
            expires_in: details.contains_key("expires_in").then(|| number(&details, "expires_in")),
            message: word(&details, "message"),
            account: word(&details, "account"),
            correlation_id: None,
        });
    }
    let (code, details): (u32, Dict) = message.body().deserialize().map_err(from_zbus)?;
    match code {
        0 => Ok(Progress {
            account: Some(text(&details, "account")),
            correlation_id: word(&details, "correlation_id"),
            ..Progress::default()
        }),
        _ => Err(read_error(&text(&details, "error"), &details, text(&details, "message"))),
    }
}

pub(super) fn read_reaction(action: String, dict: &Dict) -> Reaction {
    Reaction {
        action,
        scopes: list(dict, "scopes"),
        acr_values: list(dict, "acr_values"),
        max_age: dict.contains_key("max_age").then(|| number(dict, "max_age")),
        token_type: word(dict, "token_type"),
        message: word(dict, "message"),
        correlation_id: word(dict, "correlation_id"),
    }
}

/// A text that may be left out.
fn word(dict: &Dict, name: &str) -> Option<String> {
    Some(text(dict, name)).filter(|text| !text.is_empty())
}

pub(super) fn read_account(properties: &Dict) -> Account {
    Account {
        id: text(properties, "Id"),
        provider: text(properties, "Provider"),
        issuer: text(properties, "Issuer"),
        username: text(properties, "Username"),
        label: text(properties, "Label"),
        subject: text(properties, "Subject"),
        picture: text(properties, "Picture"),
        state: text(properties, "State"),
        state_reason: text(properties, "StateReason"),
        state_since: number(properties, "StateSince"),
        auth_time: number(properties, "AuthTime"),
        renewed_at: 0,
    }
}

pub(super) fn text(dict: &Dict, name: &str) -> String {
    dict.get(name)
        .and_then(|value| String::try_from(value.try_clone().ok()?).ok())
        .unwrap_or_default()
}

pub(super) fn list(dict: &Dict, name: &str) -> Vec<String> {
    let value = dict.get(name).and_then(|value| value.try_clone().ok());
    value.and_then(|value| Vec::<String>::try_from(value).ok()).unwrap_or_default()
}

/// A number of whatever width it was sent in.
pub(super) fn number(dict: &Dict, name: &str) -> u64 {
    match dict.get(name).map(|value| &**value) {
        Some(Variant::U64(number)) => *number,
        Some(Variant::U32(number)) => u64::from(*number),
        Some(Variant::U8(number)) => u64::from(*number),
        _ => 0,
    }
}

pub(super) fn no_account(name: &str, message: &str) -> Error {
    let details = ErrorDetails {
        message: message.to_owned(),
        hint: "brokerctl accounts".to_owned(),
        ..ErrorDetails::default()
    };
    Error::from_wire(&format!("{BUS_NAME}.Error.{name}"), details)
}

pub(super) fn read_error(name: &str, details: &Dict, message: String) -> Error {
    let retry_after = Some(number(details, "retry_after")).filter(|seconds| *seconds > 0);
    // Methods without options tell both in one text.
    let (message, hint) = match message.split_once("\nhint: ") {
        Some((message, hint)) => (message.to_owned(), hint.to_owned()),
        None => (message, text(details, "hint")),
    };
    Error::from_wire(
        name,
        ErrorDetails {
            message,
            hint,
            retry_after,
            oauth_error: word(details, "oauth_error"),
            acr_values: list(details, "acr_values"),
            max_age: details.contains_key("max_age").then(|| number(details, "max_age")),
            correlation_id: word(details, "correlation_id"),
        },
    )
}

pub(super) fn from_zbus(error: zbus::Error) -> Error {
    match error {
        zbus::Error::MethodError(name, message, reply) => {
            let body: Option<(String, Dict)> = reply.body().deserialize().ok();
            let (message, details) =
                body.unwrap_or_else(|| (message.unwrap_or_default(), Dict::new()));
            match name.as_str() {
                "org.freedesktop.DBus.Error.ServiceUnknown"
                | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
                    Error::NoBroker { looked: format!("session bus: {message}") }
                }
                name => read_error(name, &details, message),
            }
        }
        zbus::Error::InputOutput(error) => Error::Connection(io::Error::new(error.kind(), error)),
        other => Error::Connection(io::Error::other(other)),
    }
}
