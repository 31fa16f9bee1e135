//! Failures as D-Bus errors: the text first, the details second (contract §5).

use std::collections::HashMap;

use authbroker_client::wire::broker1::BUS_NAME;
use authbroker_core::failure::Failure;
use zbus::message::Header;
use zbus::names::ErrorName;
use zbus::{DBusError, Message, Variant};

/// A failure on its way to the bus.
#[derive(Debug)]
pub(super) struct Refused {
    name: String,
    failure: Failure,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { name: error_name(&failure), failure }
    }
}

/// The full name of a failure on the bus.
pub(super) fn error_name(failure: &Failure) -> String {
    format!("{BUS_NAME}.Error.{}", failure.code.name())
}

/// What an error or a failed request tells beside its text.
pub(super) fn details(failure: &Failure) -> HashMap<&'static str, Variant<'_>> {
    let mut details = HashMap::from([("hint", Variant::from(failure.hint.as_str()))]);
    if let Some(pause) = failure.retry_after {
        details.insert("retry_after", Variant::from(pause.as_secs().max(1)));
    }
    if let Some(word) = &failure.oauth_error {
        details.insert("oauth_error", Variant::from(word.as_str()));
    }
    if let Some(step_up) = &failure.step_up {
        details.insert("acr_values", Variant::from(step_up.acr_values.clone()));
        if let Some(age) = step_up.max_age {
            details.insert("max_age", Variant::from(age.as_secs()));
        }
    }
    details
}

impl DBusError for Refused {
    fn create_reply(&self, call: &Header<'_>) -> zbus::Result<Message> {
        Message::error(call, self.name()).build(&(&self.failure.message, details(&self.failure)))
    }

    fn name(&self) -> ErrorName<'_> {
        ErrorName::from_str_unchecked(&self.name)
    }

    fn description(&self) -> Option<&str> {
        Some(&self.failure.message)
    }
}
