//! The broker: what every front calls, in the order of one request.
//!
//! Who is the caller, which account is meant, what is remembered, what the provider says. Nothing
//! here knows which door a caller came in by, and nothing below knows that there are callers.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use authbroker_core::account::Account;
use authbroker_core::caller::Caller;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::lifecycle::{Ending, SignOutReach, SignOutReport, Standing, Want};
use authbroker_core::request::{AccountRef, SignInRequest, TokenRequest};
use authbroker_core::time::{Now, UnixTime};
use authbroker_core::token::{AccessToken, SlotKey};
use tokio::sync::{mpsc, watch};

use crate::config::Settings;
use crate::platform::clock;
use crate::providers::Providers;
use crate::services::browser;
use crate::services::oidc::Oidc;
use crate::services::vault::{Vault, VaultState};
use crate::sessions::{Seen, Sessions};
use crate::sign_ins::{Opener, Phase, SignIns, Wish};

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
}

/// A token for a caller.
#[derive(Debug, Clone)]
pub struct Given {
    /// The token.
    pub access: AccessToken,
    /// When it expires, by the wall clock.
    pub expires_at: UnixTime,
    /// Whose it is.
    pub account: Account,
}

/// An account as a caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// The account.
    pub account: Account,
    /// The word for how it stands (contract §5).
    pub state: &'static str,
    /// Why, in words, where there is something to say.
    pub reason: String,
    /// Since when.
    pub since: UnixTime,
}

/// How the daemon is, for `brokerctl status`.
#[derive(Debug, Clone)]
pub struct Status {
    /// How long it runs.
    pub uptime: Duration,
    /// Why the newest configuration was not taken, if so.
    pub config_error: Option<String>,
    /// Where the vault's key is.
    pub vault_key: String,
    /// How the vault is: `unread`, `open`, `locked` or `damaged`.
    pub vault_state: &'static str,
    /// Why, in words.
    pub vault_reason: Option<String>,
    /// Names and issuers.
    pub providers: Vec<(String, String)>,
    /// How many accounts there are.
    pub accounts: usize,
    /// What is wrong, a sentence each.
    pub problems: Vec<String>,
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
    pub fn start(owner: u32, settings: Settings, vault: Vault) -> Result<Self, Failure> {
        let providers = Providers::default();
        providers.take_up(&settings)?;
        let listed = vault.list().map_err(|error| error.to_failure())?;
        let (mut accounts, mut broken_records) = (Vec::new(), Vec::new());
        for record in listed {
            match record {
                Ok(account) => accounts.push(account),
                Err(broken) => {
                    tracing::error!(record = broken.name, "{}", broken.reason);
                    broken_records.push(broken.reason);
                }
            }
        }
        let sessions = Sessions::start(providers.clone(), vault.clone(), accounts);
        sessions.set_ahead(settings.ahead);
        let sign_ins = SignIns::new(sessions.clone(), vault.clone());
        Ok(Self(Arc::new(Inner {
            owner,
            started: clock::now(),
            settings: RwLock::new(Arc::new(settings)),
            config_error: Mutex::new(None),
            broken_records,
            providers,
            vault,
            sessions,
            sign_ins,
        })))
    }

    /// Puts new settings in force, or says why they were not taken and keeps the old ones.
    pub fn reload(&self, loaded: Result<Settings, String>) -> Result<(), Failure> {
        let taken = loaded.and_then(|settings| {
            self.0.providers.take_up(&settings).map_err(|failure| failure.message)?;
            self.0.sessions.set_ahead(settings.ahead);
            *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
            Ok(())
        });
        let error = taken.err();
        self.0.config_error.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&error);
        match error {
            None => Ok(()),
            Some(error) => Err(Failure::new(Code::ConfigInvalid, error, "brokerctl config check")),
        }
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
        self.admit(caller)?;
        let account = self.resolve(caller, &request.account)?;
        let key = self.key(&account, &request)?;
        let want = Want { key, need: request.need };
        let answer =
            tokio::time::timeout(SILENT_LIMIT, self.0.sessions.token(&account.id, want)).await;
        let access = answer
            .unwrap_or_else(|_| Err(too_slow()))
            .map_err(|failure| for_account(failure, &account))?;
        Ok(Given { expires_at: clock::now().wall_at(access.expires), access, account })
    }

    /// Which slot a request means: the provider's default API where it names none.
    fn key(&self, account: &Account, request: &TokenRequest) -> Result<SlotKey, Failure> {
        let mut resources = request.resources.clone();
        if resources.is_empty() {
            resources = self.0.providers.get(&account.provider)?.settings().default_resources();
        }
        Ok(SlotKey { scopes: request.scopes.clone(), resources })
    }

    /// A sign-in for an app: silent if there is one already, else the broker opens the browser.
    pub fn acquire(&self, caller: &Caller, request: SignInRequest) -> Result<Pending, Failure> {
        self.admit(caller)?;
        let wish = self.wish(caller, request, Opener::Broker)?;
        let (broker, caller) = (self.clone(), caller.clone());
        Ok(pending(move |phases| async move {
            match broker.try_silently(&caller, &wish).await {
                Some(phase) => drop(phases.send(phase).await),
                None => broker.follow(wish, &phases).await,
            }
        }))
    }

    /// A sign-in by a person at the admin tool, which opens the browser itself.
    pub fn sign_in(&self, caller: &Caller, request: SignInRequest) -> Result<Pending, Failure> {
        self.admit(caller)?;
        let wish = self.wish(caller, request, Opener::Caller)?;
        let broker = self.clone();
        Ok(pending(move |phases| async move { broker.follow(wish, &phases).await }))
    }

    /// Signs an account out: revokes it at the provider, ends the session there, forgets it here.
    pub fn sign_out(
        &self,
        caller: &Caller,
        account: &AccountRef,
        reach: SignOutReach,
        opener: Opener,
    ) -> Result<Pending, Failure> {
        self.admit(caller)?;
        let account = self.resolve(caller, account)?;
        let broker = self.clone();
        Ok(pending(move |phases| async move { broker.leave(account, reach, opener, phases).await }))
    }

    /// The accounts that this caller may see.
    pub fn visible_to(&self, caller: &Caller) -> Vec<AccountView> {
        if !caller.may_see_accounts_of(self.0.owner) {
            return Vec::new();
        }
        self.0.sessions.list().into_iter().map(view).collect()
    }

    /// Counts up whenever [`Broker::visible_to`] may answer differently.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.sessions.changes()
    }

    /// How the daemon is.
    pub fn status(&self) -> Status {
        let config_error =
            self.0.config_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let accounts = self.0.sessions.list();
        let mut problems: Vec<_> =
            config_error.iter().cloned().chain(self.0.broken_records.iter().cloned()).collect();
        problems.extend(accounts.iter().filter_map(problem));
        let (vault_key, state) = self.0.vault.state();
        let (vault_state, vault_reason) = match state {
            VaultState::Unread => ("unread", None),
            VaultState::Open => ("open", None),
            VaultState::Locked(why) => ("locked", Some(why)),
            VaultState::Damaged(why) => ("damaged", Some(why)),
        };
        Status {
            uptime: self.0.started.boot.until(clock::now().boot),
            config_error,
            vault_key,
            vault_state,
            vault_reason,
            providers: self
                .0
                .providers
                .all()
                .iter()
                .map(|p| (p.settings().name.to_string(), p.settings().issuer.to_string()))
                .collect(),
            accounts: accounts.len(),
            problems,
        }
    }

    fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.0.settings.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Broker {
    /// The one account that a caller's word means, among those it sees.
    fn resolve(&self, caller: &Caller, reference: &AccountRef) -> Result<Account, Failure> {
        let seen: Vec<_> = self.visible_to(caller).into_iter().map(|view| view.account).collect();
        let settings = self.settings();
        let word = reference.named().or(settings.default_account.as_deref());
        let Some(word) = word else {
            return self.only(seen, None);
        };
        if let Some(account) = seen.iter().find(|account| account.id.as_str() == word) {
            return Ok(account.clone());
        }
        let means =
            |account: &Account| account.provider.as_str() == word || account.username() == word;
        self.only(seen.into_iter().filter(means).collect(), Some(word))
    }

    fn only(&self, mut found: Vec<Account>, word: Option<&str>) -> Result<Account, Failure> {
        match (found.len(), word) {
            (1, _) => Ok(found.remove(0)),
            (0, None) => {
                Err(Failure::new(Code::NoSuchAccount, "nobody is signed in", self.login_hint(None)))
            }
            (0, Some(word)) => {
                let message = format!("nobody is signed in as or at {word:?}");
                Err(Failure::new(Code::NoSuchAccount, message, self.login_hint(Some(word))))
            }
            _ => {
                let ids: Vec<_> = found.iter().map(|account| account.id.as_str()).collect();
                let message = format!("several accounts match: {}", ids.join(", "));
                Err(Failure::new(
                    Code::AmbiguousAccount,
                    message,
                    "name one of them; brokerctl accounts lists them",
                ))
            }
        }
    }

    fn login_hint(&self, word: Option<&str>) -> String {
        let providers = self.0.providers.all();
        let named = |provider: &&Arc<Oidc>| {
            word.is_none_or(|word| provider.settings().name.as_str() == word)
        };
        match providers.iter().filter(named).collect::<Vec<_>>().as_slice() {
            _ if providers.is_empty() => "add a [provider.NAME] to the configuration; brokerctl config check tells where it is".to_owned(),
            [provider] => format!("brokerctl login {}", provider.settings().name),
            _ => "brokerctl login PROVIDER".to_owned(),
        }
    }

    /// The provider and the account that a sign-in is about.
    fn wish(
        &self,
        caller: &Caller,
        request: SignInRequest,
        opener: Opener,
    ) -> Result<Wish, Failure> {
        let settings = self.settings();
        let word = request.target.named().or(settings.default_account.as_deref());
        let providers = self.0.providers.all();
        let by_name =
            providers.iter().find(|provider| Some(provider.settings().name.as_str()) == word);
        if let Some(provider) = by_name {
            let provider = Arc::clone(provider);
            return Ok(Wish { provider, request, expected: None, opener });
        }
        match (word, providers.as_slice()) {
            (None, [provider]) => {
                Ok(Wish { provider: Arc::clone(provider), request, expected: None, opener })
            }
            (None, []) => Err(Failure::new(
                Code::ConfigInvalid,
                "no provider is configured",
                self.login_hint(None),
            )),
            (None, _) => Err(Failure::new(
                Code::AmbiguousAccount,
                "several providers are configured",
                "brokerctl login PROVIDER",
            )),
            (Some(_), _) => {
                let account = self.resolve(caller, &request.target)?;
                let provider = self.0.providers.get(&account.provider)?;
                Ok(Wish { provider, request, expected: Some(account.id), opener })
            }
        }
    }

    /// What an app gets without a person: its account, if a token can be had; `None` if a person
    /// is needed.
    async fn try_silently(&self, caller: &Caller, wish: &Wish) -> Option<Phase> {
        let request = TokenRequest {
            account: wish.request.target.clone(),
            resources: wish.request.resources.clone(),
            scopes: wish.request.scopes.clone(),
            need: authbroker_core::lifecycle::Need::default(),
        };
        match self.token(caller, request).await {
            Ok(given) => Some(Phase::Done(given.account.id)),
            Err(failure)
                if matches!(failure.code, Code::InteractionRequired | Code::NoSuchAccount) =>
            {
                None
            }
            Err(failure) => Some(Phase::Failed(failure)),
        }
    }

    async fn follow(&self, wish: Wish, phases: &mpsc::Sender<Phase>) {
        let mut sign_in = self.0.sign_ins.join(wish);
        loop {
            let phase = sign_in.next().await;
            let last = matches!(phase, Phase::Done(_) | Phase::Failed(_));
            if phases.send(phase).await.is_err() || last {
                return;
            }
        }
    }

    async fn leave(
        &self,
        account: Account,
        reach: SignOutReach,
        opener: Opener,
        phases: mpsc::Sender<Phase>,
    ) {
        let report = match self.0.sessions.sign_out(&account.id, reach).await {
            Ok(report) => report,
            Err(failure) => return drop(phases.send(Phase::Failed(failure)).await),
        };
        tracing::info!(account = %account.id, "signed out: {}", words(&report));
        let _left = phases.send(Phase::Report(words(&report))).await;
        if let Some(url) = self.end_session(&account, &report).await {
            if opener == Opener::Broker && browser::open(&url).await.is_ok() {
                let _left = phases.send(Phase::BrowserOpened).await;
            } else {
                let _left = phases.send(Phase::EndSession(url)).await;
            }
        }
        let _left = phases.send(Phase::Done(account.id)).await;
    }

    /// The address that ends the session at the provider too, where it has one.
    async fn end_session(&self, account: &Account, report: &SignOutReport) -> Option<url::Url> {
        let (SignOutReport::Revoked { id_token } | SignOutReport::NotRevoked { id_token, .. }) =
            report
        else {
            return None;
        };
        let provider = self.0.providers.get(&account.provider).ok()?;
        let metadata = provider.metadata().await.ok()?;
        provider.end_session_url(&metadata, id_token.as_ref()?)
    }
}

/// Runs a request that waits for a person; it ends when nobody listens to it any more.
fn pending<F>(run: impl FnOnce(mpsc::Sender<Phase>) -> F) -> Pending
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(16);
    let work = run(sender.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = work => {}
            () = sender.closed() => {}
        }
    });
    Pending(receiver)
}

/// The contract's word for how an account stands, and why.
fn view(seen: Seen) -> AccountView {
    let (state, reason) = match &seen.standing {
        Standing::Ready => ("ready", String::new()),
        Standing::Unsaved => {
            ("ready", "the disk refuses to keep this sign-in: it ends with the daemon".to_owned())
        }
        Standing::Offline(failure) => ("offline", failure.message.clone()),
        Standing::Unreadable(failure) => ("vault-locked", failure.message.clone()),
        Standing::Ended(Ending::ByProvider) => {
            ("revoked", "the provider ended this sign-in".to_owned())
        }
        Standing::Ended(Ending::Interrupted) => {
            ("interaction-required", "a renewal was interrupted".to_owned())
        }
        Standing::Ended(Ending::NoRefreshToken) => {
            ("interaction-required", "the access token has run out".to_owned())
        }
        Standing::Leaving | Standing::SignedOut => {
            ("interaction-required", "being signed out".to_owned())
        }
    };
    AccountView { account: seen.account, state, reason, since: seen.since }
}

fn problem(seen: &Seen) -> Option<String> {
    let view = view(seen.clone());
    (!view.reason.is_empty()).then(|| format!("{}: {}", view.account.id, view.reason))
}

/// What the provider did, in a sentence.
fn words(report: &SignOutReport) -> String {
    match report {
        SignOutReport::Revoked { .. } => "the provider revoked the tokens".to_owned(),
        SignOutReport::OnlyForgotten => "forgotten here; the provider was not told".to_owned(),
        SignOutReport::NotRevoked { failure, .. } => {
            format!("forgotten here, but not revoked at the provider: {}", failure.message)
        }
    }
}

/// Names the account's provider in the way out.
fn for_account(mut failure: Failure, account: &Account) -> Failure {
    if failure.code == Code::InteractionRequired {
        failure.hint = format!("brokerctl login {}", account.provider);
    }
    failure
}

fn too_slow() -> Failure {
    let message = format!("the provider did not answer within {} seconds", SILENT_LIMIT.as_secs());
    Failure::new(Code::ProviderUnavailable, message, "try again in a moment")
}
