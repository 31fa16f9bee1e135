//! One DPoP proof (RFC 9449 §4.2), checked as §4.3 asks.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::jose::{PublicKey, SignedJwt, Thumbprint};

/// More than any random id needs: what is remembered must have bounds.
const LONGEST_ID: usize = 256;

/// The request that a proof must be for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    /// The access token that comes along, if any.
    pub(crate) access_token: Option<&'a str>,
}

/// What a proof says, once its signature and its target are right.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) key: Thumbprint,
    pub(super) id: String,
    pub(super) issued_at: u64,
    pub(super) nonce: Option<String>,
}

/// A request's one `DPoP` header.
pub(super) fn header(headers: &HeaderMap) -> Result<Option<&str>, &'static str> {
    let mut values = headers.get_all("dpop").iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => one.to_str().map(Some).map_err(|_| "the DPoP header is no JWT"),
        (Some(_), Some(_)) => Err("there is more than one DPoP header"),
    }
}

/// Checks everything about a proof but its freshness. The error says which check failed.
pub(super) fn verify(proof: &str, target: Target<'_>) -> Result<Proof, &'static str> {
    let jwt = SignedJwt::parse(proof).ok_or("the proof is no JWT")?;
    if jwt.typ().as_deref() != Some("dpop+jwt") {
        return Err("the proof's typ is not dpop+jwt");
    }
    let key = jwt.header.get("jwk").and_then(PublicKey::parse);
    let key = key.ok_or("the proof has no jwk that is public, and of a kind that is taken here")?;
    if !jwt.is_signed_by(&key) {
        return Err("the proof's signature or algorithm is wrong");
    }
    is_for(&jwt, target)?;
    let id = jwt.text("jti").filter(|id| id.len() <= LONGEST_ID);
    Ok(Proof {
        key: key.thumbprint().ok_or("the proof's jwk cannot be hashed")?,
        id: id.ok_or("the proof's jti is missing or too long")?.to_owned(),
        issued_at: jwt.seconds("iat").ok_or("the proof's iat is no number of seconds")?,
        nonce: jwt.text("nonce").map(str::to_owned),
    })
}

fn is_for(jwt: &SignedJwt<'_>, target: Target<'_>) -> Result<(), &'static str> {
    if jwt.text("htm") != Some(target.method) {
        return Err("the proof's htm is another method");
    }
    if !jwt.text("htu").is_some_and(|htu| is_same_place(htu, target.url)) {
        return Err("the proof's htu is another place, or has a query");
    }
    match target.access_token {
        Some(token) if jwt.text("ath") != Some(&hash(token)) => {
            Err("the proof's ath does not fit the access token")
        }
        _ => Ok(()),
    }
}

/// Compares as URLs, so that letter case of the host and a default port do not count. A query or
/// a fragment does not belong into `htu` (§4.2).
fn is_same_place(htu: &str, url: &str) -> bool {
    matches!((Url::parse(htu), Url::parse(url)), (Ok(htu), Ok(url)) if htu == url)
}

/// The `ath` of an access token.
fn hash(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(access_token))
}

#[cfg(test)]
mod tests {
    use super::{hash, is_same_place};

    #[test]
    fn ath_is_that_of_the_worked_example() {
        // RFC 9449 §7.1.
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
        assert_eq!(hash(token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    }

    #[test]
    fn a_place_is_the_same_whatever_the_case_of_its_host() {
        let here = "http://localhost:80/token";
        assert!(is_same_place("HTTP://LocalHost/token", here));
        for elsewhere in [
            "http://localhost/Token",
            "http://localhost/token?",
            "http://localhost/token#x",
            "token",
        ] {
            assert!(!is_same_place(elsewhere, here), "{elsewhere}");
        }
    }
}
