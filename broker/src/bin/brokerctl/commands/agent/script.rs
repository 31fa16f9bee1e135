//! The agent for scripts: what the broker tells, one JSON object a line; answers, likewise.

use authbroker_client::wire::consent::{AnswerQuestion, News};
use authbroker_client::{Admin, Questions};
use serde::Deserialize;

use super::Lines;
use crate::failure::Failure;
use crate::print::Printer;

/// A line of standard input: `{"question":3,"answer":"once"}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    question: u64,
    answer: String,
}

/// Goes on until standard input ends: nobody could answer after that.
pub(super) async fn run(
    broker: &Admin,
    key: &str,
    questions: &mut Questions,
    lines: &mut Lines,
    printer: &Printer,
) -> Result<(), Failure> {
    // Whoever reads along knows from here on that there is an agent.
    printer.document(&News::default())?;
    loop {
        tokio::select! {
            news = questions.next() => printer.document(&news?)?,
            line = lines.recv() => match line {
                Some(line) => answer(broker, key, &line, printer).await?,
                None => return Ok(()),
            },
        }
    }
}

/// A wrong line is told, and costs the others nothing.
async fn answer(broker: &Admin, key: &str, line: &str, printer: &Printer) -> Result<(), Failure> {
    let Ok(Said { question, answer }) = serde_json::from_str(line) else {
        printer
            .failure(&Failure::Use("a line is no answer: say {\"question\":1,\"answer\":\"no\"}"));
        return Ok(());
    };
    let said = AnswerQuestion { agent: key.to_owned(), question, answer };
    match broker.answer_question(&said).await {
        Err(error) if error.code().is_some() => printer.failure(&error.into()),
        answered => answered?,
    }
    Ok(())
}
