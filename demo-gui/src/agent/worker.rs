//! Speaks to the broker: questions come, answers go.

use std::path::PathBuf;
use std::time::Duration;

use authbroker_client::wire::consent::{AnswerQuestion, News};
use authbroker_client::{Admin, Error, Questions};
use tokio::sync::mpsc::UnboundedReceiver;

use super::dialog::Answer;

/// The pause before the broker is looked for again.
const AGAIN: Duration = Duration::from_secs(3);

/// What the window hears.
#[derive(Debug)]
pub(super) enum Heard {
    /// The broker says this.
    News(Box<News>),
    /// There is no way to the broker: what is wrong, and what helps.
    Lost(String, String),
}

/// Registers with the broker, again and again, and carries answers to it.
pub(super) async fn run(
    runtime_dir: Option<PathBuf>,
    mut answers: UnboundedReceiver<(u64, Answer)>,
    tell: impl Fn(Heard),
) {
    loop {
        if let Err(error) = serve(runtime_dir.clone(), &mut answers, &tell).await {
            tell(Heard::Lost(error.to_string(), error.hint().to_owned()));
        } else {
            return;
        }
        tokio::time::sleep(AGAIN).await;
        // What was answered meanwhile belongs to questions that are over.
        while answers.try_recv().is_ok() {}
    }
}

/// One connection, until it breaks or the window is closed.
async fn serve(
    runtime_dir: Option<PathBuf>,
    answers: &mut UnboundedReceiver<(u64, Answer)>,
    tell: &impl Fn(Heard),
) -> Result<(), Error> {
    let broker = Admin::connect(runtime_dir).await?;
    let mut questions = broker.serve_questions().await?;
    let key = first(&mut questions, tell).await?;
    loop {
        tokio::select! {
            news = questions.next() => tell(Heard::News(Box::new(news?))),
            said = answers.recv() => match said {
                Some((question, answer)) => carry(&broker, &key, question, answer).await?,
                None => return Ok(()),
            },
        }
    }
}

async fn first(questions: &mut Questions, tell: &impl Fn(Heard)) -> Result<String, Error> {
    let news = questions.next().await?;
    let key = news.agent.clone().unwrap_or_default();
    tell(Heard::News(Box::new(News { agent: None, ..news })));
    Ok(key)
}

/// An answer that comes too late is no trouble: the question is over.
async fn carry(broker: &Admin, agent: &str, question: u64, answer: Answer) -> Result<(), Error> {
    let said =
        AnswerQuestion { agent: agent.to_owned(), question, answer: answer.name().to_owned() };
    match broker.answer_question(&said).await {
        Err(error) if error.code().is_none() => Err(error),
        _ => Ok(()),
    }
}
