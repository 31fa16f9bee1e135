//! Redeems a code: once, by its client, at its redirect URI, with its PKCE verifier.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::TokenRequest;
use super::answer::{self, Extras, Issue};
use crate::error::OAuthError;
use crate::{resource, secret};

pub(super) fn redeem(request: &TokenRequest<'_>) -> Result<Response, OAuthError> {
    let (code, verifier) = (request.required("code")?, request.required("code_verifier")?);
    let redirect_uri = request.required("redirect_uri")?;
    if !is_verifier(verifier) {
        return Err(OAuthError::invalid_request("code_verifier has the wrong form"));
    }

    let TokenRequest { provider, client, form, .. } = request;
    let (id, grant, terms) = provider.grants().redeem_code(code, &client.id, request.now)?;
    if redirect_uri != terms.redirect_uri {
        return Err(OAuthError::invalid_grant("this code was sent to another redirect_uri"));
    }
    if !secret::same(&challenge_for(verifier), &terms.challenge) {
        return Err(OAuthError::invalid_grant("code_verifier does not fit the challenge"));
    }
    request.proves(terms.dpop_jkt.as_ref())?;
    let issue = Issue {
        grant: id,
        scopes: grant.scopes.clone(),
        resources: resource::narrow(form.resources(), &grant.resources)?,
        lifetime: request.access_ttl(),
        extras: Extras::SignIn {
            nonce: grant.nonce.clone(),
            refresh_token: request.refresh_token_for(id, &grant)?,
        },
    };
    answer::give(request, &grant, &issue)
}

/// RFC 7636 §4.1: 43 to 128 unreserved characters.
fn is_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

fn challenge_for(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

#[cfg(test)]
mod tests {
    use super::challenge_for;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let challenge = challenge_for("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
