//! One line of output: the events as JSON.

use authbroker_client::{Account, Progress};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::messages::{Answer, Claims};
use crate::problem::Problem;

/// An event, and the caller's word for the command that it answers.
#[derive(Debug, Serialize)]
pub(super) struct Said<'a> {
    #[serde(flatten)]
    pub(super) what: What<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
}

/// The events that are not named after a command.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum What<'a> {
    Ready {
        accounts: Vec<Brief<'a>>,
    },
    Accounts {
        accounts: Vec<Brief<'a>>,
    },
    SignIn(Step<'a>),
    SignOut(Step<'a>),
    SignedIn {
        account: &'a str,
    },
    SignedOut {
        account: &'a str,
    },
    Message {
        status: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    Claims {
        claims: Option<&'a Map<String, Value>>,
        expires_at: u64,
        fingerprint: &'a str,
    },
    Error {
        code: &'static str,
        message: &'a str,
        hint: &'a str,
    },
}

/// An account in a few words.
#[derive(Debug, Serialize)]
pub(super) struct Brief<'a> {
    id: &'a str,
    label: &'a str,
    state: &'a str,
}

/// How far a sign-in or a sign-out is.
#[derive(Debug, Serialize)]
pub(super) struct Step<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

pub(super) fn brief(accounts: &[Account]) -> Vec<Brief<'_>> {
    accounts.iter().map(Brief::from).collect()
}

impl<'a> From<&'a Account> for Brief<'a> {
    fn from(account: &'a Account) -> Self {
        Self { id: &account.id, label: &account.label, state: &account.state }
    }
}

impl<'a> From<&'a Progress> for Step<'a> {
    fn from(progress: &'a Progress) -> Self {
        Self {
            phase: progress.phase.as_deref(),
            url: progress.url.as_deref(),
            message: progress.message.as_deref(),
        }
    }
}

impl<'a> From<&'a Answer> for What<'a> {
    fn from(answer: &'a Answer) -> Self {
        match answer {
            Answer::Text { status, text } => {
                Self::Message { status: *status, text: Some(text), reason: None }
            }
            Answer::Refused { status, reason } => {
                Self::Message { status: *status, text: None, reason: Some(reason) }
            }
        }
    }
}

impl<'a> From<&'a Claims> for What<'a> {
    fn from(claims: &'a Claims) -> Self {
        Self::Claims {
            claims: claims.payload.as_ref(),
            expires_at: claims.expires_at,
            fingerprint: &claims.fingerprint,
        }
    }
}

impl<'a> From<&'a Problem> for What<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self::Error { code: problem.cause.name(), message: &problem.message, hint: &problem.hint }
    }
}
