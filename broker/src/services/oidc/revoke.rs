//! Telling the provider that a sign-in is over (RFC 7009).

use authbroker_core::account::Grant;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::lifecycle::SignOutReport;
use authbroker_core::secret::Secret;

use super::Oidc;
use super::error::TokenError;

impl Oidc {
    /// Revokes a grant, and reports what the provider did. It never fails: what is kept here is
    /// forgotten in every case.
    pub async fn sign_out(&self, grant: &Grant) -> SignOutReport {
        let id_token = grant.id_token.clone();
        let Some(refresh_token) = &grant.refresh_token else {
            return SignOutReport::Revoked { id_token };
        };
        match self.revoke(refresh_token).await {
            Ok(()) => SignOutReport::Revoked { id_token },
            Err(failure) => SignOutReport::NotRevoked { failure, id_token },
        }
    }

    /// Revokes one refresh token. A provider that does not know it is content (§2.2).
    pub async fn revoke(&self, refresh_token: &Secret) -> Result<(), Failure> {
        let metadata = self.metadata().await?;
        let Some(endpoint) = &metadata.revocation else {
            let message = "the provider has no revocation endpoint; its tokens end by themselves";
            return Err(Failure::new(
                Code::NotSupported,
                message,
                "end the sessions on the provider's web page",
            ));
        };
        let secret = self.posted_secret().map_err(|error| error.to_failure())?;
        let mut form = vec![
            ("token", refresh_token.expose()),
            ("token_type_hint", "refresh_token"),
            ("client_id", self.settings().client_id.as_str()),
        ];
        form.extend(secret.as_ref().map(|secret| ("client_secret", secret.expose())));
        let basic = self.basic_header().map_err(|error| error.to_failure())?;
        let response = self.http.post_form(endpoint.as_str(), &form, basic).await;
        let response = response.map_err(|error| error.to_failure())?;
        if response.status().is_success() {
            return Ok(());
        }
        Err(TokenError::from_response(&response).to_failure())
    }
}
