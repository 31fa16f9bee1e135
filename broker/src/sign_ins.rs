//! Sign-ins under way: one browser each, however many wait for it.
//!
//! 1. Whoever asks for the same sign-in at the same time joins the one that runs.
//! 2. Its phases are kept as they come, so that one who joins late hears them all.
//! 3. When the last one has lost interest, the attempt ends and its port is closed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use authbroker_core::failure::{Code, Failure};
use authbroker_core::ids::{AccountId, ProviderName};
use authbroker_core::request::{AccountRef, SignInRequest};
use authbroker_core::sign_in::{Entropy, Refusal, SignIn, Verdict};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use crate::services::browser;
use crate::services::oidc::loopback::{Heard, Listening, Loopback, Page};
use crate::services::oidc::{Authorization, Metadata, Oidc, SignedIn};
use crate::services::vault::{Prompt, Vault};
use crate::sessions::Sessions;

/// How long a person may take. Typing a second factor takes time; a forgotten tab should not hold
/// a port for ever.
const PATIENCE: Duration = Duration::from_mins(10);

/// How a request that waits for a person goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The browser is to go here.
    Url(Url),
    /// It was opened.
    BrowserOpened,
    /// It could not be opened: the person may open the address by hand.
    BrowserMissing,
    /// Something came back that does not know this sign-in's state. The wait goes on.
    RejectedAnswer,
    /// The code came and is being exchanged.
    Exchanging,
    /// What the provider did when an account was signed out.
    Report(String),
    /// The browser is to go here, to end the session at the provider too.
    EndSession(Url),
    /// It is done.
    Done(AccountId),
    /// It did not work.
    Failed(Failure),
}

/// Who opens the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opener {
    /// The broker, for an app.
    Broker,
    /// The caller, from where the person sits.
    Caller,
}

/// One sign-in, as it was asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// At which provider.
    pub provider: Arc<Oidc>,
    /// What for.
    pub request: SignInRequest,
    /// The account that must come out of it, where one was named.
    pub expected: Option<AccountId>,
    /// Who opens the browser.
    pub opener: Opener,
}

/// What makes two wishes the same.
type Likeness = (ProviderName, SignInRequest, Option<AccountId>, Opener);

/// The sign-ins under way.
#[derive(Debug, Clone)]
pub struct SignIns(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sessions: Sessions,
    vault: Vault,
    // A std mutex: held to look up or enter, never across an await.
    running: Mutex<HashMap<Likeness, Weak<Running>>>,
}

#[derive(Debug)]
struct Running {
    phases: watch::Receiver<Vec<Phase>>,
    _ends_when_dropped: DropGuard,
}

/// One party to a sign-in. Dropping it gives up the interest.
#[derive(Debug)]
pub struct Participation {
    _interest: Arc<Running>,
    phases: watch::Receiver<Vec<Phase>>,
    told: usize,
}

impl Participation {
    /// Waits for the next phase. The last is [`Phase::Done`] or [`Phase::Failed`].
    pub async fn next(&mut self) -> Phase {
        loop {
            if let Some(phase) = self.phases.borrow_and_update().get(self.told) {
                self.told += 1;
                return phase.clone();
            }
            if self.phases.changed().await.is_err() {
                return Phase::Failed(Failure::new(
                    Code::Internal,
                    "the sign-in ended without a word",
                    "try again",
                ));
            }
        }
    }
}

impl SignIns {
    /// Prepares for sign-ins.
    pub fn new(sessions: Sessions, vault: Vault) -> Self {
        Self(Arc::new(Shared { sessions, vault, running: Mutex::default() }))
    }

    /// Joins the sign-in that is wished for, or begins it.
    pub fn join(&self, wish: Wish) -> Participation {
        let likeness = likeness(&wish);
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|_, sign_in| sign_in.strong_count() > 0);
        let known = running.get(&likeness).and_then(Weak::upgrade);
        let open = known.filter(|sign_in| !is_over(&sign_in.phases.borrow()));
        let sign_in = open.unwrap_or_else(|| {
            let started = self.start(wish);
            running.insert(likeness, Arc::downgrade(&started));
            started
        });
        let phases = sign_in.phases.clone();
        Participation { _interest: sign_in, phases, told: 0 }
    }

    fn start(&self, wish: Wish) -> Arc<Running> {
        let (sender, phases) = watch::channel(Vec::new());
        let cancel = CancellationToken::new();
        let attempt = Attempt { shared: Arc::clone(&self.0), wish, phases: sender };
        let given_up = cancel.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = attempt.run() => {}
                () = given_up.cancelled() => tracing::info!("a sign-in was given up"),
            }
        });
        Arc::new(Running { phases, _ends_when_dropped: cancel.drop_guard() })
    }
}

fn likeness(wish: &Wish) -> Likeness {
    let name = wish.provider.settings().name.clone();
    // The target has been looked up: whatever way it was named, the sign-in is the same.
    let request = SignInRequest { target: AccountRef::default(), ..wish.request.clone() };
    (name, request, wish.expected.clone(), wish.opener)
}

fn is_over(phases: &[Phase]) -> bool {
    matches!(phases.last(), Some(Phase::Done(_) | Phase::Failed(_)))
}

/// One run through the browser.
struct Attempt {
    shared: Arc<Shared>,
    wish: Wish,
    phases: watch::Sender<Vec<Phase>>,
}

/// What is known when the browser has been sent off.
struct Sent {
    metadata: Arc<Metadata>,
    authorization: Authorization,
    sign_in: Arc<SignIn>,
    listening: Listening,
}

impl Attempt {
    async fn run(self) {
        let phase = match self.sign_in().await {
            Ok(id) => Phase::Done(id),
            Err(failure) => {
                tracing::warn!(provider = %self.wish.provider.settings().name, %failure, "a sign-in failed");
                Phase::Failed(failure)
            }
        };
        self.tell(phase);
    }

    fn tell(&self, phase: Phase) {
        self.phases.send_modify(|phases| phases.push(phase));
    }

    async fn sign_in(&self) -> Result<AccountId, Failure> {
        let begun = self.shared.sessions.stamp();
        // A sign-in that could not be kept should not begin.
        self.shared.vault.ready(Prompt::Allowed).await.map_err(|error| error.to_failure())?;
        let mut sent = self.send_off().await?;
        let (verdict, page) = self.wait_for_answer(&mut sent.listening).await?;
        let result = match verdict {
            Verdict::Code(code) => {
                self.tell(Phase::Exchanging);
                let provider = &self.wish.provider;
                let signed_in = provider
                    .exchange(&sent.metadata, &sent.authorization, &sent.sign_in, &code)
                    .await;
                match signed_in {
                    Ok(signed_in) => self.take_up(begun, signed_in).await,
                    Err(failure) => Err(failure),
                }
            }
            Verdict::Refused(refusal) => Err(refused(&refusal)),
            Verdict::Broken(breach) => Err(broken(&breach.to_string())),
            Verdict::Stray => Err(broken("a stray answer was taken for the real one")),
        };
        let _tab_closed = page.send(match &result {
            Ok((_, label)) => Page::signed_in(label),
            Err(failure) => Page::failed(&sentence(&failure.message)),
        });
        sent.listening.finish().await;
        result.map(|(id, _)| id)
    }

    /// Prepares the attempt and sends the browser to the provider.
    async fn send_off(&self) -> Result<Sent, Failure> {
        let provider = &self.wish.provider;
        let settings = provider.settings();
        let metadata = provider.metadata().await?;
        let loopback = Loopback::bind(&settings.redirect, &settings.ports).await?;
        let sign_in = Arc::new(SignIn::begin(&entropy()?, settings.issuer.clone(), metadata.iss));
        let authorization = provider.authorization(&self.wish.request, loopback.redirect_uri());
        let url =
            provider.authorization_url(&metadata, &authorization, &sign_in, &self.wish.request);
        let listening = loopback.listen(Arc::clone(&sign_in));
        self.tell(Phase::Url(url.clone()));
        if self.wish.opener == Opener::Broker {
            self.open_browser(&url).await;
        }
        Ok(Sent { metadata, authorization, sign_in, listening })
    }

    async fn open_browser(&self, url: &Url) {
        match browser::open(url).await {
            Ok(()) => self.tell(Phase::BrowserOpened),
            Err(error) => {
                tracing::warn!(%error, "the person has to open the address by hand");
                self.tell(Phase::BrowserMissing);
            }
        }
    }

    /// Waits until an answer comes that knows the state, for as long as a person is given.
    async fn wait_for_answer(
        &self,
        listening: &mut Listening,
    ) -> Result<(Verdict, oneshot::Sender<Page>), Failure> {
        let patience = self.wish.request.timeout.unwrap_or(PATIENCE);
        let mut strays = 0_u32;
        let answer = async {
            loop {
                match listening.next().await? {
                    Heard::Answer(verdict, page) => return Some((verdict, page)),
                    Heard::Stray => {
                        if strays == 0 {
                            self.tell(Phase::RejectedAnswer);
                        }
                        strays += 1;
                    }
                }
            }
        };
        match tokio::time::timeout(patience, answer).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => {
                Err(Failure::new(Code::Internal, "the sign-in's listener ended", "try again"))
            }
            Err(_) => Err(timed_out(patience, strays)),
        }
    }

    /// Gives what came back to the account's session.
    async fn take_up(
        &self,
        begun: authbroker_core::ids::Stamp,
        signed_in: SignedIn,
    ) -> Result<(AccountId, String), Failure> {
        let SignedIn { account, arrival } = signed_in;
        let id = account.id.clone();
        if self.wish.expected.as_ref().is_some_and(|expected| *expected != id) {
            let message = format!(
                "the sign-in was for {}, and {} signed in",
                self.wish.request.target.named().unwrap_or("another account"),
                account.username()
            );
            return Err(Failure::new(
                Code::UserDenied,
                message,
                "sign in as the same person, or add an account with brokerctl login",
            ));
        }
        let label = account.label().to_owned();
        self.shared.sessions.arrive(account, begun, arrival).await?;
        tracing::info!(account = %id, "signed in");
        Ok((id, label))
    }
}

fn entropy() -> Result<Entropy, Failure> {
    let mut bytes = [0; 96];
    let filled = aws_lc_rs::rand::fill(&mut bytes);
    filled.map_err(|_| {
        Failure::new(Code::Internal, "this machine gives no random numbers", "restart it")
    })?;
    Ok(bytes)
}

fn refused(refusal: &Refusal) -> Failure {
    let printable =
        |text: &str| text.chars().filter(|c| !c.is_control()).take(300).collect::<String>();
    let error = printable(&refusal.error);
    let (code, hint) = match error.as_str() {
        "access_denied" => (Code::UserDenied, "sign in again and agree, if that was not meant"),
        "invalid_scope" => (Code::InvalidScope, "check scopes in the configuration"),
        "invalid_target" => {
            (Code::InvalidTarget, "check resources and target in the configuration")
        }
        "temporarily_unavailable" | "server_error" => {
            (Code::ProviderUnavailable, "try again in a moment")
        }
        _ => (Code::ProviderError, "check the client's registration at the provider"),
    };
    let detail = refusal
        .description
        .as_deref()
        .map(|text| format!(": {}", printable(text)))
        .unwrap_or_default();
    Failure::new(code, format!("the provider answers {error}{detail}"), hint).oauth_error(error)
}

fn broken(what: &str) -> Failure {
    let message = format!("the answer was refused: {what}");
    Failure::new(Code::ProviderError, message, "try again; if it happens again, tell the provider")
}

fn timed_out(patience: Duration, strays: u32) -> Failure {
    let seconds = patience.as_secs();
    let mut message = format!("nobody finished the sign-in within {seconds} seconds");
    if strays > 0 {
        message.push_str("; an answer came whose state is not this sign-in's, and was ignored");
    }
    Failure::new(Code::TimedOut, message, "sign in again")
}

/// The message as a sentence of its own.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
