//! The desk with those who ask and those who answer, without any door.

use authbroker_core::caller::{Caller, Door};
use authbroker_core::ids::{AccountId, ProviderName};
use authbroker_core::resource::Resources;
use authbroker_core::scope::ScopeSet;

use super::*;

fn question(scope: &str) -> Question {
    Question {
        caller: Caller::of_user(1000, Door::Socket),
        account: None,
        provider: ProviderName::parse("acme").unwrap(),
        label: "alice".to_owned(),
        resources: Resources::new(),
        scopes: ScopeSet::parse(scope).unwrap(),
        reason: None,
        correlation_id: None,
    }
}

/// A desk whose chores are done, and remembered here.
fn desk() -> (Consent, mpsc::UnboundedReceiver<Answer>) {
    let (consent, mut chores) = Consent::new();
    let (remembers, remembered) = mpsc::unbounded_channel();
    let clerk = consent.clone();
    tokio::spawn(async move {
        while let Some(chore) = chores.next().await {
            match chore {
                Chore::Remember(_, answer) => remembers.send(answer).unwrap(),
                Chore::Tell(ticket, answer) => clerk.tell(ticket, answer),
                Chore::Note(..) | Chore::EndUntilLocked => {}
            }
        }
    });
    (consent, remembered)
}

async fn shown(agent: &mut Registration) -> QuestionId {
    match agent.next().await {
        Some(News::Question { id, .. }) => id,
        other => panic!("no question, but {other:?}"),
    }
}

#[tokio::test]
async fn an_answer_is_remembered_before_anybody_hears_of_it() {
    let (consent, mut remembered) = desk();
    let mut agent = consent.register(Rank::Agent).unwrap();
    let person = async {
        let id = shown(&mut agent).await;
        consent.answer(agent.key(), id, Answer::Always).unwrap();
    };
    let (one, other, ()) =
        tokio::join!(consent.ask(question("read")), consent.ask(question("read")), person);
    assert_eq!((one, other), (Ok(Answer::Always), Ok(Answer::Always)));
    assert_eq!(remembered.try_recv(), Ok(Answer::Always));
    assert!(remembered.try_recv().is_err(), "one question, one answer");
}

#[tokio::test]
async fn the_key_of_one_agent_answers_for_no_other() {
    let (consent, _remembered) = desk();
    let mut first = consent.register(Rank::Agent).unwrap();
    let second = consent.register(Rank::Agent).unwrap();
    let person = async {
        let id = shown(&mut first).await;
        for key in [second.key(), "", "no such key"] {
            consent.answer(key, id, Answer::Always).unwrap_err();
        }
        consent.answer(first.key(), id, Answer::No).unwrap();
        consent.answer(first.key(), id, Answer::Always).unwrap_err();
    };
    let (answer, ()) = tokio::join!(consent.ask(question("read")), person);
    assert_eq!(answer, Ok(Answer::No));
}

#[tokio::test]
async fn who_waits_no_longer_takes_the_question_off_the_screen() {
    let (consent, _remembered) = desk();
    let mut agent = consent.register(Rank::Agent).unwrap();
    let id = tokio::select! {
        answer = consent.ask(question("read")) => panic!("answered by nobody: {answer:?}"),
        id = shown(&mut agent) => id,
    };
    assert!(matches!(agent.next().await, Some(News::Withdrawn(gone)) if gone == id));
}

#[tokio::test]
async fn a_question_ends_with_the_last_agent_and_with_a_locked_screen() {
    let (consent, _remembered) = desk();
    assert_eq!(consent.ask(question("read")).await, Err(Refusal::NobodyThere));
    let mut agent = consent.register(Rank::Agent).unwrap();
    let lock = async {
        shown(&mut agent).await;
        consent.screen(true);
    };
    let (answer, ()) = tokio::join!(consent.ask(question("read")), lock);
    assert_eq!(answer, Err(Refusal::Locked));
    consent.screen(false);
    let leave = async {
        while !matches!(agent.next().await, Some(News::Question { .. })) {}
        drop(agent);
    };
    let (answer, ()) = tokio::join!(consent.ask(question("read")), leave);
    assert_eq!(answer, Err(Refusal::NobodyThere));
}

#[tokio::test]
async fn a_yes_for_once_that_is_kept_after_a_lock_ends_with_it() {
    let (consent, mut chores) = Consent::new();
    let mut agent = consent.register(Rank::Agent).unwrap();
    let asking = tokio::spawn({
        let consent = consent.clone();
        async move { consent.ask(question("read")).await }
    });
    let id = shown(&mut agent).await;
    consent.answer(agent.key(), id, Answer::Once).unwrap();
    consent.screen(true);
    // Whoever keeps answers comes to it only now.
    for _ in ["the answer", "those who wait", "the lock"] {
        match chores.next().await.unwrap() {
            Chore::Remember(question, _) => consent.give_pass(question),
            Chore::Tell(ticket, answer) => consent.tell(ticket, answer),
            Chore::EndUntilLocked => consent.end_passes(),
            Chore::Note(..) => panic!("it was answered"),
        }
    }
    assert_eq!(asking.await.unwrap(), Ok(Answer::Once));
    let Question { caller, provider, resources, scopes, .. } = &question("read");
    let account = &AccountId::parse("acme-1").unwrap();
    let query = Query { caller, account, provider, resources, scopes };
    assert!(!consent.take_pass(&query));
}
