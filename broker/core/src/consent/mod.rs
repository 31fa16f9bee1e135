//! Questions to a person: may this app have that?
//!
//! [`Questions::step`] takes what happened and what time it is, and gives the next state and the
//! effects to perform, in their order.
//!
//! 1. An app asks. The same question, asked twice, is one question with two who wait for its answer.
//! 2. It is shown to *one* agent: of those that registered, the first, and only where there is
//!    none, a notification of the desktop. When that agent leaves, the question moves on.
//! 3. The answer comes from the agent that was asked, or is not believed. It is remembered before
//!    anybody who waits hears of it.
//! 4. Nobody is asked while the session is locked, and what was to hold until then ends.
//! 5. An app that was refused, or not even answered, rests before it may ask again (`rest`).
//! 6. A question that ends without an answer is told, too: the record says that it was asked.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `question` | what is asked, and how a person may answer |
//! | `event` | what can happen, and what can be asked of the desk |
//! | `rest` | which apps rest, and for how long |
//! | `pass` | yeses that hold once |
//! | `words` | scopes as people would put them |

mod event;
mod pass;
mod question;
mod rest;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walk;
mod words;

use std::sync::Arc;
use std::time::Duration;

pub use self::event::{AgentId, Effect, Event, QuestionId, Rank, Refusal, Silence};
pub use self::pass::Passes;
pub use self::question::{Answer, Question, Subject};
use self::rest::Rests;
pub use self::words::plain_words;
use crate::ids::Ticket;
use crate::time::BootTime;

/// How long a question stays open. Who has not answered by then is not at the screen.
pub const LIMIT: Duration = Duration::from_mins(2);
/// How many questions are open at once, in all: more than that no person keeps apart.
const MOST: usize = 16;
/// How many of them are one app's.
const MOST_OF_ONE: usize = 4;

/// The questions that are open, and who can be asked.
#[derive(Clone, Debug, Default)]
pub struct Questions {
    screen: Screen,
    /// Those who can be asked, in the order in which they came.
    agents: Vec<(AgentId, Rank)>,
    /// In the order in which they were asked.
    open: Vec<Open>,
    rests: Rests,
    next: u64,
}

/// Whether a person can be looking.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Screen {
    #[default]
    Unlocked,
    Locked,
}

#[derive(Clone, Debug)]
struct Open {
    id: QuestionId,
    question: Arc<Question>,
    waiting: Vec<Ticket>,
    /// The agent that it is shown to; `None` between two agents.
    shown_to: Option<AgentId>,
    ends: BootTime,
}

impl Questions {
    /// What follows from `event` at `now`.
    #[must_use]
    pub fn step(mut self, event: Event, now: BootTime) -> (Self, Vec<Effect>) {
        let mut effects = Vec::new();
        match event {
            Event::Asked { ticket, question } => self.asked(ticket, question, now, &mut effects),
            Event::Left { ticket } => self.left(ticket, now, &mut effects),
            Event::Answered { by, id, answer } => self.answered(by, id, answer, now, &mut effects),
            Event::AgentCame { agent, rank } => self.agents.push((agent, rank)),
            Event::AgentLeft { agent } => self.agent_left(agent),
            Event::Locked => self.locked(&mut effects),
            Event::Unlocked => self.screen = Screen::Unlocked,
            Event::Tick => self.ticked(now, &mut effects),
        }
        self.show(&mut effects);
        (self, effects)
    }

    /// When time alone changes something.
    pub fn next_tick(&self) -> Option<BootTime> {
        self.open.iter().map(|open| open.ends).min()
    }

    /// Whether there is somebody to ask.
    pub fn can_ask(&self) -> bool {
        self.screen == Screen::Unlocked && !self.agents.is_empty()
    }

    fn asked(
        &mut self,
        ticket: Ticket,
        question: Arc<Question>,
        now: BootTime,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(open) = self.open.iter_mut().find(|open| open.question.is_like(&question)) {
            return open.waiting.push(ticket);
        }
        if let Err(refusal) = self.may_ask(&question, now) {
            return effects.push(Effect::Answer { ticket, outcome: Err(refusal) });
        }
        let id = QuestionId(self.next);
        self.next += 1;
        let ends = now.plus(LIMIT);
        self.open.push(Open { id, question, waiting: vec![ticket], shown_to: None, ends });
    }

    fn may_ask(&self, question: &Question, now: BootTime) -> Result<(), Refusal> {
        if self.screen == Screen::Locked {
            return Err(Refusal::Locked);
        }
        if self.agents.is_empty() {
            return Err(Refusal::NobodyThere);
        }
        if !question.can_be_read() {
            return Err(Refusal::TooLong);
        }
        let subject = question.subject();
        if let Some(pause) = self.rests.left(&subject, now) {
            return Err(Refusal::Resting(pause));
        }
        let own = self.open.iter().filter(|open| open.question.subject() == subject).count();
        if self.open.len() >= MOST || own >= MOST_OF_ONE {
            return Err(Refusal::TooMany);
        }
        Ok(())
    }

    fn left(&mut self, ticket: Ticket, now: BootTime, effects: &mut Vec<Effect>) {
        for open in &mut self.open {
            open.waiting.retain(|waiting| *waiting != ticket);
        }
        for over in self.take(|open| open.waiting.is_empty()) {
            self.rests.withdrew(over.question.subject(), now);
            over.end_unanswered(Silence::Withdrawn, effects);
        }
    }

    fn answered(
        &mut self,
        by: AgentId,
        id: QuestionId,
        answer: Answer,
        now: BootTime,
        effects: &mut Vec<Effect>,
    ) {
        for over in self.take(|open| open.id == id && open.shown_to == Some(by)) {
            let subject = over.question.subject();
            match answer {
                Answer::No => self.rests.refused(subject, now),
                _ => self.rests.forgive(&subject),
            }
            let question = Arc::clone(&over.question);
            effects.push(Effect::Remember { question, answer });
            over.put_away_with(Ok(answer), effects);
        }
    }

    fn agent_left(&mut self, agent: AgentId) {
        self.agents.retain(|(known, _)| *known != agent);
        for open in self.open.iter_mut().filter(|open| open.shown_to == Some(agent)) {
            open.shown_to = None;
        }
    }

    fn locked(&mut self, effects: &mut Vec<Effect>) {
        self.screen = Screen::Locked;
        effects.push(Effect::EndUntilLocked);
        for over in self.take(|_| true) {
            over.end_unanswered(Silence::Locked, effects);
        }
    }

    fn ticked(&mut self, now: BootTime, effects: &mut Vec<Effect>) {
        for over in self.take(|open| open.ends <= now) {
            self.rests.refused(over.question.subject(), now);
            over.end_unanswered(Silence::TimedOut, effects);
        }
    }

    /// Shows every question to the agent whose turn it is, and to no other.
    fn show(&mut self, effects: &mut Vec<Effect>) {
        let Some(chief) = self.chief() else {
            for over in self.take(|_| true) {
                over.end_unanswered(Silence::NobodyLeft, effects);
            }
            return;
        };
        for open in self.open.iter_mut().filter(|open| open.shown_to != Some(chief)) {
            if let Some(agent) = open.shown_to.replace(chief) {
                effects.push(Effect::Withdraw { agent, id: open.id });
            }
            let Open { id, ends, .. } = *open;
            let question = Arc::clone(&open.question);
            effects.push(Effect::Show { agent: chief, id, question, ends });
        }
    }

    /// The agent whose turn it is: of the best kind that is there, the first that came. So nobody
    /// takes the questions away from the agent that a person is looking at.
    fn chief(&self) -> Option<AgentId> {
        let best = self.agents.iter().map(|(_, rank)| *rank).max()?;
        self.agents.iter().find(|(_, rank)| *rank == best).map(|(agent, _)| *agent)
    }

    fn take(&mut self, is_over: impl Fn(&Open) -> bool) -> Vec<Open> {
        let (over, open) = std::mem::take(&mut self.open).into_iter().partition(is_over);
        self.open = open;
        over
    }
}

impl Open {
    /// Takes it off the agent's screen.
    fn put_away(&self, effects: &mut Vec<Effect>) {
        if let Some(agent) = self.shown_to {
            effects.push(Effect::Withdraw { agent, id: self.id });
        }
    }

    /// The same where nobody answered, which the record hears of.
    fn end_unanswered(self, why: Silence, effects: &mut Vec<Effect>) {
        self.put_away(effects);
        effects.push(Effect::Unanswered { question: Arc::clone(&self.question), why });
        if let Some(refusal) = why.told() {
            self.tell(Err(refusal), effects);
        }
    }

    /// Takes it off the agent's screen, and tells those who wait.
    fn put_away_with(self, outcome: Result<Answer, Refusal>, effects: &mut Vec<Effect>) {
        self.put_away(effects);
        self.tell(outcome, effects);
    }

    fn tell(self, outcome: Result<Answer, Refusal>, effects: &mut Vec<Effect>) {
        let tell = |ticket| Effect::Answer { ticket, outcome };
        effects.extend(self.waiting.into_iter().map(tell));
    }
}
