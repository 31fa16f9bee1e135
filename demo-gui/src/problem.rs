//! What did not work, in words for a person: what happened, and what helps.

use authbroker_client::{Error, ErrorCode};

/// Something that did not work, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind it is.
    pub cause: Cause,
    /// What happened.
    pub message: String,
    /// What helps.
    pub hint: String,
}

/// The kinds of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No broker is running.
    NoBroker,
    /// The connection to the broker broke.
    ConnectionLost,
    /// The broker's answer is not understood.
    NotUnderstood,
    /// The broker said no, and why.
    Broker(ErrorCode),
    /// The API cannot be reached or has a fault.
    ApiDown,
    /// A command in terminal mode that is none.
    Usage,
}

impl Cause {
    /// Its name in terminal mode; the broker's own name where it has one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoBroker => "NoBroker",
            Self::ConnectionLost => "ConnectionLost",
            Self::NotUnderstood => "NotUnderstood",
            Self::Broker(code) => code.name(),
            Self::ApiDown => "ApiDown",
            Self::Usage => "InvalidArgs",
        }
    }

    /// Whether a sign-in is what helps.
    pub const fn wants_sign_in(self) -> bool {
        use ErrorCode::{InteractionRequired, NoSuchAccount, StepUpRequired};
        matches!(self, Self::Broker(InteractionRequired | NoSuchAccount | StepUpRequired))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let cause = match &error {
            Error::Broker(refusal) => Cause::Broker(refusal.code),
            Error::NoBroker { .. } => Cause::NoBroker,
            Error::Connection(_) => Cause::ConnectionLost,
            _ => Cause::NotUnderstood,
        };
        Self { cause, message: error.to_string(), hint: error.hint().to_owned() }
    }
}
