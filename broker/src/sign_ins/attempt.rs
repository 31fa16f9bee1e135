//! One sign-in, until its tokens are kept: by default a run through the browser, from the address
//! that it is sent to. (With a code for another device: `device`.)

use std::sync::Arc;
use std::time::Duration;

use authbroker_core::account::{Grant, Memory};
use authbroker_core::audit::Event;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::ids::{AccountId, Stamp};
use authbroker_core::secret::Secret;
use authbroker_core::sign_in::{Entropy, SignIn, Verdict};
use tokio::sync::{oneshot, watch};
use url::Url;

use super::words::{broken, refused, sentence, timed_out};
use super::{Opener, Phase, Shared, Wish};
use crate::config::Flow;
use crate::platform::fault_point::{FaultPoint, reach};
use crate::services::browser;
use crate::services::oidc::loopback::{Heard, Judge, Listening, Loopback, Page};
use crate::services::oidc::{Authorization, Metadata, SignedIn};
use crate::services::vault::Prompt;

/// How long a person may take. Typing a second factor takes time; a forgotten tab should not hold
/// a port for ever.
const PATIENCE: Duration = Duration::from_mins(10);

/// One sign-in under way.
pub(super) struct Attempt {
    pub(super) shared: Arc<Shared>,
    pub(super) wish: Wish,
    pub(super) phases: watch::Sender<Vec<Phase>>,
}

/// What is known when the browser has been sent off.
struct Sent {
    metadata: Arc<Metadata>,
    authorization: Authorization,
    sign_in: Arc<SignIn>,
    redirect_uri: String,
    listening: Listening<Verdict>,
}

impl Attempt {
    pub(super) async fn run(self) {
        let phase = match self.sign_in().await {
            Ok(id) => {
                self.shared.audit.record(self.wish.record(Event::SignIn).about(&id));
                Phase::Done(id)
            }
            Err(failure) => {
                self.shared.audit.record(self.wish.record(Event::SignInFailed).failed(&failure));
                tracing::warn!(%failure, "a sign-in failed");
                Phase::Failed(failure)
            }
        };
        self.tell(phase);
    }

    pub(super) fn tell(&self, phase: Phase) {
        self.phases.send_modify(|phases| phases.push(phase));
    }

    async fn sign_in(&self) -> Result<AccountId, Failure> {
        let begun = self.shared.sessions.stamp();
        // A sign-in that could not be kept should not begin.
        self.shared.vault.ready(Prompt::Allowed).await.map_err(|error| error.to_failure())?;
        match self.wish.flow() {
            Flow::Device => self.with_code(begun).await,
            Flow::Browser | Flow::ClientCredentials => self.with_browser(begun).await,
        }
    }

    async fn with_browser(&self, begun: Stamp) -> Result<AccountId, Failure> {
        let mut sent = self.send_off().await?;
        let (verdict, page) = self.wait_for_answer(&mut sent.listening).await?;
        let result = match verdict {
            Verdict::Code(code) => self.finish(begun, &sent, &code).await,
            Verdict::Refused(refusal) => Err(refused(&refusal)),
            Verdict::Broken(breach) => Err(broken(&breach.to_string())),
            Verdict::Stray => Err(broken("a stray answer was taken for the real one")),
        };
        let _tab_closed = page.send(match &result {
            Ok((_, label)) => Page::signed_in(label),
            Err(failure) => Page::failed(&sentence(&failure.message)),
        });
        sent.listening.finish().await;
        reach(FaultPoint::SignInAnswered);
        result.map(|(id, _)| id)
    }

    /// Exchanges the code, and gives what it brings to the account's session.
    async fn finish(
        &self,
        begun: Stamp,
        sent: &Sent,
        code: &Secret,
    ) -> Result<(AccountId, String), Failure> {
        self.tell(Phase::Exchanging);
        // Somebody may have locked it meanwhile: a code that is not exchanged is nothing lost.
        self.shared.vault.ready(Prompt::Never).await.map_err(|error| error.to_failure())?;
        reach(FaultPoint::SignInCode);
        let Sent { metadata, authorization, sign_in, redirect_uri, .. } = sent;
        let provider = &self.wish.provider;
        let exchange = provider.exchange(metadata, authorization, sign_in, redirect_uri, code);
        let signed_in = exchange.await;
        reach(FaultPoint::SignInExchanged);
        self.take_up(begun, signed_in?).await
    }

    /// Prepares the attempt and sends the browser to the provider.
    async fn send_off(&self) -> Result<Sent, Failure> {
        let provider = &self.wish.provider;
        let settings = provider.settings();
        let metadata = provider.metadata().await?;
        let loopback = Loopback::bind(&settings.redirect, &settings.ports).await?;
        let sign_in = Arc::new(SignIn::begin(&entropy()?, settings.issuer.clone(), metadata.iss));
        let before = self.granted_before().await;
        let authorization =
            provider.authorization(&metadata, &self.wish.request, before.as_ref())?;
        let redirect_uri = loopback.redirect_uri();
        let url =
            provider.authorization_url(&metadata, &authorization, &sign_in, &redirect_uri).await?;
        let listening = loopback.listen(judge_of(&sign_in));
        self.tell(Phase::Url(url.clone()));
        if self.wish.opener == Opener::Broker {
            self.open_browser(&url).await;
        }
        Ok(Sent { metadata, authorization, sign_in, redirect_uri, listening })
    }

    /// What the account was granted that signs in again.
    pub(super) async fn granted_before(&self) -> Option<Grant> {
        let id = self.wish.expected.as_ref()?;
        if let Some(grant) = self.shared.sessions.grant(id) {
            return Some(grant);
        }
        match self.shared.vault.recall(id).await {
            Ok(Some(Memory::Granted(grant) | Memory::Interrupted(grant))) => Some(grant),
            _ => None,
        }
    }

    pub(super) async fn open_browser(&self, url: &Url) {
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
        listening: &mut Listening<Verdict>,
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
    pub(super) async fn take_up(
        &self,
        begun: Stamp,
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

/// Who knows the state ends the attempt, and nobody else.
fn judge_of(sign_in: &Arc<SignIn>) -> Judge<Verdict> {
    let sign_in = Arc::clone(sign_in);
    Arc::new(move |query| Some(sign_in.judge(query)).filter(|verdict| *verdict != Verdict::Stray))
}

fn entropy() -> Result<Entropy, Failure> {
    let mut bytes = [0; 96];
    let filled = aws_lc_rs::rand::fill(&mut bytes);
    filled.map_err(|_| {
        Failure::new(Code::Internal, "this machine gives no random numbers", "restart it")
    })?;
    Ok(bytes)
}
