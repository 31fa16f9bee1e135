//! The performing of effects, one after the other.

use std::sync::Arc;

use authbroker_core::account::Memory;
use authbroker_core::audit::{self, Record};
use authbroker_core::ids::AccountId;
use authbroker_core::lifecycle::{Certainty, Effect, Event, Refusal, SignOutReport};
use authbroker_core::token::SlotKey;

use super::{Desk, Entry, Sessions, lock};
use crate::platform::fault_point::{FaultPoint, reach};
use crate::services::vault::Prompt;

/// Who performs what a session asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Performer {
    /// Nobody: there is nothing to do.
    None,
    /// A task, which looks into the queue before it ends.
    Works,
}

/// Performs what a session asks for, one effect after the other, until there is nothing left.
async fn work_off(sessions: Sessions, entry: Arc<Entry>) {
    while let Some(effect) = next(&entry) {
        sessions.perform(&entry, effect).await;
        sessions.0.moved.notify_waiters();
    }
    sessions.0.moved.notify_waiters();
}

/// The next effect. Where there is none, the task that asks is the performer no more.
fn next(entry: &Entry) -> Option<Effect> {
    let mut desk = lock(&entry.desk);
    let effect = desk.queue.pop_front();
    if effect.is_none() {
        desk.performer = Performer::None;
    }
    effect
}

impl Sessions {
    /// Has effects performed, after all that the session asked for before.
    pub(super) fn enqueue(&self, entry: &Arc<Entry>, desk: &mut Desk, effects: Vec<Effect>) {
        if effects.is_empty() {
            return;
        }
        desk.queue.extend(effects);
        if desk.performer == Performer::None {
            desk.performer = Performer::Works;
            tokio::spawn(work_off(self.clone(), Arc::clone(entry)));
        }
    }

    async fn perform(&self, entry: &Arc<Entry>, effect: Effect) {
        match effect {
            Effect::Recall => self.recall(entry).await,
            Effect::Remember(memory) => self.remember(entry, memory).await,
            Effect::Forget => self.forget(entry).await,
            Effect::Intend => self.intend(entry).await,
            Effect::Settle => self.settle(entry).await,
            Effect::Answer { ticket, outcome } => {
                reach(FaultPoint::Answer);
                if let Some(caller) = lock(&entry.desk).waiting.remove(&ticket) {
                    let _left = caller.send(outcome);
                }
            }
            network => self.spawn(Arc::clone(entry), network),
        }
    }

    async fn recall(&self, entry: &Arc<Entry>) {
        let id = lock(&entry.account).id.clone();
        let event = match self.0.vault.recall(&id).await {
            Ok(memory) => Event::Recalled(memory),
            Err(error) => Event::RecallFailed(error.to_failure()),
        };
        self.post(entry, event);
    }

    async fn remember(&self, entry: &Arc<Entry>, memory: Memory) {
        let account = lock(&entry.account).clone();
        reach(FaultPoint::RememberBegun);
        let remembered = self.0.vault.remember(&account, &memory, Prompt::Never).await;
        reach(FaultPoint::Remembered);
        let event = match remembered {
            Ok(()) => Event::Remembered,
            Err(error) => {
                tracing::error!(account = %account.id, %error, "the vault could not be written; trying again");
                Event::RememberFailed
            }
        };
        self.post(entry, event);
    }

    /// Notes a use of the refresh token. Where the disk refuses, the renewal goes on: without it
    /// the sign-in would be of no use at all.
    async fn intend(&self, entry: &Entry) {
        let id = lock(&entry.account).id.clone();
        if let Err(error) = self.0.vault.intend(&id).await {
            tracing::warn!(account = %id, %error, "a renewal begins without a note of it");
        }
        reach(FaultPoint::RefreshIntended);
    }

    async fn settle(&self, entry: &Entry) {
        let id = lock(&entry.account).id.clone();
        if let Err(error) = self.0.vault.settle(&id).await {
            tracing::warn!(account = %id, %error, "the note of a renewal stays");
        }
    }

    async fn forget(&self, entry: &Entry) {
        let id = lock(&entry.account).id.clone();
        reach(FaultPoint::ForgetBegun);
        if let Err(error) = self.0.vault.forget(&id).await {
            tracing::error!(account = %id, %error, "the record could not be removed");
        }
        reach(FaultPoint::Forgotten);
        tracing::info!(account = %id, "forgotten");
        // The entry stays: its session remembers which sign-ins came too late. It is listed no more.
        self.tell();
    }

    /// Sends a network job on its way. Its reply comes back as an event.
    fn spawn(&self, entry: Arc<Entry>, effect: Effect) {
        let sessions = self.clone();
        tokio::spawn(async move {
            let account = lock(&entry.account).clone();
            let provider = sessions.0.providers.get(&account.provider);
            match (effect, provider) {
                (Effect::Obtain { attempt, key, with, grant }, Ok(provider)) => {
                    tracing::debug!(account = %account.id, "renewing");
                    let event = provider.obtain(&account, &grant, &key, attempt, &with).await;
                    log_renewal(&account.id, &event);
                    if let Some(record) = renewal(&account.id, &key, &event) {
                        sessions.0.audit.record(record);
                    }
                    reach(FaultPoint::RefreshAnswered);
                    sessions.post(&entry, event);
                }
                (Effect::Obtain { attempt, .. }, Err(failure)) => {
                    let certainty = Certainty::NotActedOn;
                    sessions.post(&entry, Event::Unreachable { attempt, failure, certainty });
                }
                (Effect::Revoke { attempt, grant, access }, Ok(provider)) => {
                    reach(FaultPoint::SignOutAsked);
                    let report = provider.sign_out(&grant, &access).await;
                    reach(FaultPoint::SignOutRevoked);
                    sessions.post(&entry, Event::Left { attempt, report });
                }
                (Effect::Revoke { attempt, .. }, Err(failure)) => {
                    let report = SignOutReport::NotRevoked { failure, id_token: None };
                    sessions.post(&entry, Event::Left { attempt, report });
                }
                (Effect::Discard(refresh_token), Ok(provider)) => {
                    if let Err(failure) = provider.revoke(&refresh_token).await {
                        tracing::warn!(account = %account.id, %failure, "a late refresh token could not be given back");
                    }
                }
                _ => {}
            }
        });
    }
}

/// What the record hears of a provider's answer.
fn renewal(id: &AccountId, key: &SlotKey, event: &Event) -> Option<Record> {
    let failed = Record {
        resources: key.resources.clone(),
        scopes: key.scopes.clone(),
        ..Record::of(audit::Event::RenewalFailed).about(id)
    };
    Some(match event {
        Event::Renewed { renewal, .. } => Record {
            resources: renewal.access.resources.clone(),
            scopes: renewal.access.scopes.clone(),
            fingerprint: Some(renewal.access.value.fingerprint()),
            ..Record::of(audit::Event::Renewal).about(id)
        },
        Event::Unreachable { failure, .. } => failed.failed(failure),
        Event::Refused { refusal: Refusal::Key(failure) | Refusal::Other(failure), .. } => {
            failed.failed(failure)
        }
        Event::Refused { refusal: Refusal::InvalidGrant, .. } => {
            failed.saying("the provider has ended this sign-in")
        }
        Event::Refused { refusal: Refusal::NoExchange, .. } => {
            failed.saying("the provider exchanges no tokens for this client")
        }
        _ => return None,
    })
}

fn log_renewal(id: &AccountId, event: &Event) {
    match event {
        Event::Renewed { .. } => tracing::info!(account = %id, "renewed"),
        Event::Refused { .. } => tracing::warn!(account = %id, "the provider refused a renewal"),
        Event::Unreachable { failure, .. } => {
            tracing::warn!(account = %id, %failure, "a renewal failed");
        }
        _ => {}
    }
}
