//! Proof of possession: a stolen token is of no use without its key ([RFC 9449]).
//!
//! 1. A request has exactly one `DPoP` header. `Proof::check` decides, without any I/O, whether
//!    what is in it was made by the token's own key, for this token, method and address.
//! 2. It must be fresh: made within the last minute by the client's clock; or, where `Nonces` are
//!    demanded, with a nonce of ours, and then the client's clock does not matter.
//! 3. It must be new: a [`ProofStore`] remembers it for as long as it would be fresh.
//!
//! [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449

mod nonce;
mod proof;
#[cfg(feature = "redis")]
mod redis;
mod store;

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use self::nonce::Nonces;
pub use self::proof::InvalidProof;
use self::proof::{Occasion, Proof};
#[cfg(feature = "redis")]
pub use self::redis::{InvalidStore, RedisStore};
pub use self::store::{MemoryStore, Pending, ProofId, ProofStore, StoreUnavailable};
use crate::algorithm::SigningAlg;
use crate::error::Refusal;
use crate::origin::Addressing;

/// The header of a proof.
const PROOF_HEADER: HeaderName = HeaderName::from_static("dpop");

/// The header that hands a nonce to the client.
pub(crate) const NONCE_HEADER: HeaderName = HeaderName::from_static("dpop-nonce");

/// Seconds for which a proof is good after the client made it.
const LIFETIME: u64 = 60;

/// Seconds by which a client's clock may be ahead of ours.
const AHEAD: u64 = 10;

/// What a proof must be to be good here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProofRules {
    /// The algorithms that it may be signed with.
    pub algs: Vec<SigningAlg>,
    /// Whether it must answer a nonce of ours. This costs a client one more request a minute at
    /// most, and a proof made in advance is worth nothing.
    pub nonces: bool,
    /// Whether a token that is not bound to a key is refused.
    pub required: bool,
}

impl Default for ProofRules {
    fn default() -> Self {
        Self { algs: SigningAlg::DEFAULT.to_vec(), nonces: false, required: false }
    }
}

/// Checks the proofs of one API.
pub(crate) struct Dpop {
    rules: ProofRules,
    addressing: Addressing,
    store: Arc<dyn ProofStore>,
    /// Made when the first proof comes, and anew now and then: the key is in the store, which may be
    /// elsewhere and may have lost it. A std mutex, because it is held for a clone of a pointer and
    /// never across an `.await`.
    nonces: Mutex<Option<Held>>,
}

/// The nonces of one key, and the span of time in which the store has said that it is the key.
struct Held {
    nonces: Arc<Nonces>,
    span: u64,
}

/// When a fresh proof may be forgotten, and the nonce that the client should use from now on.
struct Fresh {
    until: u64,
    ahead: Option<HeaderValue>,
}

impl Dpop {
    pub(crate) fn new(
        rules: ProofRules,
        addressing: Addressing,
        store: Arc<dyn ProofStore>,
    ) -> Self {
        Self { rules, addressing, store, nonces: Mutex::default() }
    }

    /// Whether a token must be bound to a key.
    pub(crate) fn is_required(&self) -> bool {
        self.rules.required
    }

    /// Whether a proof must have a nonce.
    pub(crate) fn demands_nonces(&self) -> bool {
        self.rules.nonces
    }

    /// Checks the proof of a request with a token that is bound to `key`; gives the nonce to send
    /// ahead, if it is time for a new one. `now` is in seconds since the Unix epoch.
    pub(crate) async fn check(
        &self,
        request: &Parts,
        token: &str,
        key: &str,
        now: u64,
    ) -> Result<Option<HeaderValue>, Refusal> {
        let proof = only_proof(&request.headers)?;
        let target = self.addressing.target(request).ok_or(InvalidProof::Address)?;
        let occasion = Occasion { method: request.method.as_str(), target, token, key };
        let proof = Proof::check(proof, &occasion, &self.rules.algs)?;
        let fresh = if self.rules.nonces {
            self.fresh_by_nonce(&proof, now).await?
        } else {
            fresh_by_clock(&proof, now)?
        };
        let is_new = self.store.first_use(proof.id(key), now, fresh.until).await?;
        if is_new { Ok(fresh.ahead) } else { Err(InvalidProof::Replayed.into()) }
    }

    async fn fresh_by_nonce(&self, proof: &Proof, now: u64) -> Result<Fresh, Refusal> {
        let nonces = self.nonces(now).await?;
        let newest = || nonces.newest(now);
        match proof.nonce.as_deref().and_then(|nonce| nonces.good_until(nonce, now)) {
            Some(until) => {
                let ageing = !nonce::is_newest(until, now);
                Ok(Fresh { until, ahead: ageing.then(newest) })
            }
            None => Err(Refusal::UseNonce(newest())),
        }
    }

    /// The nonces of the key that all instances share.
    async fn nonces(&self, now: u64) -> Result<Arc<Nonces>, StoreUnavailable> {
        let span = nonce::span(now);
        let held = || self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            held().as_ref().filter(|held| held.span == span).map(|held| held.nonces.clone());
        if let Some(nonces) = known {
            return Ok(nonces);
        }
        let nonces = Arc::new(Nonces::new(&self.store.nonce_key().await?));
        *held() = Some(Held { nonces: Arc::clone(&nonces), span });
        Ok(nonces)
    }
}

fn fresh_by_clock(proof: &Proof, now: u64) -> Result<Fresh, InvalidProof> {
    let until = proof.iat.saturating_add(LIFETIME);
    let made = proof.iat <= now.saturating_add(AHEAD);
    if made && now < until { Ok(Fresh { until, ahead: None }) } else { Err(InvalidProof::Time) }
}

fn only_proof(headers: &HeaderMap) -> Result<&str, InvalidProof> {
    let mut proofs = headers.get_all(PROOF_HEADER).iter();
    match (proofs.next(), proofs.next()) {
        (Some(only), None) => only.to_str().map_err(|_| InvalidProof::Malformed),
        _ => Err(InvalidProof::NotOne),
    }
}
