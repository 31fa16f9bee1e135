//! A walk over every sequence of events, breadth first over distinct states.
//!
//! It asserts what no list of examples can: everybody who asks is answered exactly once or still
//! waits (I2), every open question is on the screen of exactly the agent whose turn it is, no answer is
//! told before it is remembered, and every question's end is told for the record, once.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::tests::{mail, now, sending};
use super::*;
use crate::caller::{Caller, Identity};

const DEPTH: usize = 7;

#[derive(Clone)]
struct Place {
    questions: Questions,
    now: BootTime,
    waiting: BTreeSet<Ticket>,
    /// What each agent has on its screen.
    screens: BTreeMap<AgentId, BTreeSet<QuestionId>>,
    tickets: u64,
}

#[derive(Clone, Copy, Debug)]
enum Move {
    AsksMail,
    AsksMore,
    OtherAsks,
    FirstLeaves,
    Says(u64, Answer),
    Comes(u64, Rank),
    Goes(u64),
    Locked,
    Unlocked,
    AMinutePasses,
}

const MOVES: &[Move] = &[
    Move::AsksMail,
    Move::AsksMore,
    Move::OtherAsks,
    Move::FirstLeaves,
    Move::Says(1, Answer::Once),
    Move::Says(1, Answer::No),
    Move::Says(2, Answer::Always),
    Move::Says(3, Answer::UntilLocked),
    Move::Comes(1, Rank::Agent),
    Move::Comes(2, Rank::Agent),
    Move::Comes(3, Rank::Notification),
    Move::Goes(1),
    Move::Goes(2),
    Move::Goes(3),
    Move::Locked,
    Move::Unlocked,
    Move::AMinutePasses,
];

#[test]
fn everybody_who_asks_is_answered_exactly_once_or_still_waits() {
    let start = Place {
        questions: Questions::default(),
        now: now(),
        waiting: BTreeSet::new(),
        screens: BTreeMap::new(),
        tickets: 0,
    };
    let (mut seen, mut ring) = (HashSet::new(), vec![start]);
    for depth in 0..DEPTH {
        let mut next = Vec::new();
        for (place, step) in
            ring.iter().flat_map(|place| MOVES.iter().map(move |step| (place, step)))
        {
            if let Some(reached) = place.go(*step)
                && seen.insert(reached.name())
            {
                next.push(reached);
            }
        }
        assert!(!next.is_empty(), "the walk ends at depth {depth}");
        ring = next;
    }
    assert!(seen.len() > 10_000, "only {} distinct states", seen.len());
}

impl Place {
    /// Makes one move and checks what holds everywhere. `None` where the move means nothing.
    fn go(&self, step: Move) -> Option<Self> {
        let mut place = self.clone();
        let event = place.event(step)?;
        let trace = format!("{step:?} at {:?}", place.questions);
        let before = place.ids();
        let (questions, effects) = place.questions.step(event, place.now);
        place.questions = questions;
        let over = before.difference(&place.ids()).count();
        assert_eq!(effects.iter().filter(|effect| is_end(effect)).count(), over, "{trace}");
        place.perform(&effects, &trace);
        place.check(&trace);
        Some(place)
    }

    fn event(&mut self, step: Move) -> Option<Event> {
        Some(match step {
            Move::AsksMail => self.asks(mail()),
            Move::AsksMore => self.asks(sending("mail.send")),
            Move::OtherAsks => {
                let identity = Identity::Flatpak("org.acme.Chat".into());
                self.asks(Question { caller: Caller { identity, ..mail().caller }, ..mail() })
            }
            Move::FirstLeaves => Event::Left { ticket: self.waiting.pop_first()? },
            Move::Says(by, answer) => {
                let id = self.questions.open.first()?.id;
                Event::Answered { by: AgentId(by), id, answer }
            }
            Move::Comes(agent, rank) => {
                let agent = AgentId(agent);
                if self.screens.insert(agent, BTreeSet::new()).is_some() {
                    return None;
                }
                Event::AgentCame { agent, rank }
            }
            Move::Goes(agent) => {
                self.screens.remove(&AgentId(agent))?;
                Event::AgentLeft { agent: AgentId(agent) }
            }
            Move::Locked => Event::Locked,
            Move::Unlocked => Event::Unlocked,
            Move::AMinutePasses => {
                self.now = self.now.plus(Duration::from_mins(1));
                Event::Tick
            }
        })
    }

    fn asks(&mut self, question: Question) -> Event {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        self.waiting.insert(ticket);
        Event::Asked { ticket, question: Arc::new(question) }
    }

    fn perform(&mut self, effects: &[Effect], trace: &str) {
        let mut remembered = false;
        for effect in effects {
            match effect {
                Effect::Answer { ticket, outcome } => {
                    assert!(self.waiting.remove(ticket), "{ticket:?} answered twice: {trace}");
                    assert!(outcome.is_err() || remembered, "told too early: {trace}");
                }
                Effect::Remember { .. } => remembered = true,
                Effect::Show { agent, id, .. } => {
                    let screen = self.screens.get_mut(agent);
                    assert!(screen.is_some_and(|it| it.insert(*id)), "shown in vain: {trace}");
                }
                Effect::Withdraw { agent, id } => {
                    let screen = self.screens.get_mut(agent);
                    assert!(screen.is_some_and(|it| it.remove(id)), "was not shown: {trace}");
                }
                Effect::Unanswered { .. } | Effect::EndUntilLocked => {}
            }
        }
    }

    fn check(&self, trace: &str) {
        let open = &self.questions.open;
        let waiting: Vec<_> = open.iter().flat_map(|open| open.waiting.clone()).collect();
        assert_eq!(waiting.iter().copied().collect::<BTreeSet<_>>(), self.waiting, "{trace}");
        assert_eq!(waiting.len(), self.waiting.len(), "one waits twice: {trace}");
        assert!(open.is_empty() || self.questions.can_ask(), "asked nobody: {trace}");
        assert!(open.iter().all(|open| self.now < open.ends), "open too long: {trace}");
        let chief = self.questions.chief();
        for (agent, screen) in &self.screens {
            let ids = open.iter().filter(|_| chief == Some(*agent)).map(|open| open.id);
            assert_eq!(*screen, ids.collect(), "the screen of {agent:?}: {trace}");
        }
    }

    fn ids(&self) -> BTreeSet<QuestionId> {
        self.questions.open.iter().map(|open| open.id).collect()
    }

    /// A name by which places that differ in numbers alone are one.
    fn name(&self) -> String {
        let mut questions = self.questions.clone();
        for (n, open) in (0..).zip(&mut questions.open) {
            open.id = QuestionId(n);
            open.waiting.iter_mut().for_each(|ticket| *ticket = Ticket(0));
        }
        questions.next = 0;
        format!("{questions:?} {:?}", self.now)
    }
}

/// Whether the record hears of a question's end by this.
const fn is_end(effect: &Effect) -> bool {
    matches!(effect, Effect::Remember { .. } | Effect::Unanswered { .. })
}
