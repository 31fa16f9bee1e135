//! The agent's part of the admin tool: questions come, answers go.

use serde_json::Value;

use super::{Admin, ended};
use crate::error::Error;
use crate::transport::Replies;
use crate::wire::consent::{AnswerQuestion, News};

/// The questions for a person. Dropping it ends the agent.
#[derive(Debug)]
pub struct Questions(Replies<News>);

impl Questions {
    /// Waits for the next question, or for one that is over; the first call gives the agent's key.
    pub async fn next(&mut self) -> Result<News, Error> {
        self.0.next().await?.ok_or_else(ended)
    }
}

impl Admin {
    /// Registers an agent, in which a person answers questions: for as long as the stream is kept.
    pub async fn serve_questions(&self) -> Result<Questions, Error> {
        let nothing = serde_json::json!({});
        self.connections.stream(&self.method("ServeQuestions"), &nothing).await.map(Questions)
    }

    /// Says what a person answered.
    pub async fn answer_question(&self, answer: &AnswerQuestion) -> Result<(), Error> {
        let method = self.method("AnswerQuestion");
        self.connections.call::<_, Value>(&method, answer).await.map(drop)
    }
}
