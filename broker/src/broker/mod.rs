//! The broker: what every front calls, in the order of one request.
//!
//! Who is the caller, which account is meant, what is remembered, what the provider says. Nothing
//! here knows which door a caller came in by, and nothing below knows that there are callers.

mod access;
pub mod answers;
pub mod audit;
mod challenge;
pub mod consent;
mod headers;
pub mod minted;
mod requests;
mod resolve;
mod silent;
pub mod vault;
mod view;
pub mod why;

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use authbroker_core::account::Account;
use authbroker_core::authentication::Requirement;
use authbroker_core::caller::{Caller, Door};
use authbroker_core::failure::{Code, Failure};
use authbroker_core::ids::AccountId;
use authbroker_core::lifecycle::Want;
use authbroker_core::policy::Basis;
use authbroker_core::request::{SignInRequest, SignOutRequest, TokenRequest};
use authbroker_core::resource::Resources;
use authbroker_core::time::{Now, UnixTime};
use authbroker_core::token::{AccessToken, SlotKey};
use futures_util::FutureExt as _;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use self::access::Patience;
pub use self::challenge::{ChallengeReport, Reaction, Terms};
pub use self::headers::{Headers, HeadersRequest};
use self::minted::not_by_minted;
use self::requests::pending;
use self::silent::{for_account, other_type, too_slow};
use self::view::view;
pub use self::view::{AccountView, Status};
use crate::config::Settings;
use crate::consent::Consent;
use crate::doorkeeper;
use crate::platform::{Machine, clock};
use crate::providers::Providers;
use crate::services::audit::Audit;
use crate::services::grants::Grants;
use crate::services::mintings::Mintings;
use crate::services::oidc::dpop::Nonces;
use crate::services::vault::{Vault, VaultError};
use crate::sessions::Sessions;
use crate::sign_ins::{Opener, Phase, SignIns};

/// How long a silent request may take in all.
const SILENT_LIMIT: Duration = Duration::from_secs(20);

/// A handle to the broker.
#[derive(Debug, Clone)]
pub struct Broker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    owner: u32,
    started: Now,
    settings: RwLock<Arc<Settings>>,
    config_error: Mutex<Option<String>>,
    broken_records: Vec<String>,
    providers: Providers,
    vault: Vault,
    sessions: Sessions,
    sign_ins: SignIns,
    consent: Consent,
    audit: Audit,
    mintings: Mintings,
    /// Whether the vault's key was looked for on the record's behalf.
    key_sought: AtomicBool,
    grants: Grants,
    /// What is wrong with what was remembered of people's answers, if anything.
    answers_problem: Mutex<Option<String>>,
    /// The nonces of APIs; those of providers are with the providers.
    nonces: Nonces,
}

/// A token for a caller.
#[derive(Debug, Clone)]
pub struct Given {
    /// The token.
    pub access: Arc<AccessToken>,
    /// When it expires, by the wall clock.
    pub expires_at: UnixTime,
    /// Whose it is.
    pub account: Arc<Account>,
    /// Why the caller may have it; `None` where nobody is given it.
    pub basis: Option<Basis>,
}

/// A request that waits for a person. Dropping it withdraws it.
#[derive(Debug)]
pub struct Pending(mpsc::Receiver<Phase>);

impl Pending {
    /// Waits for the next phase; `None` after the last.
    pub async fn next(&mut self) -> Option<Phase> {
        self.0.recv().await
    }
}

impl Broker {
    /// Takes up the accounts that the vault lists, and the providers of the settings.
    pub fn start(
        owner: u32,
        settings: Settings,
        vault: Vault,
        machine: Machine,
        audit: Audit,
        grants: Grants,
        mintings: Mintings,
    ) -> Result<Self, VaultError> {
        audit.record(audit::started());
        let providers = Providers::default();
        providers.take_up(&settings);
        let listed = vault.list()?;
        let (mut accounts, mut broken_records) = (Vec::new(), Vec::new());
        for record in listed {
            match record {
                Ok(account) => accounts.push(account),
                Err(broken) => {
                    tracing::error!("{broken}");
                    broken_records.push(broken.to_string());
                }
            }
        }
        let recorder = audit.clone();
        let sessions =
            Sessions::start(providers.clone(), vault.clone(), machine, recorder, accounts);
        sessions.set_ahead(settings.ahead);
        sessions.take_up_clients();
        let (consent, chores) = Consent::new();
        let sign_ins = SignIns::new(sessions.clone(), vault.clone(), audit.clone());
        tokio::spawn(doorkeeper::keep(vault.clone(), sessions.clone(), audit.clone()));
        let broker = Self(Arc::new(Inner {
            owner,
            started: clock::now(),
            settings: RwLock::new(Arc::new(settings)),
            config_error: Mutex::new(None),
            broken_records,
            providers,
            vault,
            sessions,
            sign_ins,
            consent,
            audit,
            mintings,
            key_sought: AtomicBool::new(false),
            grants,
            answers_problem: Mutex::new(None),
            nonces: Nonces::default(),
        }));
        tokio::spawn(broker.clone().keep_answers());
        tokio::spawn(broker.clone().keep_consent(chores));
        let consent = broker.0.consent.clone();
        tokio::spawn(async move { consent.keep_time().await });
        Ok(broker)
    }

    /// Puts new settings in force, or says why they were not taken and keeps the old ones.
    pub fn reload(&self, loaded: Result<Settings, String>) -> Result<(), Failure> {
        let error = loaded.map(|settings| self.put_in_force(settings)).err();
        self.0.config_error.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&error);
        self.record_reload(error.as_deref());
        match error {
            None => Ok(()),
            Some(error) => Err(Failure::new(Code::ConfigInvalid, error, "brokerctl config check")),
        }
    }

    fn put_in_force(&self, settings: Settings) {
        if settings.vault_key.describe() != self.0.vault.key_place() {
            tracing::warn!("[vault] key was changed; that counts from the next start on");
        }
        self.0.providers.take_up(&settings);
        self.0.sessions.set_ahead(settings.ahead);
        self.0.sessions.take_up_clients();
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        // Another policy may show other accounts.
        self.0.sessions.announce();
    }

    /// Whether this caller is served at all: the broker's own user, and nobody else.
    pub fn admit(&self, caller: &Caller) -> Result<(), Failure> {
        if caller.may_see_accounts_of(self.0.owner) {
            return Ok(());
        }
        let message =
            format!("this broker serves user {}, and you are user {}", self.0.owner, caller.uid);
        Err(Failure::new(Code::PolicyDenied, message, "run a broker of your own: brokerd"))
    }

    /// An access token, without asking anybody.
    pub async fn token(&self, caller: &Caller, request: TokenRequest) -> Result<Given, Failure> {
        let answer = self.find_token(caller, &request).await;
        self.record_token(caller, &request, answer.as_ref());
        answer
    }

    /// The same for the broker's own use: nobody is given it.
    async fn find_token(&self, caller: &Caller, request: &TokenRequest) -> Result<Given, Failure> {
        self.admit(caller)?;
        let mut request = Cow::Borrowed(request);
        if caller.door == Door::Minted
            && let Some(minting) = self.narrow(caller, request.to_mut())?
            && request.resources.is_empty()
        {
            request.to_mut().resources = minting.usual_resources();
        }
        let account = self.resolve(caller, &request.account)?;
        self.token_for(caller, account, &request).await
    }

    /// The same, where it is known whose.
    async fn token_for(
        &self,
        caller: &Caller,
        account: Arc<Account>,
        request: &TokenRequest,
    ) -> Result<Given, Failure> {
        let resources = self.key(&account, request)?.resources;
        let scopes = &request.scopes;
        let verdict = self.allowed(caller, &account, &resources, scopes, Patience::Silent).await?;
        let given = self.token_of(account, request).await?;
        self.not_beyond(caller, &given.account, scopes, &given.access)?;
        if verdict.basis == Basis::Pass {
            self.use_up_pass(caller, &given.account, &resources, scopes)?;
        }
        Ok(Given { basis: Some(verdict.basis), ..given })
    }

    /// A token for whoever may have it.
    async fn token_of(
        &self,
        account: Arc<Account>,
        request: &TokenRequest,
    ) -> Result<Given, Failure> {
        self.unbarred(&account.id)?;
        let key = self.key(&account, request)?;
        let requirement = requirement(request);
        let want = Want { key, need: request.need, requirement };
        let limit = request.timeout.map_or(SILENT_LIMIT, |limit| limit.min(SILENT_LIMIT));
        let access = self.ask_session(&account.id, want, limit).await;
        let access = access.map_err(|failure| for_account(failure, &account, request))?;
        if request.token_type.is_some_and(|wanted| wanted != access.token_type()) {
            return Err(for_account(other_type(&access), &account, request));
        }
        let expires_at = clock::now().wall_at(access.expires);
        Ok(Given { access, expires_at, account, basis: None })
    }

    /// A token of a session, within `limit`. One that is at hand needs no timer.
    async fn ask_session(
        &self,
        id: &AccountId,
        want: Want,
        limit: Duration,
    ) -> Result<Arc<AccessToken>, Failure> {
        let mut asked = std::pin::pin!(self.0.sessions.token(id, want));
        match asked.as_mut().now_or_never() {
            Some(answer) => answer,
            None => timeout(limit, asked).await.unwrap_or_else(|_| Err(too_slow(limit))),
        }
    }

    /// Which slot a request means: the provider's default API where it names none.
    fn key(&self, account: &Account, request: &TokenRequest) -> Result<SlotKey, Failure> {
        let resources = self.or_default(account, request.resources.clone())?;
        Ok(SlotKey { scopes: request.scopes.clone(), resources })
    }

    fn or_default(&self, account: &Account, resources: Resources) -> Result<Resources, Failure> {
        if resources.is_empty() {
            return Ok(self.0.providers.get(&account.provider)?.settings().default_resources());
        }
        Ok(resources)
    }

    /// A sign-in for an app: silent if there is one already, else the broker opens the browser, or
    /// tells the code to type on another device.
    pub fn acquire(&self, caller: &Caller, request: &SignInRequest) -> Result<Pending, Failure> {
        if caller.door == Door::Minted {
            return Ok(self.acquire_minted(caller, request));
        }
        let wish = self.wish(caller, request, Opener::Broker)?;
        let (broker, caller) = (self.clone(), caller.clone());
        Ok(pending(move |phases| async move {
            let silently = match broker.may_sign_in(&caller, &wish, &phases).await {
                Ok(Some(account)) => broker.try_silently(&caller, account, &wish).await,
                Ok(None) => None,
                Err(failure) => Some(Phase::Failed(failure)),
            };
            if let Some(Phase::Failed(failure)) = &silently {
                broker.record_unserved(&caller, &wish.request, failure);
            }
            match silently {
                Some(phase) => drop(phases.send(phase).await),
                None => broker.follow(wish, &phases).await,
            }
        }))
    }

    /// A sign-in by a person at the admin tool, which opens the browser itself.
    pub fn sign_in(&self, caller: &Caller, request: &SignInRequest) -> Result<Pending, Failure> {
        let wish = self.wish(caller, request, Opener::Caller)?;
        let broker = self.clone();
        Ok(pending(move |phases| async move { broker.follow(wish, &phases).await }))
    }

    /// Signs an account out: revokes it at the provider, ends the session there, forgets it here.
    pub fn sign_out(
        &self,
        caller: &Caller,
        request: SignOutRequest,
        opener: Opener,
    ) -> Result<Pending, Failure> {
        let account = self.leaving(caller, &request);
        let account = account
            .inspect_err(|failure| self.record_sign_out(caller, &request, None, Err(failure)))?;
        let (broker, caller) = (self.clone(), caller.clone());
        Ok(pending(move |phases| async move {
            // Not a thing to ask a person about: a yes would be one to every token of the account.
            match broker.allowed_all(&caller, &account).await {
                Ok(_) => broker.leave(&caller, account, &request, opener, phases).await,
                Err(failure) => {
                    broker.record_sign_out(&caller, &request, Some(&account.id), Err(&failure));
                    drop(phases.send(Phase::Failed(failure)).await);
                }
            }
        }))
    }

    /// The account that a caller wants signed out.
    fn leaving(&self, caller: &Caller, request: &SignOutRequest) -> Result<Arc<Account>, Failure> {
        self.admit(caller)?;
        not_by_minted(caller, "signing out")?;
        self.resolve(caller, &request.account)
    }

    /// Writes down what is not on the disk yet. Nothing is asked of the broker after this.
    pub async fn close(&self) {
        self.write_answers().await;
        self.end_record().await;
    }

    /// The accounts that this caller may see.
    pub fn visible_to(&self, caller: &Caller) -> Vec<AccountView> {
        let seen = self.0.sessions.list().into_iter();
        seen.filter(|seen| self.sees(caller, &seen.account)).map(view).collect()
    }

    /// Whether an account is this caller's to see.
    fn sees(&self, caller: &Caller, account: &Account) -> bool {
        caller.may_see_accounts_of(self.0.owner) && self.knows(caller, account)
    }

    /// Counts up whenever [`Broker::visible_to`] may answer differently.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.sessions.changes()
    }

    fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.0.settings.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a request demands of the sign-in behind its token.
fn requirement(request: &TokenRequest) -> Requirement {
    Requirement {
        acr_values: request.acr_values.clone(),
        not_before: request.max_age.map(|age| clock::now().wall.minus(age)),
    }
}
