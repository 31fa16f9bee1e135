//! Decides whether a proof was made by the right key for the right request: a pure function, check
//! by check in the order of [RFC 9449 §4.3].
//!
//! [RFC 9449 §4.3]: https://www.rfc-editor.org/rfc/rfc9449#section-4.3

use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::store::ProofId;
use crate::algorithm::SigningAlg;
use crate::claims::{NumericDate, present};
use crate::jws::Jws;
use crate::origin::Target;
use crate::public_key::PublicKey;

/// Bytes. A proof with an RSA key of 4096 bits has about two thousand.
const MAX_PROOF: usize = 8 * 1024;

/// The members of a JWK that only its owner may know (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// What a proof must have been made for.
pub(super) struct Occasion<'a> {
    pub(super) method: &'a str,
    pub(super) target: Target,
    pub(super) token: &'a str,
    /// The thumbprint of the token's key ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)).
    pub(super) key: &'a str,
}

/// A proof that holds, at some time: whether that is now is still to be seen.
#[derive(Debug)]
pub(super) struct Proof {
    jti: String,
    pub(super) iat: u64,
    pub(super) nonce: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    typ: Option<String>,
    alg: String,
    jwk: Option<Map<String, Value>>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

#[derive(Deserialize)]
struct Payload {
    jti: Option<String>,
    htm: Option<String>,
    htu: Option<String>,
    iat: Option<NumericDate>,
    ath: Option<String>,
    nonce: Option<String>,
}

impl Proof {
    pub(super) fn check(
        text: &str,
        occasion: &Occasion<'_>,
        algs: &[SigningAlg],
    ) -> Result<Self, InvalidProof> {
        let jws = Jws::decode(text, MAX_PROOF).ok_or(InvalidProof::Malformed)?;
        let header: Header = jws.header().ok_or(InvalidProof::Malformed)?;
        let alg = header.alg(algs)?;
        let jwk = header.public_jwk()?;
        let key = PublicKey::of(&jwk, &[alg]).ok_or(InvalidProof::Key)?;
        if !key.signed(&jws, alg) {
            return Err(InvalidProof::Signature);
        }
        let payload: Payload = jws.payload().ok_or(InvalidProof::Malformed)?;
        payload.check_occasion(occasion)?;
        check_key(&jwk, occasion.key)?;
        payload.into_proof()
    }

    /// What it is remembered by: no two proofs of one key may have the same `jti`.
    pub(super) fn id(&self, key: &str) -> ProofId {
        ProofId::of(key, &self.jti)
    }
}

impl Header {
    fn alg(&self, algs: &[SigningAlg]) -> Result<SigningAlg, InvalidProof> {
        let typ = self.typ.as_deref().unwrap_or_default();
        if self.crit || !typ.eq_ignore_ascii_case("dpop+jwt") {
            return Err(InvalidProof::Type);
        }
        let alg = SigningAlg::from_str(&self.alg).map_err(|_| InvalidProof::Algorithm)?;
        if algs.contains(&alg) { Ok(alg) } else { Err(InvalidProof::Algorithm) }
    }

    fn public_jwk(self) -> Result<Jwk, InvalidProof> {
        let jwk = self.jwk.ok_or(InvalidProof::Key)?;
        if PRIVATE_MEMBERS.iter().any(|member| jwk.contains_key(*member)) {
            return Err(InvalidProof::PrivateKey);
        }
        serde_json::from_value(Value::Object(jwk)).map_err(|_| InvalidProof::Key)
    }
}

impl Payload {
    fn check_occasion(&self, occasion: &Occasion<'_>) -> Result<(), InvalidProof> {
        if self.htm.as_deref() != Some(occasion.method) {
            return Err(InvalidProof::Method);
        }
        if self.htu.as_deref().and_then(Target::parse).as_ref() != Some(&occasion.target) {
            return Err(InvalidProof::Address);
        }
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, occasion.token.as_bytes()));
        let fits = self.ath.as_deref().is_some_and(|ath| are_equal(ath, &hash));
        if fits { Ok(()) } else { Err(InvalidProof::Token) }
    }

    fn into_proof(self) -> Result<Proof, InvalidProof> {
        let jti = self.jti.filter(|jti| !jti.is_empty()).ok_or(InvalidProof::Malformed)?;
        let NumericDate(iat) = self.iat.ok_or(InvalidProof::Malformed)?;
        Ok(Proof { jti, iat, nonce: self.nonce })
    }
}

fn check_key(jwk: &Jwk, bound_to: &str) -> Result<(), InvalidProof> {
    let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| InvalidProof::Key)?;
    if are_equal(&thumbprint, bound_to) { Ok(()) } else { Err(InvalidProof::OtherKey) }
}

/// Compares without telling by the time it takes how much was right.
fn are_equal(one: &str, other: &str) -> bool {
    verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

/// Why a proof was refused. The client made it, so it may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProof {
    /// There is none, or several.
    #[error("The request must have exactly one DPoP header")]
    NotOne,
    /// It is no JWT, too long, or a claim is missing or of the wrong form.
    #[error("The proof is malformed or lacks a claim")]
    Malformed,
    /// `typ` is another, or `crit` demands an extension.
    #[error("The proof's type is not dpop+jwt")]
    Type,
    /// `alg` is not on the list that the challenge gives.
    #[error("The proof's algorithm is not accepted")]
    Algorithm,
    /// `jwk` is missing, weak, or no key for `alg`.
    #[error("The proof's key is missing or cannot be used")]
    Key,
    /// `jwk` has a private key, which nobody else should ever see.
    #[error("The proof gives away its private key")]
    PrivateKey,
    /// The key did not make this signature.
    #[error("The proof's signature is wrong")]
    Signature,
    /// `htm` is another.
    #[error("The proof is for another method")]
    Method,
    /// `htu` is another.
    #[error("The proof is for another address")]
    Address,
    /// `ath` is another.
    #[error("The proof is for another access token")]
    Token,
    /// The token is bound to another key.
    #[error("The proof is by another key than the access token's")]
    OtherKey,
    /// `iat` is too long ago or still to come.
    #[error("The proof is too old or from the future")]
    Time,
    /// It was used before.
    #[error("The proof was used before")]
    Replayed,
}
