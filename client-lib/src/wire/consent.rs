//! The questions' part of `org.authbroker.Admin1`.

use serde::{Deserialize, Serialize};

/// What an agent is told: first its key, then each question, and each that needs no answer any
/// more.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct News {
    /// The key that answers must come with. Whoever has it answers for this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// A question for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// The number of a question that is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<u64>,
}

/// May this app have that? Everything in it can be printed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its number.
    pub id: u64,
    /// The app, as `flatpak:org.acme.Mail`.
    pub app: String,
    /// Whether something vouches for which app it is. Otherwise any program can look like it.
    pub verified: bool,
    /// What the app's name rests on, in words.
    pub source: String,
    /// Its process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Its executable, as far as can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
    /// Whether the answer is about this terminal session alone.
    #[serde(default)]
    pub in_terminal: bool,
    /// The provider's name.
    pub provider: String,
    /// What people call the account; empty where nobody has signed in yet.
    pub account: String,
    /// The APIs.
    pub resource: Vec<String>,
    /// The scopes; empty for all that were granted.
    pub scopes: Vec<String>,
    /// What they mean, one phrase each, to follow "it wants to".
    pub wants: Vec<String>,
    /// What the app says that it needs them for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What can be answered: `once`, `until-locked`, `30-days`, `always`, `no`.
    pub answers: Vec<String>,
    /// How long somebody waits for the answer, in seconds.
    pub expires_in: u64,
}

/// What a person answered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerQuestion {
    /// The agent's key.
    pub agent: String,
    /// The question's number.
    pub question: u64,
    /// One of the question's answers.
    pub answer: String,
}
