//! What the record hears of: each thing that a caller wanted, and what came of it.

use std::path::Path;
use std::sync::atomic::Ordering;

use authbroker_core::audit::{Delivery, Event, Record};
use authbroker_core::caller::Caller;
use authbroker_core::failure::{Code, Failure, printable};
use authbroker_core::ids::AccountId;
use authbroker_core::policy::Decision;
use authbroker_core::request::{SignInRequest, SignOutRequest, TokenRequest};
use zeroize::Zeroizing;

use super::requests::silent_request;
use super::{Broker, Given};
use crate::services::audit::{AtEnd, Safe};
pub use crate::services::audit::{Broken, Checked, Lines};
use crate::services::vault::{Prompt, Vault, VaultState};
use crate::sign_ins::{Phase, Wish};

impl Safe for Vault {
    fn head(&self) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        self.audit_head().map_err(|error| error.to_failure().message)
    }

    fn lasts(&self) -> bool {
        self.key_lasts()
    }

    fn keep(&self, head: &[u8]) -> Result<(), String> {
        self.keep_audit_head(head).map_err(|error| error.to_failure().message)
    }
}

/// What a reader wants of the record's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// What there is.
    Past,
    /// That, and what comes.
    Following,
}

impl Broker {
    /// The lines of the record.
    pub fn audit(&self, caller: &Caller, how: Reading) -> Result<Lines, Failure> {
        self.admit(caller)?;
        let at_end = match how {
            Reading::Past => AtEnd::Stop,
            Reading::Following => AtEnd::Follow,
        };
        Ok(self.0.audit.read(at_end))
    }

    /// The folder that the record's files are in.
    pub fn audit_place(&self) -> &Path {
        self.0.audit.place()
    }

    /// Checks the whole record. The key for that is in the vault, and nobody is asked for it.
    pub async fn check_audit(&self, caller: &Caller) -> Result<Checked, Failure> {
        self.admit(caller)?;
        if self.0.vault.chain_key().is_none() {
            let ready = self.0.vault.ready(Prompt::Never).await;
            ready.map_err(|error| error.to_failure())?;
        }
        // The doorkeeper may not have come to it yet.
        self.0.vault.chain_key().into_iter().for_each(|key| self.0.audit.unlocked(key));
        let place = self.0.audit.place().display();
        self.0.audit.verify().await.map_err(|why| {
            let message = format!("the audit record in {place} cannot be checked: {why}");
            Failure::new(Code::Internal, message, "brokerctl status; check the folder and its disk")
        })
    }

    /// Ends the record: whatever happens after this is in none.
    pub(super) async fn end_record(&self) {
        self.0.audit.record(Record::of(Event::Stop));
        let audit = self.0.audit.clone();
        // Waiting for a disk; a thread that failed has told so itself.
        let _ended = tokio::task::spawn_blocking(move || audit.close()).await;
    }

    /// A token that a caller was given, or why it has none.
    pub(super) fn record_token(
        &self,
        caller: &Caller,
        request: &TokenRequest,
        answer: Result<&Given, &Failure>,
    ) {
        let record = match answer {
            Ok(given) if self.is_given_again(caller, request, given) => return,
            Ok(given) => {
                self.seek_key();
                given_record(given)
            }
            Err(failure) => {
                let correlation_id = request.correlation_id.as_deref().map(printable);
                tracing::debug!(app = %caller.app(), correlation_id, "no token: {failure}");
                self.refusal(caller, request, failure)
            }
        };
        let correlation_id = request.correlation_id.clone();
        self.0.audit.record(Record { correlation_id, ..record.by(caller) });
    }

    fn is_given_again(&self, caller: &Caller, request: &TokenRequest, given: &Given) -> bool {
        let (fingerprint, account) = (given.access.value.fingerprint(), given.account.id.clone());
        let delivery = Delivery::new(fingerprint, Some(account), caller, given.basis.clone());
        self.0.audit.given_again(&delivery, request.correlation_id.as_deref())
    }

    /// A request that might have led to a sign-in, and did not come so far.
    pub(super) fn record_unserved(
        &self,
        caller: &Caller,
        request: &SignInRequest,
        failure: &Failure,
    ) {
        self.record_token(caller, &silent_request(request), Err(failure));
    }

    fn refusal(&self, caller: &Caller, request: &TokenRequest, failure: &Failure) -> Record {
        let record = Record {
            resources: request.resources.clone(),
            scopes: request.scopes.clone(),
            ..Record::of(Event::Refusal)
        };
        let Ok(account) = self.resolve(caller, &request.account) else {
            return record.failed(failure);
        };
        let resources = self.key(&account, request).map(|key| key.resources);
        let resources = self.good_for(&account, &resources.unwrap_or_default()).into_owned();
        let verdict = self.verdict(caller, &account, &resources, &request.scopes);
        Record { resources, ..record.decided(&verdict).failed(failure).about(&account.id) }
    }

    pub(super) fn record(&self, record: Record) {
        self.0.audit.record(record);
    }

    /// Where nobody has needed the vault yet, because no account is a person's, the record does: it
    /// is chained with a key of the vault's. Nobody is asked for it.
    fn seek_key(&self) {
        if self.0.key_sought.swap(true, Ordering::Relaxed) {
            return;
        }
        if self.0.vault.state() == VaultState::Unread {
            let vault = self.0.vault.clone();
            // A vault that stays closed says so itself.
            tokio::spawn(async move { vault.ready(Prompt::Never).await.ok() });
        }
    }

    pub(super) fn record_client(&self, wish: &Wish, phase: &Phase) {
        self.0.audit.record(match phase {
            Phase::Failed(failure) => wish.record(Event::SignInFailed).failed(failure),
            Phase::Done(id) => wish.record(Event::SignIn).about(id),
            _ => return,
        });
    }

    pub(super) fn record_sign_out(
        &self,
        caller: &Caller,
        request: &SignOutRequest,
        account: Option<&AccountId>,
        answer: Result<String, &Failure>,
    ) {
        let record = match answer {
            Ok(report) => Record::of(Event::SignOut).saying(report),
            Err(failure) => Record::of(Event::SignOutFailed).failed(failure),
        };
        let (account, correlation_id) = (account.cloned(), request.correlation_id.clone());
        self.0.audit.record(Record { account, correlation_id, ..record.by(caller) });
    }

    /// What a person did with the vault, handed on.
    pub(super) fn record_vault<T>(
        &self,
        caller: &Caller,
        event: Event,
        answer: Result<T, Failure>,
    ) -> Result<T, Failure> {
        let record = Record::of(event).by(caller);
        self.0.audit.record(match &answer {
            Ok(_) => record,
            Err(failure) => record.failed(failure),
        });
        answer
    }

    pub(super) fn record_reload(&self, error: Option<&str>) {
        let record = Record::of(Event::Policy);
        self.0.audit.record(match error {
            None => record.saying("the configuration was read again"),
            Some(error) => {
                let what = format!("the old configuration stays in force: {error}");
                Record { error: Some(Code::ConfigInvalid), ..record.saying(what) }
            }
        });
    }
}

/// The first line of a broker.
pub(super) fn started() -> Record {
    let version = env!("CARGO_PKG_VERSION");
    Record::of(Event::Start).saying(format!("brokerd {version}, process {}", std::process::id()))
}

fn given_record(given: &Given) -> Record {
    Record {
        account: Some(given.account.id.clone()),
        resources: given.access.resources.clone(),
        scopes: given.access.scopes.clone(),
        decision: Some(Decision::Allow),
        basis: given.basis.clone(),
        fingerprint: Some(given.access.value.fingerprint()),
        ..Record::of(Event::Token)
    }
}
