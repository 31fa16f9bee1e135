//! Requests that wait for a person: sign-ins and sign-outs, told phase by phase.

use std::sync::Arc;

use authbroker_core::account::{Account, Person};
use authbroker_core::caller::Caller;
use authbroker_core::failure::{Code, Failure, printable};
use authbroker_core::lifecycle::{Need, SignOutReport};
use authbroker_core::request::{SignInRequest, SignOutRequest, TokenRequest};
use authbroker_core::time::UnixTime;
use tokio::sync::mpsc;

use super::access::Patience;
use super::view::words;
use super::{Broker, Given, Pending};
use crate::config::Flow;
use crate::services::browser;
use crate::services::oidc::EndSession;
use crate::services::vault::Prompt;
use crate::sign_ins::{Opener, Phase, Wish};

impl Broker {
    /// Whether a caller may send a person to sign in: it must be allowed to have what it asks for.
    /// Gives the account that is meant, if it is there already.
    pub(super) async fn may_sign_in(
        &self,
        caller: &Caller,
        wish: &Wish,
        phases: &mpsc::Sender<Phase>,
    ) -> Result<Option<Arc<Account>>, Failure> {
        let request = silent_request(&wish.request);
        let known = match self.resolve(caller, &request.account) {
            Err(failure) if failure.code == Code::NoSuchAccount => None,
            found => Some(found?),
        };
        // Nobody has an id before they have signed in: the rules about the provider hold.
        let nobody =
            || wish.provider.account(String::new(), Person::default(), UnixTime::default());
        let account = known.clone().unwrap_or_else(|| Arc::new(nobody()));
        let resources = self.key(&account, &request)?.resources;
        let correlation_id = request.correlation_id.as_deref();
        let patience = Patience::MayAsk { phases, correlation_id };
        self.allowed(caller, &account, &resources, &request.scopes, patience).await?;
        Ok(known)
    }

    /// What an app that may have it gets without a person: its account, if a token can be had;
    /// `None` if a person is needed.
    pub(super) async fn try_silently(
        &self,
        caller: &Caller,
        account: Arc<Account>,
        wish: &Wish,
    ) -> Option<Phase> {
        let request = silent_request(&wish.request);
        let mut answer = self.token_of(account.clone(), &request).await;
        if fails_with(&answer, Code::VaultLocked)
            && self.0.vault.ready(Prompt::Allowed).await.is_ok()
        {
            // A person is at hand, and has opened the keyring.
            answer = self.token_of(account, &request).await;
        }
        let beyond =
            |given: &Given| self.not_beyond(caller, &given.account, &request.scopes, &given.access);
        match answer.and_then(|given| beyond(&given).map(|()| given)) {
            Ok(given) => Some(Phase::Done(given.account.id.clone())),
            Err(failure) if needs_person(failure.code) => None,
            Err(failure) => Some(Phase::Failed(failure)),
        }
    }

    /// Follows a sign-in to its end. A client of its own needs none: it asks the provider whether
    /// its credentials are good.
    pub(super) async fn follow(&self, wish: Wish, phases: &mpsc::Sender<Phase>) {
        if wish.provider.settings().flow == Flow::ClientCredentials {
            let phase = self.prove_client(&wish).await;
            self.record_client(&wish, &phase);
            return drop(phases.send(phase).await);
        }
        let mut sign_in = self.0.sign_ins.join(wish);
        loop {
            let phase = sign_in.next().await;
            let last = matches!(phase, Phase::Done(_) | Phase::Failed(_));
            if phases.send(phase).await.is_err() || last {
                return;
            }
        }
    }

    async fn prove_client(&self, wish: &Wish) -> Phase {
        let settings = wish.provider.settings();
        let client_id = settings.client_id.clone();
        let account = wish.provider.account(client_id, Person::default(), UnixTime::default());
        let request = TokenRequest { need: Need::Renewed, ..silent_request(&wish.request) };
        match self.token_of(Arc::new(account), &request).await {
            Ok(given) => Phase::Done(given.account.id.clone()),
            Err(failure) => Phase::Failed(failure),
        }
    }

    pub(super) async fn leave(
        &self,
        caller: &Caller,
        account: Arc<Account>,
        request: &SignOutRequest,
        opener: Opener,
        phases: mpsc::Sender<Phase>,
    ) {
        let answer = self.0.sessions.sign_out(&account.id, request.reach).await;
        self.record_sign_out(caller, request, Some(&account.id), answer.as_ref().map(words));
        let report = match answer {
            Ok(report) => report,
            Err(failure) => return drop(phases.send(Phase::Failed(failure)).await),
        };
        let correlation_id = request.correlation_id.as_deref().map(printable);
        tracing::info!(account = %account.id, correlation_id, "signed out: {}", words(&report));
        let _left = phases.send(Phase::Report(words(&report))).await;
        if let Some(end_session) = self.end_session(&account, &report).await {
            let _left = phases.send(show_end_session(&end_session.url, opener).await).await;
            end_session.welcome_back();
        }
        let _left = phases.send(Phase::Done(account.id.clone())).await;
    }

    /// The way to end the session at the provider too, where it has one.
    async fn end_session(&self, account: &Account, report: &SignOutReport) -> Option<EndSession> {
        let (SignOutReport::Revoked { id_token } | SignOutReport::NotRevoked { id_token, .. }) =
            report
        else {
            return None;
        };
        let provider = self.0.providers.get(&account.provider).ok()?;
        let metadata = provider.metadata().await.ok()?;
        provider.end_session(&metadata, id_token.as_ref()?).await
    }
}

/// The request for a token that a sign-in would answer.
pub(super) fn silent_request(request: &SignInRequest) -> TokenRequest {
    TokenRequest {
        account: request.target.clone(),
        resources: request.resources.clone(),
        scopes: request.scopes.clone(),
        need: Need::default(),
        acr_values: request.acr_values.clone(),
        max_age: request.max_age,
        token_type: request.token_type,
        timeout: None,
        correlation_id: request.correlation_id.clone(),
    }
}

/// Whether a sign-in helps. It takes the place of a record that is broken, too.
const fn needs_person(code: Code) -> bool {
    matches!(
        code,
        Code::InteractionRequired | Code::StepUpRequired | Code::NoSuchAccount | Code::VaultDamaged
    )
}

fn fails_with(answer: &Result<Given, Failure>, code: Code) -> bool {
    answer.as_ref().is_err_and(|failure| failure.code == code)
}

/// Brings the browser to the end of its session. The address holds an ID token: it goes to the
/// broker's own user at the admin tool, and to no app and no signal.
async fn show_end_session(url: &url::Url, opener: Opener) -> Phase {
    match opener {
        Opener::Caller => Phase::EndSession(url.clone()),
        Opener::Broker => match browser::open(url).await {
            Ok(()) => Phase::BrowserOpened,
            Err(error) => Phase::Report(format!("{error}; the browser's own session goes on")),
        },
    }
}

/// Runs a request that waits for a person; it ends when nobody listens to it any more.
pub(super) fn pending<F>(run: impl FnOnce(mpsc::Sender<Phase>) -> F) -> Pending
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
