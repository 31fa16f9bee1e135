//! Telling the provider that a sign-in is over (RFC 7009).

use std::sync::Arc;
use std::time::Duration;

use authbroker_core::account::Grant;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::lifecycle::SignOutReport;
use authbroker_core::secret::Secret;
use authbroker_core::token::AccessToken;

use super::Oidc;
use super::error::TokenError;

/// Access tokens that are revoked one by one; they run out by themselves soon enough.
const MOST_ACCESS_TOKENS: usize = 16;
/// The longest pause before the one repetition that a busy provider may ask for (§2.2.1).
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The kind of a token, as a hint (§2.1).
#[derive(Clone, Copy)]
enum Kind {
    Refresh,
    Access,
}

impl Oidc {
    /// Revokes a grant, the refresh token first, and reports what the provider did. It never fails:
    /// what is kept here is forgotten in every case.
    pub async fn sign_out(&self, grant: &Grant, access: &[Arc<AccessToken>]) -> SignOutReport {
        let id_token = grant.id_token.clone();
        let revoked = match &grant.refresh_token {
            Some(refresh_token) => self.revoke(refresh_token).await,
            None => Ok(()),
        };
        for token in access.iter().take(MOST_ACCESS_TOKENS) {
            // Most providers end them with the refresh token, and some cannot end them at all.
            if self.revoke_one(token.value.as_secret(), Kind::Access).await.is_err() {
                tracing::debug!("an access token was not revoked; it runs out by itself");
                break;
            }
        }
        match revoked {
            Ok(()) => SignOutReport::Revoked { id_token },
            Err(failure) => SignOutReport::NotRevoked { failure, id_token },
        }
    }

    /// Revokes one refresh token, with one repetition where the provider is busy. One that does not
    /// know the token is content (§2.2).
    pub async fn revoke(&self, refresh_token: &Secret) -> Result<(), Failure> {
        let revoked = match self.revoke_one(refresh_token, Kind::Refresh).await {
            Err(TokenError::Unavailable { retry_after: Some(pause), .. })
                if pause <= LONGEST_PAUSE =>
            {
                tokio::time::sleep(pause).await;
                self.revoke_one(refresh_token, Kind::Refresh).await
            }
            revoked => revoked,
        };
        revoked.map_err(|error| error.to_failure())
    }

    async fn revoke_one(&self, token: &Secret, kind: Kind) -> Result<(), TokenError> {
        let metadata = self.metadata().await.map_err(TokenError::Unsent)?;
        let Some(endpoint) = &metadata.revocation else {
            let message = "the provider has no revocation endpoint; its tokens end by themselves";
            let hint = "end the sessions on the provider's web page";
            return Err(TokenError::Unsent(Failure::new(Code::NotSupported, message, hint)));
        };
        let hint = match kind {
            Kind::Refresh => "refresh_token",
            Kind::Access => "access_token",
        };
        let form = vec![("token", token.expose()), ("token_type_hint", hint)];
        self.post(endpoint, &form, None).await.map(drop)
    }
}
