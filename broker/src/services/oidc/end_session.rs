//! Ending the session in the browser too (OpenID Connect RP-Initiated Logout 1.0).
//!
//! Where the configuration names a return address, the browser comes back to this machine: providers
//! refuse an address that was not registered with them, so none is sent unasked.

use std::sync::Arc;
use std::time::Duration;

use authbroker_core::failure::{Code, Failure};
use authbroker_core::secret::Secret;
use authbroker_core::sign_out::SignOut;
use url::Url;

use super::loopback::{Heard, Listening, Loopback, Page};
use super::{Metadata, Oidc};

/// How long the browser may take to come back. Nobody waits for it: a person may have to confirm,
/// and may as well close the tab.
const RETURN_LIMIT: Duration = Duration::from_mins(2);

/// Where the browser is sent to end its session, and where it comes back.
#[derive(Debug)]
pub struct EndSession {
    /// The address, with an ID token in it.
    pub url: Url,
    returning: Option<Listening<()>>,
}

impl Oidc {
    /// Prepares the end of the person's session at the provider, where it has one (§2).
    pub async fn end_session(&self, metadata: &Metadata, id_token: &Secret) -> Option<EndSession> {
        let mut url = metadata.end_session.clone()?;
        url.query_pairs_mut()
            .append_pair("id_token_hint", id_token.expose())
            .append_pair("client_id", &self.settings().client_id);
        let returning = match self.listen_for_return(&mut url).await {
            Ok(returning) => returning,
            Err(failure) => {
                tracing::warn!(%failure, "the browser cannot come back after the sign-out");
                None
            }
        };
        Some(EndSession { url, returning })
    }

    async fn listen_for_return(&self, url: &mut Url) -> Result<Option<Listening<()>>, Failure> {
        let Some(redirect) = &self.settings().post_logout else { return Ok(None) };
        let loopback = Loopback::bind(redirect, &self.settings().ports).await?;
        let sign_out = SignOut::begin(&entropy()?);
        url.query_pairs_mut()
            .append_pair("post_logout_redirect_uri", &loopback.redirect_uri())
            .append_pair("state", sign_out.state().expose());
        let judge = move |query: &str| sign_out.is_returned_by(query).then_some(());
        Ok(Some(loopback.listen(Arc::new(judge))))
    }
}

impl EndSession {
    /// Welcomes the browser back, in its own time. That it never comes is no error (§3).
    pub fn welcome_back(self) {
        let Some(mut returning) = self.returning else { return };
        tokio::spawn(async move {
            let back = async {
                loop {
                    match returning.next().await {
                        Some(Heard::Answer((), page)) => return Some(page),
                        Some(Heard::Stray) => {}
                        None => return None,
                    }
                }
            };
            if let Ok(Some(page)) = tokio::time::timeout(RETURN_LIMIT, back).await {
                tracing::info!("the provider has ended the session in the browser");
                let _tab_closed = page.send(Page::signed_out());
                returning.finish().await;
            }
        });
    }
}

fn entropy() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| {
        Failure::new(Code::Internal, "this machine gives no random numbers", "restart it")
    })?;
    Ok(bytes)
}
