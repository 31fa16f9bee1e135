//! Failures as D-Bus errors.
//!
//! The body is one text, the sentence and its way out: GLib shows the text of an error whose body is
//! exactly that, and of any other only its signature. A program that can do something about it asks
//! for the details with the option `error_details`, and gets the sentence first and a dictionary
//! second. What a `Response` tells has always both.

use std::collections::HashMap;

use authbroker_client::wire::broker1::BUS_NAME;
use authbroker_core::failure::Failure;
use zbus::message::Header;
use zbus::names::ErrorName;
use zbus::{DBusError, Message, Variant};

use super::options::{CORRELATION_ID, ERROR_DETAILS, Options};

/// A failure on its way to the bus.
#[derive(Debug)]
pub(super) struct Refused {
    name: String,
    failure: Failure,
    telling: Telling,
}

/// What a caller wants to be told of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Telling {
    /// What a person reads.
    #[default]
    Text,
    /// The same in parts, for a program.
    Details {
        /// The caller's own word for its request.
        correlation_id: Option<String>,
    },
}

impl Telling {
    /// What the options of a call ask for.
    pub(super) fn of(options: &Options) -> Self {
        let Some(Variant::Bool(true)) = options.get(ERROR_DETAILS).map(|value| &**value) else {
            return Self::Text;
        };
        let correlation_id = match options.get(CORRELATION_ID).map(|value| &**value) {
            Some(Variant::Str(word)) => Some(word.to_string()),
            _ => None,
        };
        Self::Details { correlation_id }
    }

    /// Makes the error of a failure.
    pub(super) fn refused(self, failure: Failure) -> Refused {
        Refused { name: error_name(&failure), failure, telling: self }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Telling::Text.refused(failure)
    }
}

/// The full name of a failure on the bus.
pub(super) fn error_name(failure: &Failure) -> String {
    format!("{BUS_NAME}.Error.{}", failure.code.name())
}

/// What an error or a failed request tells beside its text.
pub(super) fn details<'a>(
    failure: &'a Failure,
    correlation_id: Option<&'a str>,
) -> HashMap<&'static str, Variant<'a>> {
    let mut details = HashMap::from([("hint", Variant::from(failure.hint.as_str()))]);
    if let Some(word) = correlation_id {
        details.insert(CORRELATION_ID, Variant::from(word));
    }
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
        let error = Message::error(call, self.name());
        let Failure { message, hint, .. } = &self.failure;
        match &self.telling {
            Telling::Text => error.build(&format!("{message}\nhint: {hint}")),
            Telling::Details { correlation_id } => {
                error.build(&(message, details(&self.failure, correlation_id.as_deref())))
            }
        }
    }

    fn name(&self) -> ErrorName<'_> {
        ErrorName::from_str_unchecked(&self.name)
    }

    fn description(&self) -> Option<&str> {
        Some(&self.failure.message)
    }
}
