//! `brokerctl agent`: a person answers, in this terminal, what apps ask for; or a script does.
//!
//! 1. The broker shows this agent each question, and says when one is over.
//! 2. They are asked one after another. What is typed before a question is on the screen is no
//!    answer to it.
//! 3. The answer goes back with the key that the broker gave to this agent alone.

mod script;
mod words;

use std::collections::VecDeque;

use authbroker_client::wire::consent::{AnswerQuestion, News, Question};
use authbroker_client::{Admin, Questions};
use tokio::sync::mpsc;

use super::{admin, browser};
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

/// Lines of standard input, as they come.
type Lines = mpsc::Receiver<String>;

pub(crate) async fn run(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let broker = admin(place).await?;
    let mut questions = broker.serve_questions().await?;
    let key = questions.next().await?.agent.unwrap_or_default();
    let mut lines = browser::pasted_lines();
    if printer.json() {
        return script::run(&broker, &key, &mut questions, &mut lines, printer).await;
    }
    printer.say("Apps ask their questions here, for as long as this runs. To end it: Ctrl-D.");
    let mut agent = Agent { broker, key, open: VecDeque::new(), printer };
    agent.serve(&mut questions, &mut lines).await
}

/// A terminal with a person at it.
struct Agent<'a> {
    broker: Admin,
    key: String,
    /// The first one is on the screen.
    open: VecDeque<Question>,
    printer: &'a Printer,
}

impl Agent<'_> {
    async fn serve(&mut self, questions: &mut Questions, lines: &mut Lines) -> Result<(), Failure> {
        loop {
            let shown = self.shown();
            tokio::select! {
                news = questions.next() => self.hear(news?),
                line = lines.recv() => match line {
                    Some(line) => self.typed(&line).await?,
                    None => return Ok(()),
                },
            }
            if self.shown() != shown {
                while lines.try_recv().is_ok() {}
                self.show();
            }
        }
    }

    fn shown(&self) -> Option<u64> {
        self.open.front().map(|question| question.id)
    }

    fn hear(&mut self, news: News) {
        if let Some(gone) = news.withdrawn {
            if self.shown() == Some(gone) {
                self.printer.say("\nThis question is over.");
            }
            self.open.retain(|question| question.id != gone);
        }
        self.open.extend(news.question);
    }

    async fn typed(&mut self, line: &str) -> Result<(), Failure> {
        let Some(question) = self.open.front() else { return Ok(()) };
        let Some(answer) = words::answer(line) else {
            self.printer.say(words::CHOICES);
            return Ok(());
        };
        let said = AnswerQuestion {
            agent: self.key.clone(),
            question: question.id,
            answer: answer.to_owned(),
        };
        self.open.pop_front();
        match self.broker.answer_question(&said).await {
            Ok(()) => self.printer.say(words::said(answer)),
            Err(error) if error.code().is_some() => self.printer.say(&format!("note: {error}")),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn show(&self) {
        if let Some(question) = self.open.front() {
            self.printer.say(&words::question(question, self.open.len() - 1));
            self.printer.say(words::CHOICES);
        }
    }
}
