//! What can happen to questions, and what can be asked of the desk.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Answer, Question};
use crate::ids::Ticket;
use crate::time::BootTime;

/// The number of a question. Never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QuestionId(pub u64);

impl fmt::Display for QuestionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The number of an agent. Never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AgentId(pub u64);

/// Kinds of agents, the better one later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rank {
    /// The desktop's notifications: asked where nobody else is there.
    Notification,
    /// A program that a person started in order to be asked.
    Agent,
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum Event {
    /// Somebody waits for an answer.
    Asked {
        /// Their place.
        ticket: Ticket,
        /// What they ask.
        question: Arc<Question>,
    },
    /// Somebody waits no longer.
    Left {
        /// Their place.
        ticket: Ticket,
    },
    /// An agent says what a person answered. Not believed of one that was not asked.
    Answered {
        /// The agent.
        by: AgentId,
        /// The question.
        id: QuestionId,
        /// The answer.
        answer: Answer,
    },
    /// There is another one who can be asked.
    AgentCame {
        /// Who.
        agent: AgentId,
        /// Of which kind.
        rank: Rank,
    },
    /// One who could be asked is gone.
    AgentLeft {
        /// Who.
        agent: AgentId,
    },
    /// The session was locked.
    Locked,
    /// The session was unlocked.
    Unlocked,
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// An agent is to ask a person.
    Show {
        /// The agent.
        agent: AgentId,
        /// The question's number.
        id: QuestionId,
        /// What it is.
        question: Arc<Question>,
        /// When nobody waits for the answer any more.
        ends: BootTime,
    },
    /// A question that an agent shows needs no answer any more, or not from there.
    Withdraw {
        /// The agent.
        agent: AgentId,
        /// The question.
        id: QuestionId,
    },
    /// An answer is to be kept for as long as it holds: before anybody hears of it.
    Remember {
        /// The question.
        question: Arc<Question>,
        /// What was said.
        answer: Answer,
    },
    /// A question is over, and nobody answered it: that is to be written down.
    Unanswered {
        /// The question.
        question: Arc<Question>,
        /// Why.
        why: Silence,
    },
    /// What was allowed until the session is locked ends here.
    EndUntilLocked,
    /// One who waits is told how it ended.
    Answer {
        /// Their place.
        ticket: Ticket,
        /// The person's answer, or why there is none.
        outcome: Result<Answer, Refusal>,
    },
}

/// Why no person was asked, or none answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// No agent, and no desktop that shows notifications with buttons.
    NobodyThere,
    /// The session is locked, or was locked before an answer came.
    Locked,
    /// Nobody answered in time.
    TimedOut,
    /// It is for more than a person reads: what matters would not be on the screen.
    TooLong,
    /// There are too many questions already, in all or from this app.
    TooMany,
    /// This app was refused not long ago. It may ask again after this time.
    Resting(Duration),
}

/// Why a question that was on a screen has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Silence {
    /// Whoever asked waits no longer.
    Withdrawn,
    /// Nobody answered in time.
    TimedOut,
    /// The session was locked.
    Locked,
    /// The last who could be asked is gone.
    NobodyLeft,
}

impl Silence {
    /// What those who wait are told; nobody waits any more for what was withdrawn.
    pub(super) const fn told(self) -> Option<Refusal> {
        match self {
            Self::Withdrawn => None,
            Self::TimedOut => Some(Refusal::TimedOut),
            Self::Locked => Some(Refusal::Locked),
            Self::NobodyLeft => Some(Refusal::NobodyThere),
        }
    }
}
