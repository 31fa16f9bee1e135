//! The questions' methods of `org.authbroker.Admin1`.

use authbroker_client::wire::consent as wire;
use authbroker_client::wire::frame::Reply;
use authbroker_core::consent::{Answer, Question, QuestionId, plain_words};
use authbroker_core::failure::{Code, Failure, printable};
use authbroker_core::time::BootTime;
use serde_json::json;

use super::router::{Parameters, Replies, Router, bad, good, read, send};
use crate::consent::News;
use crate::platform::clock;

impl Router {
    /// The agent's key, then each question, for as long as the agent stays.
    pub(super) async fn serve_questions(&self, more: bool, replies: Replies) {
        if !more {
            let message = "ServeQuestions answers many times";
            let failure = Failure::new(Code::InvalidArgs, message, "call it with more");
            return send(&replies, bad(&failure, None)).await;
        }
        let mut agent = match self.services.broker.register_agent(&self.caller) {
            Ok(agent) => agent,
            Err(failure) => return send(&replies, bad(&failure, None)).await,
        };
        let key = Some(agent.key().to_owned());
        let mut news = Some(wire::News { agent: key, ..wire::News::default() });
        while let Some(told) = news {
            if replies.send(good(&told, true)).await.is_err() {
                return;
            }
            news = agent.next().await.map(|news| translate(&news));
        }
    }

    pub(super) fn answer_question(&self, parameters: Parameters<'_>) -> Reply {
        let answered = read::<wire::AnswerQuestion>(parameters).and_then(|wire| {
            let answer = Answer::parse(&wire.answer).ok_or_else(|| no_answer(&wire.answer))?;
            let id = QuestionId(wire.question);
            self.services.broker.answer_question(&self.caller, &wire.agent, id, answer)
        });
        match answered {
            Ok(()) => good(&json!({}), false),
            Err(failure) => bad(&failure, None),
        }
    }
}

fn translate(news: &News) -> wire::News {
    match news {
        News::Question { id, question, ends } => {
            wire::News { question: Some(shown(*id, question, *ends)), ..wire::News::default() }
        }
        News::Withdrawn(id) => wire::News { withdrawn: Some(id.0), ..wire::News::default() },
    }
}

/// A question as agents show it. Nothing in it moves a cursor, whoever chose it.
fn shown(id: QuestionId, question: &Question, ends: BootTime) -> wire::Question {
    let caller = &question.caller;
    let identity = &caller.identity;
    wire::Question {
        id: id.0,
        app: printable(&caller.app().to_string()),
        verified: caller.level().is_verified(),
        source: identity.source().to_owned(),
        pid: caller.pid,
        executable: caller.description.executable.as_deref().map(printable),
        in_terminal: question.subject().terminal.is_some(),
        provider: question.provider.to_string(),
        account: printable(&question.label),
        resource: question.resources.iter().map(|it| printable(it.as_str())).collect(),
        scopes: question.scopes.iter().map(printable).collect(),
        wants: plain_words(&question.scopes),
        reason: question.reason.as_deref().map(printable),
        answers: Answer::ALL.iter().map(|answer| answer.name().to_owned()).collect(),
        expires_in: clock::now().boot.until(ends).as_secs(),
    }
}

fn no_answer(word: &str) -> Failure {
    let message = format!("\"{}\" is no answer", printable(word));
    let known = Answer::ALL.map(Answer::name).join(", ");
    Failure::new(Code::InvalidArgs, message, format!("say one of: {known}"))
}
