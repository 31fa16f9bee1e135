//! Telling the provider that a sign-in is over (RFC 7009).

use authbroker_core::account::Grant;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::lifecycle::SignOutReport;
use authbroker_core::secret::Secret;

use super::Oidc;

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
        let form = vec![("token", refresh_token.expose()), ("token_type_hint", "refresh_token")];
        let revoked = self.post(endpoint, &form, None).await;
        revoked.map(drop).map_err(|error| error.to_failure())
    }
}
