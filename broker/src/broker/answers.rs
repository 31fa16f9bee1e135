//! What people have answered: given, listed and taken back.

use std::sync::PoisonError;
use std::time::Duration;

use authbroker_core::account::Account;
use authbroker_core::audit::{Event, Record};
use authbroker_core::caller::{App, Caller, Door, Identity};
use authbroker_core::failure::{Code, Failure, printable};
use authbroker_core::ids::ProviderName;
use authbroker_core::policy::{
    AccountMatch, Basis, Decision, Grant, GrantId, Lasting, Reach, Ruling, Verdict,
};
use authbroker_core::request::AccountRef;
use authbroker_core::scope::ScopeSet;

use super::Broker;
use super::access::word;
use crate::platform::clock;
pub use crate::services::grants::{AskedBy, NewGrant, Used};
use crate::services::grants::{GrantsError, Proof, Seal};
use crate::services::vault::{Prompt, Tagger, VaultState};

/// How often what was counted reaches the disk.
const NOW_AND_THEN: Duration = Duration::from_mins(5);

/// An answer that a person gives unasked.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whom it is about.
    pub app: App,
    /// An account's id, a provider's name or a username; empty for every account.
    pub account: String,
    /// What of it.
    pub reach: Reach,
    /// What is said.
    pub ruling: Ruling,
    /// For how long; `None` for always.
    pub lasts: Option<Duration>,
}

/// Which answers are to be taken back.
#[derive(Debug, Clone)]
pub enum Which {
    /// The one of this number.
    Number(GrantId),
    /// All that are about this app.
    Of(App),
}

impl Seal for Tagger {
    fn tag(&self, bytes: &[u8]) -> String {
        Self::tag(self, bytes)
    }

    fn fits(&self, bytes: &[u8], tag: &str) -> bool {
        Self::fits(self, bytes, tag)
    }
}

impl Broker {
    /// Every answer, oldest first.
    pub async fn grants(&self, caller: &Caller) -> Result<Vec<Used>, Failure> {
        self.admit(caller)?;
        self.proven().await?;
        Ok(self.0.grants.list())
    }

    /// Who has asked, the last one first.
    pub async fn apps(&self, caller: &Caller) -> Result<Vec<AskedBy>, Failure> {
        self.admit(caller)?;
        self.proven().await?;
        Ok(self.0.grants.asked())
    }

    /// Remembers what a person says about an app. Gives what decides nevertheless, if something
    /// does.
    pub async fn grant(
        &self,
        caller: &Caller,
        wanted: Wanted,
    ) -> Result<(Grant, Option<Verdict>), Failure> {
        let app = wanted.app.clone();
        let granted = self.find_grant(caller, wanted).await;
        granted.inspect_err(|failure| self.record_unchanged(caller, &app, failure))
    }

    async fn find_grant(
        &self,
        caller: &Caller,
        wanted: Wanted,
    ) -> Result<(Grant, Option<Verdict>), Failure> {
        self.admit(caller)?;
        let Wanted { app, account, reach, ruling, lasts } = wanted;
        self.within_manifest(&app, &reach, ruling)?;
        let account = self.account_named(caller, &account)?;
        let now = clock::now().wall;
        let lasting = lasts.map_or(Lasting::Always, |lasts| Lasting::Until(now.plus(lasts)));
        let new = NewGrant { app, terminal: None, account, reach, ruling, lasting };
        let grant = self.remember(new).await?;
        let what = format!("for {}, account {}", grant.app, grant.account);
        self.record(answered(&grant).by(caller).saying(what));
        Ok((grant.clone(), self.overruling(&grant)))
    }

    fn record_unchanged(&self, caller: &Caller, app: &App, failure: &Failure) {
        let record = Record::of(Event::Policy).by(caller).failed(failure);
        self.record(record.saying(format!("nothing is said of {app}: {}", failure.message)));
    }

    /// Takes answers back, and gives them.
    pub async fn revoke(&self, caller: &Caller, which: Which) -> Result<Vec<Grant>, Failure> {
        self.admit(caller)?;
        self.proven().await?;
        let tagger = self.tagger().await?;
        let grants = self.0.grants.clone();
        let gone = tokio::task::spawn_blocking(move || match which {
            Which::Number(id) => grants.revoke(|grant| grant.id == id, &tagger),
            Which::Of(app) => grants.revoke(|grant| grant.app == app, &tagger),
        });
        let gone = gone.await.map_err(|_| broken_off())?.map_err(|error| failure(&error))?;
        for grant in &gone {
            let what = format!("for {}, account {}: taken back", grant.app, grant.account);
            self.record(answered(grant).by(caller).saying(what));
        }
        self.0.sessions.announce();
        Ok(gone)
    }

    /// Remembers an answer, durably. It counts from the next request on.
    pub(super) async fn remember(&self, new: NewGrant) -> Result<Grant, Failure> {
        self.proven().await?;
        let tagger = self.tagger().await?;
        let (grants, now) = (self.0.grants.clone(), clock::now().wall);
        let kept = tokio::task::spawn_blocking(move || grants.remember(new, now, &tagger));
        let grant = kept.await.map_err(|_| broken_off())?.map_err(|error| failure(&error))?;
        tracing::info!(app = %grant.app, id = %grant.id, "an answer is remembered");
        self.0.sessions.announce();
        Ok(grant)
    }

    /// Makes sure that the answers on the disk are ours before anything rests on them.
    pub(super) async fn proven(&self) -> Result<(), Failure> {
        if !self.0.grants.is_unproven() {
            return Ok(());
        }
        let tagger = self.0.vault.tagger(Prompt::Never).await;
        let tagger = tagger.map_err(|error| error.to_failure())?;
        let grants = self.0.grants.clone();
        let proof = tokio::task::spawn_blocking(move || grants.prove(&tagger)).await;
        if let Proof::LaidAside(why) = proof.map_err(|_| broken_off())? {
            let problem = format!("remembered answers do not count any more: {why}");
            tracing::error!("{problem}");
            *self.0.answers_problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
        }
        self.0.sessions.announce();
        Ok(())
    }

    /// Brings the answers under the vault's new key.
    pub(super) async fn reseal_answers(&self) {
        if let Some(tagger) = self.0.vault.tagger_at_hand() {
            let grants = self.0.grants.clone();
            let written = tokio::task::spawn_blocking(move || grants.write_anew(&tagger)).await;
            if !matches!(written, Ok(Ok(()))) {
                tracing::error!("the remembered answers are still under the vault's old key");
            }
        }
    }

    /// Writes what was counted, as far as the vault's key is at hand.
    pub(super) async fn write_answers(&self) {
        let Some(tagger) = self.0.vault.tagger_at_hand() else { return };
        let grants = self.0.grants.clone();
        let flushed = tokio::task::spawn_blocking(move || grants.flush(&tagger)).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(%error, "who has asked is not written");
        }
    }

    /// Keeps the answers for as long as the process lives: proves them when the vault opens, and
    /// writes down now and then how they were used.
    pub(super) async fn keep_answers(self) {
        let mut states = self.0.vault.states();
        loop {
            if *states.borrow_and_update() == VaultState::Open {
                let _later = self.proven().await;
                self.write_answers().await;
            }
            tokio::select! {
                changed = states.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(NOW_AND_THEN) => {}
            }
        }
    }

    async fn tagger(&self) -> Result<Tagger, Failure> {
        // A person is at hand: it is their answer.
        self.0.vault.tagger(Prompt::Allowed).await.map_err(|error| error.to_failure())
    }

    /// Nobody is talked into more than an app says that it needs.
    fn within_manifest(&self, app: &App, reach: &Reach, ruling: Ruling) -> Result<(), Failure> {
        let settings = self.settings();
        let caller = example_of(app);
        let beyond = settings.policy.manifests_of(&caller).find(|it| !reach.is_within(&it.reach));
        match (ruling, beyond) {
            (Ruling::Allow, Some(manifest)) => {
                let name = printable(&app.to_string());
                let message = format!("{name} does not say that it needs that: {}", manifest.file);
                let allowed = command(app, None, &manifest.reach);
                let hint = format!("allow no more than it says: {allowed}");
                Err(Failure::new(Code::PolicyDenied, message, hint))
            }
            _ => Ok(()),
        }
    }

    fn account_named(&self, caller: &Caller, text: &str) -> Result<AccountMatch, Failure> {
        let is_provider =
            |name: &str| self.settings().providers.keys().any(|known| known.as_str() == name);
        match AccountMatch::new(text) {
            _ if text.is_empty() => Ok(AccountMatch::Any),
            AccountMatch::Named(name) if !is_provider(&name) => {
                let account = self.resolve(caller, &AccountRef::new(name))?;
                Ok(AccountMatch::from(&account.id))
            }
            account => Ok(account),
        }
    }

    /// What decides on an account that an answer is about, if it is not the answer.
    fn overruling(&self, grant: &Grant) -> Option<Verdict> {
        let about = |account: &Account| grant.account.matches(&account.id, &account.provider);
        let caller = example_of(&grant.app);
        let (resources, scopes) = (&grant.reach.resources, &grant.reach.scopes);
        let (resources, scopes) =
            (resources.clone().unwrap_or_default(), scopes.clone().unwrap_or_default());
        let verdicts = self.0.sessions.accounts(about).into_iter().map(|account| {
            let resources = self.good_for(&account, &resources);
            self.verdict(&caller, &account, &resources, &scopes)
        });
        let wanted = grant.ruling.decision();
        verdicts
            .into_iter()
            .find(|verdict| verdict.decision != wanted && verdict.basis != Basis::Grant(grant.id))
    }
}

/// What the record hears of an answer.
fn answered(grant: &Grant) -> Record {
    let Reach { resources, scopes } = grant.reach.clone();
    Record {
        resources: resources.unwrap_or_default(),
        scopes: scopes.unwrap_or_default(),
        decision: Some(grant.ruling.decision()),
        basis: Some(Basis::Grant(grant.id)),
        ..Record::of(Event::Consent)
    }
}

/// A caller that is this app, as far as rules can tell.
pub(super) fn example_of(app: &App) -> Caller {
    let door = match app.identity {
        Identity::Socket(_) => Door::Minted,
        _ => Door::Socket,
    };
    Caller { identity: app.identity.clone(), ..Caller::of_user(app.uid, door) }
}

/// The command that allows exactly this.
pub(super) fn command(app: &App, account: Option<&ProviderName>, reach: &Reach) -> String {
    let mut command = format!("brokerctl grants allow {}", word(&app.to_string()));
    if let Some(account) = account {
        command = format!("{command} --account {account}");
    }
    for resource in reach.resources.iter().flatten() {
        command = format!("{command} --resource {}", word(resource.as_str()));
    }
    for scope in reach.scopes.iter().flat_map(ScopeSet::iter) {
        command = format!("{command} --scope {}", word(scope));
    }
    command
}

/// The word for what an answer says.
pub fn ruling(decision: Decision) -> Result<Ruling, Failure> {
    match decision {
        Decision::Allow => Ok(Ruling::Allow),
        Decision::Deny => Ok(Ruling::Deny),
        Decision::Ask => Err(Failure::new(
            Code::InvalidArgs,
            "an answer is allow or deny",
            "brokerctl grants --help",
        )),
    }
}

fn failure(error: &GrantsError) -> Failure {
    let (code, hint) = match error {
        GrantsError::Full => (Code::Busy, "brokerctl grants revoke"),
        GrantsError::Disk(_) => (Code::Internal, "check the state folder and the disk"),
    };
    Failure::new(code, error.to_string(), hint)
}

fn broken_off() -> Failure {
    Failure::new(Code::Internal, "the work on the answers broke off", "try again")
}
