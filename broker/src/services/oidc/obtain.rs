//! A token for a key, without a person: by refresh token (RFC 6749 §6), narrowed where the key asks
//! for less (RFC 8707 §2.2), by exchange (RFC 8693), or by the client's own credentials (RFC 6749
//! §4.4).

use authbroker_core::account::{Account, Grant};
use authbroker_core::ids::Attempt;
use authbroker_core::lifecycle::{Event, Means, Refusal, Renewal};
use authbroker_core::secret::Secret;
use authbroker_core::token::{AccessToken, SlotKey};
use openidconnect::HttpResponse;
use serde_json::Value;

use super::answer::{self, Answer, Asked};
use super::dpop::DpopKey;
use super::error::{RefreshVerdict, TokenError};
use super::exchange::bound_key;
use super::id_token::Occasion;
use super::metadata::{TOKEN_EXCHANGE, TokenExchange};
use super::request::Form;
use super::{Metadata, Oidc};
use crate::config::Flow;
use crate::platform::clock;

/// The kind of token that is exchanged, and the kind that is wanted (RFC 8693 §3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What a token is asked for with, and for what.
struct Question<'a> {
    metadata: &'a Metadata,
    key: &'a SlotKey,
    bound: Option<DpopKey>,
    grant: &'a Grant,
}

impl Oidc {
    /// Asks for a token of `key`, and says what came of it.
    pub async fn obtain(
        &self,
        account: &Account,
        grant: &Grant,
        key: &SlotKey,
        attempt: Attempt,
        with: &Means,
    ) -> Event {
        let obtained = self.try_to_obtain(account, grant, key, with).await;
        match (obtained, with) {
            (Ok(renewal), _) => Event::Renewed { attempt, renewal },
            (Err(error), Means::RefreshToken(_)) => verdict(attempt, error.refresh_verdict()),
            (Err(error), Means::ClientCredentials) => {
                verdict(attempt, error.refresh_verdict().of_the_client(&error))
            }
            // Whatever speaks against an exchange, the refresh token is still there.
            (Err(error), Means::Exchange(_)) => match error {
                TokenError::Http(_) | TokenError::Unavailable { .. } | TokenError::Unsent(_) => {
                    verdict(attempt, error.refresh_verdict())
                }
                _ => Event::Refused { attempt, refusal: Refusal::NoExchange },
            },
        }
    }

    async fn try_to_obtain(
        &self,
        account: &Account,
        grant: &Grant,
        key: &SlotKey,
        with: &Means,
    ) -> Result<Renewal, TokenError> {
        let metadata = &*self.metadata().await.map_err(TokenError::Unsent)?;
        let bound = bound_key(grant.dpop_key.as_ref())?;
        let question = Question { metadata, key, bound, grant };
        match with {
            Means::RefreshToken(token) => self.refresh(account, &question, token).await,
            Means::ClientCredentials => self.ask_for_itself(&question).await,
            Means::Exchange(broader) => self.exchange_token(&question, broader).await,
        }
    }

    async fn refresh(
        &self,
        account: &Account,
        question: &Question<'_>,
        refresh_token: &Secret,
    ) -> Result<Renewal, TokenError> {
        let form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        let (asked, response) = self.ask(question, form).await?;
        let Answer { access, refresh_token, id_token } = answer::read(&response, asked)?;
        let id_token = match &id_token {
            Some(token) => {
                let occasion = Occasion::Refresh { subject: &account.subject };
                match self
                    .check_id_token(question.metadata, token, access.value.as_secret(), &occasion)
                    .await
                {
                    Ok(told) => Some(told.text),
                    // Nothing speaks against the answer, and the refresh token in it may be the
                    // only good one by now: an ID token that cannot be checked is left out.
                    Err(TokenError::Keyless(failure)) => {
                        tracing::warn!(%failure, "a renewal's ID token is not kept");
                        None
                    }
                    Err(error) => return Err(error),
                }
            }
            None => None,
        };
        Ok(Renewal { access, refresh_token, id_token })
    }

    /// No refresh token is expected, and one that comes is not kept (RFC 6749 §4.4.3).
    async fn ask_for_itself(&self, question: &Question<'_>) -> Result<Renewal, TokenError> {
        let (asked, response) =
            self.ask(question, vec![("grant_type", "client_credentials")]).await?;
        Ok(only_access(answer::read(&response, asked)?))
    }

    async fn exchange_token(
        &self,
        question: &Question<'_>,
        broader: &AccessToken,
    ) -> Result<Renewal, TokenError> {
        if question.metadata.exchange == TokenExchange::Unannounced {
            return Err(TokenError::NotOffered);
        }
        let form = vec![
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", broader.value.expose()),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
        ];
        let (mut asked, response) = self.ask(question, form).await?;
        asked.authentication = broader.authentication.clone();
        check_kind(&response)?;
        Ok(only_access(answer::read(&response, asked)?))
    }

    /// Adds what the key asks for and sends the form.
    async fn ask<'a>(
        &'a self,
        question: &'a Question<'_>,
        mut form: Form<'a>,
    ) -> Result<(Asked, HttpResponse), TokenError> {
        let Question { metadata, key, bound, grant } = question;
        let wanted = if key.scopes.is_empty() && self.settings().flow == Flow::ClientCredentials {
            &self.settings().scopes
        } else {
            &key.scopes
        };
        let scope = wanted.to_string();
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        form.extend(self.targets(&key.resources));
        let asked = Asked {
            at: clock::now().boot,
            scopes: if wanted.is_empty() { grant.scopes.clone() } else { wanted.clone() },
            resources: key.resources.clone(),
            bound_to: grant.dpop_key.clone(),
            authentication: grant.authentication.clone(),
        };
        let response = self.post(&metadata.token, &form, bound.as_ref()).await?;
        Ok((asked, response))
    }
}

fn verdict(attempt: Attempt, verdict: RefreshVerdict) -> Event {
    match verdict {
        RefreshVerdict::Refused(refusal) => Event::Refused { attempt, refusal },
        RefreshVerdict::Unreachable(failure, certainty) => {
            Event::Unreachable { attempt, failure, certainty }
        }
    }
}

fn only_access(answer: Answer) -> Renewal {
    Renewal { access: answer.access, refresh_token: None, id_token: None }
}

/// What an exchange gives must be an access token, and say so (RFC 8693 §2.2.1).
fn check_kind(response: &HttpResponse) -> Result<(), TokenError> {
    let document: Option<Value> = serde_json::from_slice(response.body()).ok();
    let kind = document.as_ref().and_then(|document| document.get("issued_token_type")?.as_str());
    match kind {
        Some(ACCESS_TOKEN | "urn:ietf:params:oauth:token-type:jwt") => Ok(()),
        _ => Err(TokenError::Unusable("it does not say that it is an access token".to_owned())),
    }
}
