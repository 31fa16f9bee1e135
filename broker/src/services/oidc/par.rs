//! Authorization requests that go to the provider directly, and not through the browser (RFC 9126).

use authbroker_core::failure::{Code, Failure};
use serde::Deserialize;
use url::Url;

use super::authorize::Authorization;
use super::error::TokenError;
use super::exchange::bound_key;
use super::metadata::Pushed;
use super::request::Form;
use super::{Metadata, Oidc};
use crate::config::Use;

/// The answer that matters (§2.2). How long it counts does not: the browser goes there at once.
#[derive(Deserialize)]
struct Answer {
    request_uri: String,
}

impl Oidc {
    /// Where requests are pushed to, if they are. `auto` pushes where the provider takes no others.
    pub(super) fn pushed_to<'a>(&self, metadata: &'a Metadata) -> Result<Option<&'a Url>, Failure> {
        match (&metadata.pushed, self.settings().par) {
            (Pushed::Required(url), Use::Auto | Use::Always)
            | (Pushed::Offered(url), Use::Always) => Ok(Some(url)),
            (Pushed::NotOffered | Pushed::Offered(_), Use::Auto | Use::Never) => Ok(None),
            (Pushed::NotOffered, Use::Always) => {
                Err(contradiction("takes no pushed authorization requests, and par is always"))
            }
            (Pushed::Required(_), Use::Never) => {
                Err(contradiction("takes pushed authorization requests only, and par is never"))
            }
        }
    }

    /// Pushes a request, and gives the name that it has from now on. Whatever goes wrong, it is not
    /// sent through the browser instead.
    pub(super) async fn push(
        &self,
        endpoint: &Url,
        parameters: &[(String, String)],
        authorization: &Authorization,
    ) -> Result<String, Failure> {
        let form: Form<'_> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let key = bound_key(authorization.dpop_key.as_ref());
        let key = key.map_err(|error| error.to_failure())?;
        let response = self.post(endpoint, &form, key.as_ref()).await;
        let response = response.map_err(|error| error.to_failure())?;
        let answer: Option<Answer> = serde_json::from_slice(response.body()).ok();
        let name = answer.map(|answer| answer.request_uri).filter(|name| !name.is_empty());
        name.ok_or_else(|| {
            let what = "its answer to a pushed request has no request_uri";
            TokenError::Unusable(what.to_owned()).to_failure()
        })
    }
}

fn contradiction(what: &str) -> Failure {
    let message = format!("the provider {what}");
    Failure::new(Code::ConfigInvalid, message, "check par in the configuration")
}
