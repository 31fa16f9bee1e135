//! What to do when an API refuses a token.
//!
//! The app reports what the API said; the broker does what can be done without a person, once, and
//! says whether it is worth trying again.

use std::sync::Arc;
use std::time::Duration;

use authbroker_core::account::Account;
use authbroker_core::audit::{Event, Fingerprint, Record};
use authbroker_core::caller::Caller;
use authbroker_core::challenge::{Remedy, remedy};
use authbroker_core::failure::{Code, Failure, StepUp};
use authbroker_core::lifecycle::Need;
use authbroker_core::origin::Origin;
use authbroker_core::request::TokenRequest;
use authbroker_core::scope::ScopeSet;
use authbroker_core::token::{AccessToken, TokenType};
use url::Url;

use super::Broker;
use super::access::Patience;
use crate::platform::clock;
use crate::services::oidc::dpop;

/// A token that an API refuses although it is younger than this is as good as the provider makes
/// them: another one would be refused, too.
const AS_GOOD_AS_NEW: Duration = Duration::from_secs(10);

/// What an API answered.
#[derive(Debug, Clone)]
pub struct ChallengeReport {
    /// The request that the token was asked for with.
    pub token: TokenRequest,
    /// Where it went.
    pub uri: Url,
    /// The answer's status.
    pub status: u16,
    /// Its `WWW-Authenticate` headers.
    pub www_authenticate: Vec<String>,
    /// Its `DPoP-Nonce` header.
    pub dpop_nonce: Option<String>,
    /// The hash of the token that was presented.
    pub ath: Option<String>,
}

/// What is worth doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// The request again, with headers asked for anew.
    Retry(Terms),
    /// A person must act first.
    InteractionRequired(Terms),
    /// Nothing that the broker knows of.
    NotMine(&'static str),
}

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// The scopes, where others are needed.
    pub scopes: ScopeSet,
    /// How the sign-in must be, where another is needed.
    pub step_up: StepUp,
    /// How the token must be presented, where that matters.
    pub token_type: Option<TokenType>,
}

impl Reaction {
    /// The word for it on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::InteractionRequired(_) => "interaction-required",
            Self::NotMine(_) => "not-mine",
        }
    }
}

/// What the record says of a report.
struct Told {
    request: TokenRequest,
    origin: String,
    status: u16,
    fingerprint: Option<Fingerprint>,
}

impl Told {
    fn of(report: &ChallengeReport) -> Self {
        let origin = Origin::of(&report.uri).map(|origin| origin.to_string());
        Self {
            request: report.token.clone(),
            origin: origin.unwrap_or_default(),
            status: report.status,
            fingerprint: report.ath.as_deref().and_then(Fingerprint::of_ath),
        }
    }
}

impl Broker {
    /// What to do about an API's refusal.
    pub async fn report_challenge(
        &self,
        caller: &Caller,
        report: ChallengeReport,
    ) -> Result<Reaction, Failure> {
        let told = Told::of(&report);
        let reaction = self.react(caller, report).await;
        match &reaction {
            Ok(Reaction::NotMine(_)) => {}
            Ok(reaction) => self.record_challenge(caller, told, reaction),
            Err(failure) => self.record_token(caller, &told.request, Err(failure)),
        }
        reaction
    }

    fn record_challenge(&self, caller: &Caller, told: Told, reaction: &Reaction) {
        let Told { request, origin, status, fingerprint } = told;
        let said = format!("{origin} answered {status}: {}", reaction.name());
        let account = self.resolve(caller, &request.account).ok().map(|account| account.id.clone());
        let record = Record {
            account,
            resources: request.resources,
            scopes: request.scopes,
            fingerprint,
            correlation_id: request.correlation_id,
            ..Record::of(Event::Challenge)
        };
        self.record(record.by(caller).saying(said));
    }

    async fn react(
        &self,
        caller: &Caller,
        mut report: ChallengeReport,
    ) -> Result<Reaction, Failure> {
        self.admit(caller)?;
        self.narrow(caller, &mut report.token)?;
        let account = self.resolve(caller, &report.token.account)?;
        let Ok(resources) = self.resources_at(&account, &report.uri, &report.token.resources)
        else {
            return Ok(Reaction::NotMine("no API of this account lives there"));
        };
        let scopes = &report.token.scopes;
        self.allowed(caller, &account, &resources, scopes, Patience::Settled).await?;
        report.token.resources = resources;
        if let (Some(origin), Some(nonce)) = (Origin::of(&report.uri), &report.dpop_nonce) {
            self.0.nonces.note(origin, nonce);
        }
        let presented = report.token.token_type.unwrap_or_else(|| self.usual_type(&account));
        report.token.token_type = None;
        let challenges = report.www_authenticate.iter().map(String::as_str);
        match remedy(report.status, challenges, presented) {
            None => Ok(Reaction::NotMine("no token would help")),
            Some(Remedy::Proof) if report.dpop_nonce.is_some() => {
                Ok(Reaction::Retry(Terms::default()))
            }
            Some(Remedy::Proof) => Ok(Reaction::NotMine("the API gives no nonce for the proof")),
            Some(Remedy::Binding) => Ok(Reaction::InteractionRequired(Terms {
                token_type: Some(TokenType::DPoP),
                ..Terms::default()
            })),
            Some(Remedy::Renewal) => self.renew(account, report).await,
            Some(Remedy::Scopes(scopes)) => Ok(self.widen(&account, &report, &scopes)),
            Some(Remedy::StepUp(step_up)) => self.step_up(account, report, step_up).await,
        }
    }

    /// How this account's tokens are presented.
    fn usual_type(&self, account: &Account) -> TokenType {
        match self.0.sessions.grant(&account.id).and_then(|grant| grant.dpop_key) {
            Some(_) => TokenType::DPoP,
            None => TokenType::Bearer,
        }
    }

    /// Gets a new token, unless there is a newer one than was presented, or none newer can be had.
    async fn renew(
        &self,
        account: Arc<Account>,
        mut report: ChallengeReport,
    ) -> Result<Reaction, Failure> {
        let now = clock::now().boot;
        let held = self.held(&account, &report.token);
        let newer = |token: &AccessToken| {
            report.ath.as_ref().is_some_and(|ath| *ath != dpop::hash(token.value.as_secret()))
        };
        match held {
            Some(token) if newer(&token) => return Ok(Reaction::Retry(Terms::default())),
            Some(token) if token.issued.until(now) < AS_GOOD_AS_NEW => {
                return Ok(Reaction::NotMine("the token is as new as the provider makes them"));
            }
            _ => {}
        }
        report.token.need = Need::Renewed;
        let terms = Terms::default();
        after(self.token_of(account, &report.token).await.map(drop), terms.clone(), terms)
    }

    /// A token with more scopes, where the sign-in covers them.
    fn widen(&self, account: &Account, report: &ChallengeReport, scopes: &ScopeSet) -> Reaction {
        let asked = &report.token.scopes;
        let terms = Terms { scopes: asked.union(scopes), ..Terms::default() };
        let granted = self.0.sessions.grant(&account.id).map(|grant| grant.scopes);
        let covered = granted.is_some_and(|granted| scopes.is_subset(&granted));
        // Who asked for no scope by name has all that were granted.
        if covered && !asked.is_empty() && !scopes.is_subset(asked) {
            Reaction::Retry(terms)
        } else {
            Reaction::InteractionRequired(terms)
        }
    }

    /// The stronger token, where there is one and it is not the one that was refused.
    async fn step_up(
        &self,
        account: Arc<Account>,
        mut report: ChallengeReport,
        step_up: StepUp,
    ) -> Result<Reaction, Failure> {
        report.token.acr_values.clone_from(&step_up.acr_values);
        report.token.max_age = step_up.max_age;
        let terms = Terms { step_up, ..Terms::default() };
        let given = self.token_of(account, &report.token).await;
        match &given {
            Ok(given) if report.ath == Some(dpop::hash(given.access.value.as_secret())) => {
                Ok(Reaction::InteractionRequired(terms))
            }
            _ => after(given.map(drop), terms.clone(), terms),
        }
    }

    /// The token that the same request would be given now.
    fn held(&self, account: &Account, request: &TokenRequest) -> Option<Arc<AccessToken>> {
        let key = self.key(account, request).ok()?;
        self.0.sessions.held(&account.id, &key)
    }
}

/// What follows from the attempt to get another token.
fn after(
    attempt: Result<(), Failure>,
    retry: Terms,
    interaction: Terms,
) -> Result<Reaction, Failure> {
    match attempt {
        Ok(()) => Ok(Reaction::Retry(retry)),
        Err(failure)
            if matches!(failure.code, Code::InteractionRequired | Code::StepUpRequired) =>
        {
            Ok(Reaction::InteractionRequired(interaction))
        }
        Err(failure) => Err(failure),
    }
}
