//! Questions as those who ask and those who answer meet them.

use super::*;
use crate::caller::{Caller, Description, Door, Identity, Terminal};
use crate::ids::ProviderName;
use crate::resource::Resource;
use crate::scope::ScopeSet;

const SCREEN: AgentId = AgentId(1);
const OTHER: AgentId = AgentId(2);
const BUBBLE: AgentId = AgentId(3);

pub(super) fn now() -> BootTime {
    BootTime::from_start(Duration::from_hours(1))
}

/// May the mail app read mail?
pub(super) fn mail() -> Question {
    let identity = Identity::Flatpak("org.acme.Mail".into());
    Question {
        caller: Caller { identity, pid: Some(7), ..Caller::of_user(1000, Door::Socket) },
        account: None,
        provider: ProviderName::parse("acme").unwrap(),
        label: "alice".to_owned(),
        resources: [Resource::parse("https://api.acme.example").unwrap()].into(),
        scopes: ScopeSet::parse("mail.read").unwrap(),
        reason: None,
        correlation_id: None,
    }
}

pub(super) fn sending(scopes: &str) -> Question {
    Question { scopes: ScopeSet::parse(scopes).unwrap(), ..mail() }
}

/// What happened so far, and what came of it.
#[derive(Default)]
struct Desk {
    questions: Questions,
    later: Duration,
}

impl Desk {
    fn with(agents: &[(AgentId, Rank)]) -> Self {
        let mut desk = Self::default();
        for (agent, rank) in agents {
            desk.does(Event::AgentCame { agent: *agent, rank: *rank });
        }
        desk
    }

    fn does(&mut self, event: Event) -> Vec<Effect> {
        let questions = std::mem::take(&mut self.questions);
        let (questions, effects) = questions.step(event, now().plus(self.later));
        self.questions = questions;
        effects
    }

    fn asks(&mut self, ticket: u64, question: Question) -> Vec<Effect> {
        self.does(Event::Asked { ticket: Ticket(ticket), question: Arc::new(question) })
    }

    fn answers(&mut self, by: AgentId, id: u64, answer: Answer) -> Vec<Effect> {
        self.does(Event::Answered { by, id: QuestionId(id), answer })
    }
}

fn told(effects: &[Effect]) -> Vec<(u64, Result<Answer, Refusal>)> {
    let answers = effects.iter().filter_map(|effect| match effect {
        Effect::Answer { ticket, outcome } => Some((ticket.0, *outcome)),
        _ => None,
    });
    answers.collect()
}

fn shown_to(effects: &[Effect]) -> Vec<AgentId> {
    let shown = effects.iter().filter_map(|effect| match effect {
        Effect::Show { agent, .. } => Some(*agent),
        _ => None,
    });
    shown.collect()
}

fn unanswered(effects: &[Effect]) -> Vec<Silence> {
    let over = effects.iter().filter_map(|effect| match effect {
        Effect::Unanswered { why, .. } => Some(*why),
        _ => None,
    });
    over.collect()
}

#[test]
fn the_same_question_is_asked_once_and_all_who_wait_hear_the_answer() {
    let mut desk = Desk::with(&[(SCREEN, Rank::Agent)]);
    assert_eq!(shown_to(&desk.asks(1, mail())), [SCREEN]);
    let again = Question { caller: Caller { pid: Some(8), ..mail().caller }, ..mail() };
    assert_eq!(desk.asks(2, again), [], "another process of the same app");
    let effects = desk.answers(SCREEN, 0, Answer::Always);
    assert!(matches!(effects[0], Effect::Remember { answer: Answer::Always, .. }), "{effects:?}");
    assert_eq!(told(&effects), [(1, Ok(Answer::Always)), (2, Ok(Answer::Always))]);
}

#[test]
fn other_scopes_are_another_question() {
    let mut desk = Desk::with(&[(SCREEN, Rank::Agent)]);
    desk.asks(1, mail());
    assert_eq!(shown_to(&desk.asks(2, sending("mail.send"))), [SCREEN]);
}

#[test]
fn a_command_is_the_same_in_one_terminal_and_another_in_the_next() {
    let curl = |leader| {
        let terminal = Some(Terminal { leader, started: 5 });
        let description = Description { terminal, ..Description::default() };
        let identity = Identity::Executable("/usr/bin/curl".into());
        Question { caller: Caller { identity, description, ..mail().caller }, ..mail() }
    };
    let mut desk = Desk::with(&[(SCREEN, Rank::Agent)]);
    assert_eq!(shown_to(&desk.asks(1, curl(70))), [SCREEN]);
    assert_eq!(shown_to(&desk.asks(2, curl(70))), []);
    assert_eq!(shown_to(&desk.asks(3, curl(71))), [SCREEN]);
}

#[test]
fn an_agent_that_was_not_asked_is_not_believed() {
    let mut desk = Desk::with(&[(SCREEN, Rank::Agent), (OTHER, Rank::Agent)]);
    assert_eq!(shown_to(&desk.asks(1, mail())), [SCREEN], "the first that came");
    assert_eq!(desk.answers(OTHER, 0, Answer::Always), []);
    assert_eq!(told(&desk.answers(SCREEN, 0, Answer::No)), [(1, Ok(Answer::No))]);
    assert_eq!(desk.answers(SCREEN, 0, Answer::Always), [], "and once is enough");
}

#[test]
fn a_question_moves_on_when_its_agent_leaves_and_nobody_waits_in_vain() {
    let mut desk = Desk::with(&[(BUBBLE, Rank::Notification), (SCREEN, Rank::Agent)]);
    assert_eq!(shown_to(&desk.asks(1, mail())), [SCREEN]);
    assert_eq!(shown_to(&desk.does(Event::AgentLeft { agent: SCREEN })), [BUBBLE]);
    let effects = desk.does(Event::AgentLeft { agent: BUBBLE });
    assert_eq!(told(&effects), [(1, Err(Refusal::NobodyThere))]);
}

#[test]
fn an_agent_takes_over_from_the_notification() {
    let mut desk = Desk::with(&[(BUBBLE, Rank::Notification)]);
    assert_eq!(shown_to(&desk.asks(1, mail())), [BUBBLE]);
    let effects = desk.does(Event::AgentCame { agent: SCREEN, rank: Rank::Agent });
    assert_eq!(effects[0], Effect::Withdraw { agent: BUBBLE, id: QuestionId(0) });
    assert_eq!(shown_to(&effects), [SCREEN]);
}

#[test]
fn nobody_is_asked_while_the_session_is_locked() {
    let mut desk = Desk::with(&[(SCREEN, Rank::Agent)]);
    desk.asks(1, mail());
    let effects = desk.does(Event::Locked);
    assert_eq!(effects[0], Effect::EndUntilLocked);
    assert_eq!(unanswered(&effects), [Silence::Locked]);
    assert_eq!(told(&effects), [(1, Err(Refusal::Locked))]);
    assert_eq!(told(&desk.asks(2, mail())), [(2, Err(Refusal::Locked))]);
    desk.does(Event::Unlocked);
    assert_eq!(shown_to(&desk.asks(3, mail())), [SCREEN]);
}

#[test]
fn a_question_that_nobody_answers_ends() {
    let mut desk = Desk::with(&[(SCREEN, Rank::Agent)]);
    desk.asks(1, mail());
    assert_eq!(desk.questions.next_tick(), Some(now().plus(LIMIT)));
    desk.later = LIMIT;
    let effects = desk.does(Event::Tick);
    assert_eq!(effects[0], Effect::Withdraw { agent: SCREEN, id: QuestionId(0) });
    assert_eq!(unanswered(&effects), [Silence::TimedOut]);
    assert_eq!(told(&effects), [(1, Err(Refusal::TimedOut))]);
}

#[test]
fn an_app_that_was_told_no_does_not_ask_again_at_once() {
    let mut desk = Desk::with(&[(SCREEN, Rank::Agent)]);
    desk.asks(1, mail());
    desk.answers(SCREEN, 0, Answer::No);
    let [(2, Err(Refusal::Resting(pause)))] = told(&desk.asks(2, sending("mail.send")))[..] else {
        panic!("it was not refused")
    };
    desk.later = pause;
    assert_eq!(shown_to(&desk.asks(3, sending("mail.send"))), [SCREEN]);
}

#[test]
fn a_question_goes_when_the_last_who_waited_has_left() {
    let mut desk = Desk::with(&[(SCREEN, Rank::Agent)]);
    desk.asks(1, mail());
    desk.asks(2, mail());
    assert_eq!(desk.does(Event::Left { ticket: Ticket(1) }), []);
    let effects = desk.does(Event::Left { ticket: Ticket(2) });
    assert_eq!(effects[0], Effect::Withdraw { agent: SCREEN, id: QuestionId(0) });
    assert_eq!(unanswered(&effects), [Silence::Withdrawn]);
}

#[test]
fn one_app_cannot_fill_the_screen() {
    let mut desk = Desk::with(&[(SCREEN, Rank::Agent)]);
    let opened: Vec<_> =
        (0..100).map(|n| told(&desk.asks(n, sending(&format!("scope{n}"))))).collect();
    assert_eq!(opened.iter().filter(|told| told.is_empty()).count(), MOST_OF_ONE);
    assert_eq!(opened[99], [(99, Err(Refusal::TooMany))]);
}

#[test]
fn nobody_is_asked_what_nobody_would_read() {
    let mut desk = Desk::with(&[(SCREEN, Rank::Agent)]);
    let many: Vec<_> = (0..17).map(|n| format!("scope{n}")).collect();
    let long = "x".repeat(1500);
    for scopes in [many.join(" "), long] {
        let told = told(&desk.asks(1, sending(&scopes)));
        assert_eq!(told, [(1, Err(Refusal::TooLong))]);
    }
    let apis = (0..9).map(|n| Resource::parse(&format!("urn:api:{n}")).unwrap());
    let told = told(&desk.asks(1, Question { resources: apis.collect(), ..mail() }));
    assert_eq!(told, [(1, Err(Refusal::TooLong))]);
    assert_eq!(shown_to(&desk.asks(2, sending(&many[..16].join(" ")))), [SCREEN]);
}
