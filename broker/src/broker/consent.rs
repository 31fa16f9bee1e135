//! Where policy says "ask": a person is asked, and the answer is kept for as long as it holds.

use std::sync::Arc;

use authbroker_core::account::Account;
use authbroker_core::audit::{Event, Record};
use authbroker_core::caller::Caller;
use authbroker_core::consent::{Answer, Question, QuestionId, Rank, Refusal, Silence, Subject};
use authbroker_core::failure::{Code, Failure, printable};
use authbroker_core::ids::ProviderName;
use authbroker_core::policy::{Basis, Decision, Grant, Query, Ruling, Verdict};
use authbroker_core::resource::Resources;
use authbroker_core::scope::ScopeSet;

use super::Broker;
use super::access::{Patience, unanswered};
use super::answers::NewGrant;
#[cfg(target_os = "linux")]
use crate::consent::bubbles;
use crate::consent::{Chore, Chores, Registration};
use crate::platform::clock;
#[cfg(target_os = "linux")]
use crate::services::session_lock::{Heard, SessionLock};
use crate::sign_ins::Phase;

impl Broker {
    /// Registers a program in which a person answers questions.
    pub fn register_agent(&self, caller: &Caller) -> Result<Registration, Failure> {
        self.admit(caller)?;
        self.0.consent.register(Rank::Agent)
    }

    /// Takes a person's answer from the agent that was asked.
    pub fn answer_question(
        &self,
        caller: &Caller,
        key: &str,
        id: QuestionId,
        answer: Answer,
    ) -> Result<(), Failure> {
        self.admit(caller)?;
        self.0.consent.answer(key, id, answer)
    }

    /// Has a person decide where policy does not: asks, where there is time for that, or finds a yes
    /// that was given just before.
    pub(super) async fn undecided(
        &self,
        query: &Query<'_>,
        account: &Account,
        patience: Patience<'_>,
        verdict: Verdict,
    ) -> Result<Verdict, Failure> {
        let allowed = Verdict { decision: Decision::Allow, basis: Basis::Pass, ..verdict };
        let unanswered = || unanswered(query.caller, account, query.resources, query.scopes);
        match patience {
            Patience::Silent if self.0.consent.has_pass(query) => Ok(allowed),
            Patience::Settled | Patience::Silent => Err(unanswered()),
            Patience::MayAsk { phases, correlation_id } => {
                if self.0.consent.can_ask() {
                    let _left = phases.send(Phase::Consent).await;
                }
                let question = self.question(query, account, correlation_id);
                match self.0.consent.ask(question).await {
                    Ok(Answer::No) => Err(said_no(query.caller, query.provider)),
                    Ok(_) => Ok(allowed),
                    Err(refusal) => Err(not_answered(unanswered(), refusal)),
                }
            }
        }
    }

    /// Uses up the yes for once that a token is given for, now that there is one: a provider out of
    /// reach costs nobody a yes. Of several requests at once, one has it.
    pub(super) fn use_up_pass(
        &self,
        caller: &Caller,
        account: &Account,
        resources: &Resources,
        scopes: &ScopeSet,
    ) -> Result<(), Failure> {
        let resources = &self.good_for(account, resources);
        let used = self.0.consent.take_pass(&Query::of(caller, account, resources, scopes));
        used.then_some(()).ok_or_else(|| unanswered(caller, account, resources, scopes))
    }

    fn question(
        &self,
        query: &Query<'_>,
        account: &Account,
        correlation_id: Option<&str>,
    ) -> Question {
        // Nobody has a subject before they have signed in.
        let known = !account.subject.is_empty();
        let reason = self.settings().policy.reason_of(query.caller).map(str::to_owned);
        Question {
            caller: query.caller.clone(),
            account: known.then(|| account.id.clone()),
            provider: account.provider.clone(),
            label: account.username().to_owned(),
            resources: query.resources.clone(),
            scopes: query.scopes.clone(),
            reason,
            correlation_id: correlation_id.map(str::to_owned),
        }
    }

    /// Asks nobody while the session is locked, for as long as the process lives.
    #[cfg(target_os = "linux")]
    pub async fn follow_session_lock(self) {
        let mut lock = SessionLock::listen().await;
        let mut locked = false;
        while let Some(heard) = lock.next().await {
            match heard {
                Heard::Locked(now) => locked = now,
                // What holds until the session is locked ends here, whatever the locker does.
                Heard::LockWanted => self.screen(true),
            }
            self.screen(locked);
        }
    }

    /// The session is locked from now on, or no longer. What ends with that ends at once: an answer
    /// that is still to be kept may wait for the vault. It ends behind that answer, too.
    #[cfg(target_os = "linux")]
    fn screen(&self, locked: bool) {
        if locked {
            self.end_until_locked();
        }
        self.0.consent.screen(locked);
    }

    /// Ends what people allowed until the session is locked, and for once.
    pub(super) fn end_until_locked(&self) {
        self.0.grants.lock();
        self.0.consent.end_passes();
    }

    /// Asks through the desktop's notifications where no agent runs, for as long as the process
    /// lives.
    #[cfg(target_os = "linux")]
    pub async fn ask_by_notification(self) {
        if let Err(error) = bubbles::serve(self.0.consent.clone()).await {
            tracing::debug!(%error, "no notifications: questions need an agent");
        }
    }

    /// Does what follows from answers, in its order, for as long as the process lives.
    pub(super) async fn keep_consent(self, mut chores: Chores) {
        while let Some(chore) = chores.next().await {
            match chore {
                Chore::Remember(question, answer) => self.keep_answer(question, answer).await,
                Chore::Note(question, why) => self.record_silence(&question, why),
                Chore::EndUntilLocked => self.end_until_locked(),
                Chore::Tell(ticket, answer) => self.0.consent.tell(ticket, answer),
            }
        }
    }

    /// Keeps an answer. A yes that cannot be kept is still one to what was asked.
    async fn keep_answer(&self, question: Arc<Question>, answer: Answer) {
        let kept = self.kept(&question, answer).await;
        self.record_question(&question, answer, kept.as_ref());
        if kept.is_none() && answer.ruling() == Ruling::Allow {
            self.0.consent.give_pass(question);
        }
    }

    /// An answer as it is remembered, if it is one that lasts.
    async fn kept(&self, question: &Question, answer: Answer) -> Option<Grant> {
        let lasting = answer.lasting(clock::now().wall)?;
        let Subject { app, terminal } = question.subject();
        let (account, reach, ruling) = (question.accounts(), question.reach(), answer.ruling());
        let new = NewGrant { app, terminal, account, reach, ruling, lasting };
        let kept = self.remember(new).await;
        kept.inspect_err(|failure| tracing::warn!("an answer counts only once: {failure}")).ok()
    }

    fn record_question(&self, question: &Question, answer: Answer, kept: Option<&Grant>) {
        let record = Record {
            decision: Some(answer.ruling().decision()),
            basis: kept.map(|grant| Basis::Grant(grant.id)),
            ..asked(question)
        };
        self.record(record.saying(format!("a person answered: {}", answer.name())));
    }

    fn record_silence(&self, question: &Question, why: Silence) {
        let (code, words) = match why {
            Silence::Withdrawn => (Code::Cancelled, "the app waits no longer"),
            Silence::TimedOut => (Code::TimedOut, "the time for it was over"),
            Silence::Locked => (Code::ConsentRequired, "the session was locked"),
            Silence::NobodyLeft => (Code::ConsentRequired, "the last agent left"),
        };
        let (decision, error) = (Some(Decision::Ask), Some(code));
        let record = Record { decision, error, ..asked(question) };
        self.record(record.saying(format!("nobody answered: {words}")));
    }
}

/// The beginning of a line about a question.
fn asked(question: &Question) -> Record {
    let record = Record {
        account: question.account.clone(),
        resources: question.resources.clone(),
        scopes: question.scopes.clone(),
        correlation_id: question.correlation_id.clone(),
        ..Record::of(Event::Consent)
    };
    record.by(&question.caller)
}

fn said_no(caller: &Caller, provider: &ProviderName) -> Failure {
    let app = printable(&caller.app().to_string());
    let message = format!("{app} may not have that token of {provider}: somebody said no");
    Failure::new(Code::UserDenied, message, "brokerctl grants list")
}

/// Why nobody answered, and what helps.
fn not_answered(unanswered: Failure, refusal: Refusal) -> Failure {
    let Failure { message, hint, .. } = unanswered;
    match refusal {
        Refusal::NobodyThere => {
            let message = format!("{message}, and nobody can be asked");
            let hint = format!("brokerctl agent, and ask again; or {hint}");
            Failure::new(Code::ConsentRequired, message, hint)
        }
        Refusal::Locked => {
            let message = format!("{message}, and the session is locked");
            Failure::new(Code::ConsentRequired, message, "unlock the session, and ask again")
        }
        Refusal::TimedOut => {
            let message = format!("{message}: the question was not answered in time");
            Failure::new(Code::TimedOut, message, hint)
        }
        Refusal::TooLong => {
            let message = format!("{message}, and it is for more than a person can be asked about");
            let hint = format!("let it ask for what it needs, by name; or {hint}");
            Failure::new(Code::ConsentRequired, message, hint)
        }
        Refusal::TooMany => {
            let message = format!("{message}, and there are too many questions already");
            Failure::new(Code::Busy, message, "answer those first")
        }
        Refusal::Resting(pause) => {
            let message = format!("{message}; it was refused just now, and may not ask yet");
            let hint = format!("wait {} seconds; or {hint}", pause.as_secs().max(1));
            Failure::new(Code::RateLimited, message, hint).retry_after(pause)
        }
    }
}
