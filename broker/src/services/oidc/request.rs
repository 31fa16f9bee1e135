//! Requests at which the client proves itself: to the token endpoint and its neighbours.
//!
//! 1. The form gets the client's proof (`client_auth`), made anew for each try.
//! 2. Where tokens are bound to a key, a proof of its possession goes along (RFC 9449 §5).
//! 3. A provider that asks for a nonce in that proof gets the same request once more, with a new
//!    proof. It refused the first one, so nothing is used twice.

use ::http::header::{AUTHORIZATION, HeaderValue};
use authbroker_core::failure::Failure;
use authbroker_core::origin::Origin;
use openidconnect::{HttpRequest, HttpResponse};
use url::{Url, form_urlencoded};

use super::Oidc;
use super::client_auth::ClientProof;
use super::dpop::{DpopKey, NONCE, PROOF, Use};
use super::error::TokenError;

/// What is asked, as members of a form.
pub(super) type Form<'a> = Vec<(&'a str, &'a str)>;

impl Oidc {
    /// Posts a form as the client, and gives a good answer (any 2xx) or what went wrong.
    pub(super) async fn post(
        &self,
        to: &Url,
        form: &Form<'_>,
        key: Option<&DpopKey>,
    ) -> Result<HttpResponse, TokenError> {
        let mut response = self.post_once(to, form, key).await?;
        if key.is_some() && asks_for_a_nonce(&response) {
            response = self.post_once(to, form, key).await?;
        }
        if response.status().is_success() {
            return Ok(response);
        }
        Err(TokenError::from_response(&response))
    }

    async fn post_once(
        &self,
        to: &Url,
        form: &Form<'_>,
        key: Option<&DpopKey>,
    ) -> Result<HttpResponse, TokenError> {
        let mut request = prepared(to, form, self.client_proof()?)?;
        if let Some(key) = key {
            let nonce = Origin::of(to).and_then(|origin| self.nonces.of(&origin));
            let proof =
                Use { method: "POST", url: to, nonce: nonce.as_deref(), access_token: None };
            let proof = key.proof(proof).map_err(TokenError::Unsent)?;
            let proof = HeaderValue::try_from(proof).map_err(|_| unsent("its proof"))?;
            request.headers_mut().insert(PROOF, proof);
        }
        let response = self.http.send(request).await.map_err(TokenError::Http)?;
        self.nonces.note_from(to, response.headers());
        self.their_clock.note_from(response.headers());
        Ok(response)
    }
}

fn prepared(to: &Url, form: &Form<'_>, proof: ClientProof) -> Result<HttpRequest, TokenError> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    let mut header = None;
    match proof {
        ClientProof::Header(value) => header = Some(value),
        ClientProof::Form(members) => {
            body.extend_pairs(members.iter().map(|(name, value)| (*name, value.as_str())));
        }
    }
    let request = ::http::Request::post(to.as_str())
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .body(body.finish().into_bytes());
    let mut request = request.map_err(|_| unsent("its address"))?;
    if let Some(header) = header {
        request.headers_mut().insert(AUTHORIZATION, header);
    }
    Ok(request)
}

/// Whether a server wants its nonce in the proof (RFC 9449 §8), and gave one.
fn asks_for_a_nonce(response: &HttpResponse) -> bool {
    response.headers().contains_key(NONCE)
        && matches!(
            TokenError::from_response(response),
            TokenError::Refused { error, .. } if error == "use_dpop_nonce"
        )
}

fn unsent(what: &str) -> TokenError {
    TokenError::Unsent(Failure::new(
        authbroker_core::failure::Code::Internal,
        format!("a request could not be put together: {what}"),
        "report this",
    ))
}
