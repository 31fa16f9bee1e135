//! A refresh token for tokens (RFC 6749 §6), narrowed where a key asks for less (RFC 8707 §2.2).

use authbroker_core::account::Account;
use authbroker_core::ids::Attempt;
use authbroker_core::lifecycle::{Event, Renewal};
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use authbroker_core::token::SlotKey;
use openidconnect::{HttpRequest, RefreshToken, Scope};

use super::Oidc;
use super::answer::{self, Answer, Asked};
use super::error::{RefreshVerdict, TokenError};
use super::exchange::token_error;
use super::id_token::Occasion;
use crate::platform::clock;

impl Oidc {
    /// Uses the refresh token for a token of `key`, and says what came of it. `granted` is what a
    /// key without scopes stands for.
    pub async fn refresh(
        &self,
        account: &Account,
        granted: &ScopeSet,
        key: &SlotKey,
        attempt: Attempt,
        refresh_token: &Secret,
    ) -> Event {
        match self.try_refresh(account, granted, key, refresh_token).await {
            Ok(renewal) => Event::Renewed { attempt, renewal },
            Err(error) => match error.refresh_verdict() {
                RefreshVerdict::Refused(refusal) => Event::Refused { attempt, refusal },
                RefreshVerdict::Unreachable(failure, certainty) => {
                    Event::Unreachable { attempt, failure, certainty }
                }
            },
        }
    }

    async fn try_refresh(
        &self,
        account: &Account,
        granted: &ScopeSet,
        key: &SlotKey,
        refresh_token: &Secret,
    ) -> Result<Renewal, TokenError> {
        let metadata = self.metadata().await.map_err(TokenError::Undiscovered)?;
        let client = self.token_client(&metadata)?;
        let refresh_token = RefreshToken::new(refresh_token.expose().to_owned());
        let scopes = if key.scopes.is_empty() { granted.clone() } else { key.scopes.clone() };
        let asked = Asked { at: clock::now().boot, scopes, resources: key.resources.clone() };
        let mut request = client.exchange_refresh_token(&refresh_token);
        for scope in key.scopes.iter() {
            request = request.add_scope(Scope::new(scope.to_owned()));
        }
        for (name, value) in self.targets(&key.resources) {
            request = request.add_extra_param(name, value.to_owned());
        }
        let send = |request: HttpRequest| self.send_token_request(request);
        let response = request.request_async(&send).await.map_err(token_error)?;
        let Answer { access, refresh_token, id_token } = answer::read(&response, asked)?;
        let occasion = Occasion::Refresh { subject: &account.subject };
        let id_token = match &id_token {
            Some(token) => {
                Some(self.check_id_token(&metadata, token, &access.value, &occasion).await?.text)
            }
            None => None,
        };
        Ok(Renewal { access, refresh_token, id_token })
    }
}
