//! `private_key_jwt` (RFC 7523 §2.2 and §3): the client signs who it is, for whom, and for how long.
//!
//! The audience is the issuer identifier, as a string and nothing beside it: a URL of an endpoint, or
//! a list, would let another server pass the assertion on (FAPI 2.0 Security Profile §5.3.2.1).

use std::sync::Arc;

use crate::error::OAuthError;
use crate::jose::SignedJwt;
use crate::options::{Client, ClientAuth};
use crate::params::Params;
use crate::provider::Provider;

/// What `client_assertion_type` must be.
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The longest life of an assertion, in seconds.
const LONGEST_LIFE: u64 = 5 * 60;
/// How far ahead of our clock it may have been made, in seconds.
const AHEAD: u64 = 10;
/// More than any random id needs: what is remembered must have bounds.
const LONGEST_ID: usize = 256;

pub(super) fn check(
    provider: &Provider,
    assertion: &str,
    form: &Params,
) -> Result<Arc<Client>, OAuthError> {
    if form.get("client_assertion_type") != Some(TYPE) {
        return Err(OAuthError::invalid_request("client_assertion_type is not jwt-bearer"));
    }
    judge(provider, assertion, form.get("client_id")).map_err(OAuthError::invalid_client)
}

/// The error says which check failed.
fn judge(
    provider: &Provider,
    assertion: &str,
    named: Option<&str>,
) -> Result<Arc<Client>, &'static str> {
    let jwt = SignedJwt::parse(assertion).ok_or("the assertion is no JWT")?;
    let id = jwt.text("sub").ok_or("the assertion has no sub")?;
    if jwt.text("iss") != Some(id) || named.is_some_and(|named| named != id) {
        return Err("iss, sub and client_id of the assertion are not the same");
    }
    let client = provider.client(id).ok_or("the client is unknown")?;
    let ClientAuth::PrivateKeyJwt(keys) = &client.auth else {
        return Err("this client has no keys");
    };
    if !keys.candidates(jwt.header_text("kid")).any(|key| jwt.is_signed_by(key)) {
        return Err("none of the client's keys made the assertion's signature");
    }
    is_for_us_and_now(provider, &jwt)?;
    is_new(provider, id, &jwt)?;
    Ok(client)
}

fn is_for_us_and_now(provider: &Provider, jwt: &SignedJwt<'_>) -> Result<(), &'static str> {
    if !matches!(jwt.typ().as_deref(), None | Some("jwt" | "client-authentication+jwt")) {
        return Err("the assertion's typ is that of something else");
    }
    if jwt.text("aud") != Some(&provider.url) {
        return Err("the assertion's aud is not the issuer identifier, as a string");
    }
    let (now, exp) = (provider.now(), jwt.seconds("exp").ok_or("the assertion has no exp")?);
    if exp <= now || exp > now + LONGEST_LIFE {
        return Err("the assertion has expired, or lives longer than five minutes");
    }
    let early = |name| jwt.seconds(name).is_some_and(|time| time > now + AHEAD);
    if early("iat") || early("nbf") {
        return Err("the assertion is from the future");
    }
    Ok(())
}

fn is_new(provider: &Provider, client_id: &str, jwt: &SignedJwt<'_>) -> Result<(), &'static str> {
    let id = jwt.text("jti").filter(|id| id.len() <= LONGEST_ID);
    let id = id.ok_or("the assertion's jti is missing or too long")?;
    let until = jwt.seconds("exp").unwrap_or_default();
    let new = provider.seen_assertions().is_new(format!("{client_id} {id}"), until, provider.now());
    if new { Ok(()) } else { Err("this assertion was used before") }
}
