//! What an app in terminal mode says, as far as the story needs it: one JSON object a line.

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Event {
    Ready {
        accounts: Vec<Account>,
    },
    Accounts {
        accounts: Vec<Account>,
    },
    SignIn(Progress),
    SignOut(Progress),
    SignedIn {
        account: String,
    },
    SignedOut {
        account: String,
    },
    Message {
        status: u16,
        #[serde(alias = "reason")]
        text: String,
    },
    Claims(Claims),
    Error(Problem),
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) state: String,
}

/// How far a sign-in or a sign-out is.
#[derive(Debug, Deserialize)]
pub(super) struct Progress {
    pub(super) phase: Option<String>,
    pub(super) url: Option<String>,
    pub(super) message: Option<String>,
}

/// What an access token says, and by which it is told from another. It is not here itself.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) claims: Map<String, Value>,
    pub(super) fingerprint: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) hint: String,
}

impl Claims {
    /// A claim in words: a list is its members, and what is missing is nothing.
    pub(super) fn text(&self, name: &str) -> String {
        match self.claims.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(list)) => {
                list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
            }
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// A claim that is a time, in seconds since the epoch.
    pub(super) fn time(&self, name: &str) -> Option<u64> {
        self.claims.get(name)?.as_u64()
    }
}
