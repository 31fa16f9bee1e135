//! What did not work, in words for a person: what happened, and what helps.

use authbroker_client::http::Interaction;
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

impl Problem {
    /// What `interaction` asks for, as a problem of those who cannot ask the person themselves.
    pub(crate) fn of_interaction(interaction: &Interaction, hint: &str) -> Self {
        let usual = || "The API asks for another sign-in".to_owned();
        Self {
            cause: Cause::Broker(ErrorCode::InteractionRequired),
            message: interaction.terms().message.clone().unwrap_or_else(usual),
            hint: hint.to_owned(),
        }
    }
}

/// What a person can do about a problem, besides trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure {
    /// Sign in.
    SignIn,
    /// Allow this app what it asks for.
    Consent,
    /// Nothing here: the hint says what helps.
    Elsewhere,
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

    /// What a person can do about it.
    pub const fn cure(self) -> Cure {
        use ErrorCode::{
            ConsentRequired, InteractionRequired, NoSuchAccount, StepUpRequired, UserDenied,
        };
        match self {
            Self::Broker(InteractionRequired | NoSuchAccount | StepUpRequired) => Cure::SignIn,
            Self::Broker(ConsentRequired | UserDenied) => Cure::Consent,
            _ => Cure::Elsewhere,
        }
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
