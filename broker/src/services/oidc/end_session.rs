//! Ending the session in the browser too (OpenID Connect RP-Initiated Logout 1.0 §2).

use authbroker_core::secret::Secret;
use url::Url;

use super::{Metadata, Oidc};

impl Oidc {
    /// The address that ends the person's session at the provider, where it has one.
    pub fn end_session_url(&self, metadata: &Metadata, id_token: &Secret) -> Option<Url> {
        let mut url = metadata.end_session.clone()?;
        url.query_pairs_mut()
            .append_pair("id_token_hint", id_token.expose())
            .append_pair("client_id", &self.settings().client_id);
        Some(url)
    }
}
