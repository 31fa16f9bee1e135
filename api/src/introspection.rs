//! Asks the issuer about a token ([RFC 7662]): for tokens that say nothing themselves, and for those
//! whose issuer may have taken them back.
//!
//! A signed token is good until it expires, whatever the issuer thinks of it meanwhile; asking is
//! the only way to know sooner. Each question is authenticated, and what the issuer said is believed
//! for `BELIEVED` at most. An issuer that does not answer is no reason to refuse the token, nor to
//! accept it: the caller is told to come back.
//!
//! [RFC 7662]: https://www.rfc-editor.org/rfc/rfc7662

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::Semaphore;
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::claims::RawClaims;
use crate::error::{Refusal, chain};
use crate::issuer::{Issuer, is_local_http};
use crate::provider::{AskError, NoClient, Provider, in_time};
use crate::secret::Secret;
use crate::verify::Invalid;

/// How long the issuer's word on a token counts: a token that is taken back works this long yet.
pub(crate) const BELIEVED: Duration = Duration::from_secs(30);

/// Questions at once. Tokens can be invented, so this bounds what a flood of them does to the issuer.
const MAX_QUESTIONS: usize = 64;

/// Given to callers while the issuer does not answer.
pub(crate) const PAUSE: Duration = Duration::from_secs(5);

/// Which tokens the issuer is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// Those that are no JWTs.
    #[default]
    Opaque,
    /// Its JWTs too, once their signature was found good: so that it can take them back.
    All,
}

/// Where and how to ask.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Introspection {
    /// The issuer that is asked; tokens that it vouches for are its own.
    pub issuer: Issuer,
    /// See [`Introspection::at`].
    endpoint: Option<Url>,
    /// This API's own client at the issuer.
    pub client_id: String,
    /// That client's secret, sent by HTTP Basic.
    pub secret: Secret,
    /// Which tokens it is asked about.
    pub asked: Asked,
}

impl Introspection {
    /// Asks an issuer about opaque tokens, at the endpoint that its metadata names.
    pub fn new(issuer: Issuer, client_id: String, secret: Secret) -> Self {
        Self { issuer, endpoint: None, client_id, secret, asked: Asked::Opaque }
    }

    /// The same at an endpoint that the issuer's metadata does not name. Tokens go there, and this
    /// API's secret: so it must be https, or http on this machine.
    pub fn at(self, endpoint: Url) -> Result<Self, InsecureEndpoint> {
        if endpoint.scheme() == "https" || is_local_http(&endpoint) {
            Ok(Self { endpoint: Some(endpoint), ..self })
        } else {
            Err(InsecureEndpoint)
        }
    }
}

/// What is sent to such an endpoint could be read on the way.
#[derive(Debug, thiserror::Error)]
#[error("must be https (http only for 127.0.0.1, [::1] and localhost)")]
pub struct InsecureEndpoint;

/// Asks one issuer.
pub(crate) struct Introspector {
    settings: Introspection,
    provider: Provider,
    slots: Semaphore,
    /// What the metadata named; asked for again after a failure, since it may have moved. A std
    /// mutex, because it is held for a clone and never across an `.await`.
    endpoint: Mutex<Option<Url>>,
}

/// The one member that every answer has ([RFC 7662 §2.2]).
///
/// [RFC 7662 §2.2]: https://www.rfc-editor.org/rfc/rfc7662#section-2.2
#[derive(Deserialize)]
struct Activity {
    active: bool,
    token_type: Option<String>,
    cnf: Option<IgnoredAny>,
}

impl Introspector {
    pub(crate) fn new(settings: Introspection) -> Result<Self, NoClient> {
        let provider = Provider::new(settings.issuer.clone())?;
        let endpoint = Mutex::new(settings.endpoint.clone());
        Ok(Self { settings, provider, slots: Semaphore::new(MAX_QUESTIONS), endpoint })
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        self.provider.issuer()
    }

    /// Whether a good JWT of this issuer is asked about too.
    pub(crate) fn confirms(&self, iss: &str) -> bool {
        self.settings.asked == Asked::All && self.issuer().as_str() == iss
    }

    /// Has what the issuer says of a token that is active judged.
    pub(crate) async fn ask<T>(
        &self,
        token: &str,
        judge: impl FnOnce(RawClaims<'_>) -> Result<T, Invalid>,
    ) -> Result<T, Refusal> {
        let _slot = self.slots.try_acquire().map_err(|_| Refusal::IntrospectionUnavailable)?;
        let body = in_time(self.question(token)).await.map_err(|error| self.failed(&error))?;
        let read = |error: serde_json::Error| self.failed(&AskError::Useless(error.into()));
        let activity: Activity = serde_json::from_slice(&body).map_err(read)?;
        if !activity.active || !activity.is_access_token() || activity.lacks_its_key() {
            return Err(Invalid::Inactive.into());
        }
        Ok(judge(serde_json::from_slice(&body).map_err(read)?)?)
    }

    async fn question(&self, token: &str) -> Result<Vec<u8>, AskError> {
        let Introspection { client_id, secret, .. } = &self.settings;
        let form = [("token", token), ("token_type_hint", "access_token")];
        let request = self.provider.client().post(self.endpoint().await?).form(&form);
        // RFC 6749 §2.3.1: both are form-encoded first.
        let request = request.basic_auth(encoded(client_id), Some(encoded(secret.expose())));
        Ok(self.provider.ask(request.header("accept", "application/json")).await?.body)
    }

    async fn endpoint(&self) -> Result<Url, AskError> {
        if let Some(known) = self.known_endpoint().clone() {
            return Ok(known);
        }
        let named = self.provider.metadata().await?.introspection_endpoint;
        let endpoint = self.provider.endpoint(named)?;
        *self.known_endpoint() = Some(endpoint.clone());
        Ok(endpoint)
    }

    fn known_endpoint(&self) -> std::sync::MutexGuard<'_, Option<Url>> {
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &AskError) -> Refusal {
        tracing::warn!(issuer = %self.issuer(), error = chain(error), "cannot ask about a token");
        self.known_endpoint().clone_from(&self.settings.endpoint);
        Refusal::IntrospectionUnavailable
    }
}

impl Activity {
    /// A refresh token is active too, and grants nothing here.
    fn is_access_token(&self) -> bool {
        let kinds = ["Bearer", "DPoP"];
        let known = |kind: &String| kinds.iter().any(|known| known.eq_ignore_ascii_case(kind));
        self.token_type.as_ref().is_none_or(known)
    }

    /// A token that is said to be bound to a key must be said to which one (RFC 9449 §6.2). It is
    /// not taken for one that anybody may present.
    fn lacks_its_key(&self) -> bool {
        let is_bound = |kind: &String| kind.eq_ignore_ascii_case("DPoP");
        self.token_type.as_ref().is_some_and(is_bound) && self.cnf.is_none()
    }
}

/// Form-encodes with `%20` for a blank: some issuers undo only percent codes.
fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
