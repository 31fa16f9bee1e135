//! The desk of questions: apps ask, agents show, a person answers.
//!
//! 1. Whoever asks waits for a ticket, and leaves by no longer waiting.
//! 2. The core decides (`authbroker_core::consent`), under the lock and in one step.
//! 3. What goes on a screen or off it goes at once. What is to be remembered enters a queue, and the
//!    answers behind it: nobody hears of a yes that is not kept.
//! 4. An agent is a stream of news, and a key that the stream began with. Only who has the key can
//!    answer, and only what that agent was asked.

#[cfg(target_os = "linux")]
pub(crate) mod bubbles;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use authbroker_core::consent::{
    AgentId, Answer, Effect, Event, Passes, Question, QuestionId, Questions, Rank, Refusal, Silence,
};
use authbroker_core::failure::{Code, Failure};
use authbroker_core::ids::Ticket;
use authbroker_core::policy::Query;
use authbroker_core::time::BootTime;
use data_encoding::HEXLOWER;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::platform::clock;

/// The open questions, and everybody who has to do with them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Consent(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    // A std mutex: held for one step, never across an await.
    state: Mutex<State>,
    /// What is to be done in order, by one who may take time.
    chores: mpsc::UnboundedSender<Chore>,
    /// Something ends at another moment than before.
    moved: Notify,
}

#[derive(Debug, Default)]
struct State {
    questions: Questions,
    passes: Passes,
    waiting: HashMap<Ticket, oneshot::Sender<Outcome>>,
    agents: HashMap<AgentId, Agent>,
    /// Tickets and agents are numbered from here on.
    next: u64,
}

type Outcome = Result<Answer, Refusal>;

#[derive(Debug)]
struct Agent {
    key: String,
    news: mpsc::UnboundedSender<News>,
}

/// What an agent is told.
#[derive(Debug, Clone)]
pub enum News {
    /// Ask a person this.
    Question {
        /// Its number.
        id: QuestionId,
        /// What it is.
        question: Arc<Question>,
        /// When nobody waits for the answer any more.
        ends: BootTime,
    },
    /// This one needs no answer any more.
    Withdrawn(QuestionId),
}

/// What takes time.
#[derive(Debug)]
pub enum Chore {
    /// An answer is to be remembered.
    Remember(Arc<Question>, Answer),
    /// A question that nobody answered is to be written down.
    Note(Arc<Question>, Silence),
    /// What was allowed until the session is locked ends.
    EndUntilLocked,
    /// One who waits is told the answer.
    Tell(Ticket, Answer),
}

/// The chores, for the one that does them.
#[derive(Debug)]
pub struct Chores(mpsc::UnboundedReceiver<Chore>);

impl Chores {
    /// Waits for the next one.
    pub async fn next(&mut self) -> Option<Chore> {
        self.0.recv().await
    }
}

impl Consent {
    /// A desk that nobody has come to yet.
    pub fn new() -> (Self, Chores) {
        let (chores, receiver) = mpsc::unbounded_channel();
        let (state, moved) = (Mutex::default(), Notify::new());
        (Self(Arc::new(Shared { state, chores, moved })), Chores(receiver))
    }

    /// Asks a person, and waits for the answer. Who waits no longer takes the question back.
    pub async fn ask(&self, question: Question) -> Outcome {
        let (sender, answer) = oneshot::channel();
        let ticket = {
            let mut state = self.lock();
            let ticket = Ticket(state.number());
            state.waiting.insert(ticket, sender);
            self.step(&mut state, Event::Asked { ticket, question: Arc::new(question) });
            ticket
        };
        let _leaves = Leaves { consent: self, ticket };
        answer.await.unwrap_or(Err(Refusal::NobodyThere))
    }

    /// Whether there is somebody to ask.
    pub fn can_ask(&self) -> bool {
        self.lock().questions.can_ask()
    }

    /// Registers one who can be asked, for as long as it keeps what it is given.
    pub fn register(&self, rank: Rank) -> Result<Registration, Failure> {
        let key = key()?;
        let (sender, news) = mpsc::unbounded_channel();
        let mut state = self.lock();
        let agent = AgentId(state.number());
        state.agents.insert(agent, Agent { key: key.clone(), news: sender });
        self.step(&mut state, Event::AgentCame { agent, rank });
        drop(state);
        Ok(Registration { consent: self.clone(), agent, key, news })
    }

    /// Takes the answer of the agent that has this key.
    pub fn answer(&self, key: &str, id: QuestionId, answer: Answer) -> Result<(), Failure> {
        let mut state = self.lock();
        let by = state.agents.iter().find(|(_, agent)| agent.key == key).map(|(id, _)| *id);
        let by = by.ok_or_else(no_such_agent)?;
        match self.step(&mut state, Event::Answered { by, id, answer }) {
            Stepped::Changed => Ok(()),
            Stepped::Nothing => Err(no_such_question(id)),
        }
    }

    /// Keeps a yes for the next request that it covers.
    pub fn give_pass(&self, question: Arc<Question>) {
        self.lock().passes.give(question, clock::now().boot);
    }

    /// Whether there is a yes for once that covers a request.
    pub fn has_pass(&self, query: &Query<'_>) -> bool {
        self.lock().passes.has(query, clock::now().boot)
    }

    /// Uses up the yes that covers a request, if there is one.
    pub fn take_pass(&self, query: &Query<'_>) -> bool {
        self.lock().passes.take(query, clock::now().boot)
    }

    /// Forgets every yes that was for once and not used yet.
    pub fn end_passes(&self) {
        self.lock().passes.clear();
    }

    /// The session is locked from now on, or no longer.
    pub fn screen(&self, locked: bool) {
        let mut state = self.lock();
        self.step(&mut state, if locked { Event::Locked } else { Event::Unlocked });
    }

    /// Tells one who waits.
    pub fn tell(&self, ticket: Ticket, answer: Answer) {
        self.lock().tell(ticket, Ok(answer));
    }

    /// Ends questions that nobody answers, for as long as the process lives.
    pub async fn keep_time(&self) {
        loop {
            let due = self.lock().questions.next_tick();
            let moment = async {
                match due {
                    Some(due) => tokio::time::sleep(clock::now().boot.until(due)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = moment => { self.step(&mut self.lock(), Event::Tick); }
                () = self.0.moved.notified() => {}
            }
        }
    }

    /// One step of the core, and what follows from it at once.
    fn step(&self, state: &mut State, event: Event) -> Stepped {
        let questions = std::mem::take(&mut state.questions);
        let before = questions.next_tick();
        let (questions, effects) = questions.step(event, clock::now().boot);
        if questions.next_tick() != before {
            self.0.moved.notify_one();
        }
        state.questions = questions;
        let stepped = if effects.is_empty() { Stepped::Nothing } else { Stepped::Changed };
        for effect in effects {
            self.perform(state, effect);
        }
        stepped
    }

    fn perform(&self, state: &mut State, effect: Effect) {
        let chore = match effect {
            Effect::Show { agent, id, question, ends } => {
                return state.show(agent, News::Question { id, question, ends });
            }
            Effect::Withdraw { agent, id } => return state.show(agent, News::Withdrawn(id)),
            Effect::Answer { ticket, outcome: Err(refusal) } => {
                return state.tell(ticket, Err(refusal));
            }
            Effect::Answer { ticket, outcome: Ok(answer) } => Chore::Tell(ticket, answer),
            Effect::Remember { question, answer } => Chore::Remember(question, answer),
            Effect::Unanswered { question, why } => Chore::Note(question, why),
            Effect::EndUntilLocked => Chore::EndUntilLocked,
        };
        // Nobody does chores any more when the process ends.
        let _ending = self.0.chores.send(chore);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an event meant anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stepped {
    Changed,
    Nothing,
}

impl State {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// An agent that no longer listens is about to leave.
    fn show(&self, agent: AgentId, news: News) {
        if let Some(agent) = self.agents.get(&agent) {
            let _leaving = agent.news.send(news);
        }
    }

    fn tell(&mut self, ticket: Ticket, outcome: Outcome) {
        if let Some(waiting) = self.waiting.remove(&ticket) {
            let _left = waiting.send(outcome);
        }
    }
}

/// Takes a question back when nobody waits for it any more.
struct Leaves<'a> {
    consent: &'a Consent,
    ticket: Ticket,
}

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        let mut state = self.consent.lock();
        state.waiting.remove(&self.ticket);
        self.consent.step(&mut state, Event::Left { ticket: self.ticket });
    }
}

/// One who can be asked. Dropping it ends that.
#[derive(Debug)]
pub struct Registration {
    consent: Consent,
    agent: AgentId,
    key: String,
    news: mpsc::UnboundedReceiver<News>,
}

impl Registration {
    /// What an answer must come with.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Waits for the next thing to show, or to show no longer. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<News> {
        self.news.recv().await
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = self.consent.lock();
        state.agents.remove(&self.agent);
        self.consent.step(&mut state, Event::AgentLeft { agent: self.agent });
    }
}

/// 256 bits that nobody guesses.
fn key() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| {
        Failure::new(Code::Internal, "this machine gives no random numbers", "restart it")
    })?;
    Ok(HEXLOWER.encode(&bytes))
}

fn no_such_agent() -> Failure {
    let message = "no agent that is at work has this key";
    Failure::new(Code::InvalidArgs, message, "start the agent again: brokerctl agent")
}

fn no_such_question(id: QuestionId) -> Failure {
    let message =
        format!("question {id} is not open here: it was answered, or nobody waits for it");
    Failure::new(Code::InvalidArgs, message, "the app may ask again")
}

#[cfg(test)]
mod tests;
