//! Proofs of possession (RFC 9449): a key that never leaves the broker, a proof for each request,
//! and the nonces that servers ask to see in it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use ::http::HeaderMap;
use ::http::header::{AUTHORIZATION, HeaderName};
use authbroker_core::failure::{Code, Failure};
use authbroker_core::origin::Origin;
use authbroker_core::secret::Secret;
use authbroker_core::token::AccessToken;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use url::Url;

use crate::platform::clock;

/// The header with a proof of possession (§4.1).
pub(super) const PROOF: HeaderName = HeaderName::from_static("dpop");
/// The header with a server's nonce (§8.1).
pub(super) const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// Origins whose newest nonce is remembered. A person's apps speak to fewer APIs than that.
const MAX_NONCES: usize = 256;
/// The longest nonce that is sent back. Real ones have less than 100 characters.
const MAX_NONCE: usize = 1024;

/// A key that an account's tokens are bound to.
pub struct DpopKey {
    key: EncodingKey,
    jwk: Jwk,
}

impl fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DpopKey(…)")
    }
}

/// What a proof is for.
#[derive(Debug, Clone, Copy)]
pub struct Use<'a> {
    /// The request's method.
    pub method: &'a str,
    /// Its address; query and fragment are no part of a proof.
    pub url: &'a Url,
    /// The server's newest nonce.
    pub nonce: Option<&'a str>,
    /// The access token that goes along, at an API.
    pub access_token: Option<&'a Secret>,
}

#[derive(Serialize)]
struct Claims<'a> {
    jti: String,
    htm: &'a str,
    htu: &'a str,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

impl DpopKey {
    /// Makes a key on P-256, as the text that the vault keeps.
    pub fn generate() -> Result<Secret, Failure> {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let document = document.map_err(|_| broken("it cannot be made"))?;
        Ok(Secret::new(STANDARD.encode(document.as_ref())))
    }

    /// Reads what [`DpopKey::generate`] wrote.
    pub fn read(text: &Secret) -> Result<Self, Failure> {
        let der = STANDARD.decode(text.expose()).map_err(|_| broken("it is not Base64"))?;
        let key = EncodingKey::from_ec_der(&der);
        let jwk = Jwk::from_encoding_key(&key, Algorithm::ES256);
        let mut jwk = jwk.map_err(|_| broken("it is not on P-256"))?;
        // A proof shows the key and nothing else about it (§4.2).
        jwk.common = jsonwebtoken::jwk::CommonParameters::default();
        Ok(Self { key, jwk })
    }

    /// The SHA-256 thumbprint of the public key (RFC 7638), for `dpop_jkt` (§10).
    pub fn thumbprint(&self) -> Result<String, Failure> {
        self.jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| broken("it has no thumbprint"))
    }

    /// A proof for one request (§4.2). No two are alike.
    pub fn proof(&self, to: Use<'_>) -> Result<String, Failure> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.jwk.clone());
        let claims = Claims {
            jti: fresh()?,
            htm: to.method,
            htu: without_query(to.url),
            iat: clock::now().wall.as_secs(),
            ath: to.access_token.map(hash),
            nonce: to.nonce,
        };
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_| broken("it does not sign"))
    }
}

/// The hash of an access token as proofs carry it (`ath`, §4.2).
pub fn hash(access_token: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, access_token.expose().as_bytes()))
}

/// 128 random bits as text, for a `jti`.
pub(super) fn fresh() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| {
        Failure::new(Code::Internal, "this machine gives no random numbers", "restart it")
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn without_query(url: &Url) -> &str {
    &url[..url::Position::AfterPath]
}

fn broken(what: &str) -> Failure {
    let message = format!("the key that this sign-in is bound to cannot be used: {what}");
    Failure::new(Code::VaultDamaged, message, "sign in again: brokerctl login")
}

/// The newest nonce of each server (§8.2, §9).
#[derive(Debug, Default)]
pub struct Nonces {
    // A std mutex: held for a lookup, never across an await.
    newest: Mutex<BTreeMap<Origin, String>>,
}

impl Nonces {
    /// The nonce to send to a server.
    pub fn of(&self, origin: &Origin) -> Option<String> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).get(origin).cloned()
    }

    /// Takes over a nonce that a server sent. What is no nonce (§8.1) is ignored.
    pub fn note(&self, origin: Origin, nonce: &str) {
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if nonce.is_empty() || nonce.len() > MAX_NONCE || !nonce.bytes().all(allowed) {
            return;
        }
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.len() >= MAX_NONCES && !newest.contains_key(&origin) {
            // Any of them: a server whose nonce is missing asks for it once more.
            newest.pop_first();
        }
        newest.insert(origin, nonce.to_owned());
    }
}

impl Nonces {
    /// Takes over the nonce among an answer's headers, where there is one.
    pub(super) fn note_from(&self, url: &Url, headers: &HeaderMap) {
        let nonce = headers.get(NONCE).and_then(|nonce| nonce.to_str().ok());
        if let (Some(origin), Some(nonce)) = (Origin::of(url), nonce) {
            self.note(origin, nonce);
        }
    }

    /// The headers that present an access token to a server: the token, and a proof of its key
    /// where it is bound to one (§7.1).
    pub fn present(
        &self,
        access: &AccessToken,
        method: &str,
        url: &Url,
    ) -> Result<Vec<(HeaderName, Secret)>, Failure> {
        let scheme = access.token_type().as_str();
        let token = Secret::new(format!("{scheme} {}", access.value.expose()));
        let mut headers = vec![(AUTHORIZATION, token)];
        if let Some(key) = &access.bound_to {
            let nonce = Origin::of(url).and_then(|origin| self.of(&origin));
            let access_token = Some(access.value.as_secret());
            let proof = Use { method, url, nonce: nonce.as_deref(), access_token };
            headers.push((PROOF, Secret::new(DpopKey::read(key)?.proof(proof)?)));
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn key() -> DpopKey {
        let _already = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        DpopKey::read(&DpopKey::generate().unwrap()).unwrap()
    }

    fn part(proof: &str, index: usize) -> Value {
        let text = proof.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    }

    fn to<'a>(url: &'a Url, access_token: Option<&'a Secret>) -> Use<'a> {
        Use { method: "POST", url, nonce: Some("n-1"), access_token }
    }

    #[test]
    fn a_proof_names_method_address_and_nonce_and_shows_the_public_key_only() {
        let url = Url::parse("https://api.example/v1/mail?page=2#top").unwrap();
        let proof = key().proof(to(&url, None)).unwrap();
        let (header, claims) = (part(&proof, 0), part(&proof, 1));
        assert_eq!(header["typ"], "dpop+jwt");
        assert_eq!(header["alg"], "ES256");
        let members: Vec<_> = header["jwk"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["crv", "kty", "x", "y"]);
        assert_eq!(claims["htm"], "POST");
        assert_eq!(claims["htu"], "https://api.example/v1/mail");
        assert_eq!(claims["nonce"], "n-1");
        assert!(claims["iat"].is_u64() && claims.get("ath").is_none());
    }

    #[test]
    fn no_two_proofs_are_alike_and_each_fits_its_access_token() {
        let (key, url) = (key(), Url::parse("https://api.example/").unwrap());
        let token = Secret::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".into());
        let proofs = [0, 1].map(|_| key.proof(to(&url, Some(&token))).unwrap());
        let [a, b] = proofs.each_ref().map(|proof| part(proof, 1));
        assert_ne!(a["jti"], b["jti"]);
        // The worked example of RFC 9449 §7.1.
        assert_eq!(a["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    }

    #[test]
    fn a_key_reads_back_as_the_same_key() {
        let text = DpopKey::generate().unwrap();
        let [a, b] = [0, 1].map(|_| DpopKey::read(&text).unwrap().thumbprint().unwrap());
        assert_eq!(a, b);
        assert_ne!(a, key().thumbprint().unwrap());
        assert!(DpopKey::read(&Secret::new("nonsense".into())).is_err());
    }

    #[test]
    fn each_server_has_its_own_newest_nonce_and_what_is_no_nonce_is_ignored() {
        let nonces = Nonces::default();
        let origin = |text: &str| Origin::parse(text).unwrap();
        nonces.note(origin("https://a.example"), "1");
        nonces.note(origin("https://b.example"), "2");
        nonces.note(origin("https://a.example/x"), "3");
        for no_nonce in ["", "a b", "a\"", "é", &"x".repeat(2000)] {
            nonces.note(origin("https://a.example"), no_nonce);
        }
        assert_eq!(nonces.of(&origin("https://a.example")).as_deref(), Some("3"));
        assert_eq!(nonces.of(&origin("https://b.example")).as_deref(), Some("2"));
    }

    #[test]
    fn a_crowd_of_servers_does_not_fill_the_memory() {
        let nonces = Nonces::default();
        for port in 1..2000 {
            nonces.note(Origin::parse(&format!("https://a.example:{port}")).unwrap(), "n");
        }
        assert_eq!(nonces.newest.lock().unwrap().len(), MAX_NONCES);
    }
}
