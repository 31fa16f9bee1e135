//! DPoP (RFC 9449): tokens that are bound to a key of the client.
//!
//! 1. [`proof`] checks one proof for one request: its form, its signature, what it is for.
//! 2. [`nonces`] are this issuer's part of a proof's freshness. Where they are asked for they stand
//!    in for `iat`, so that a client whose clock is wrong can still prove itself (§4.3, check 11).
//! 3. [`presented`] puts both together and lets no proof be used twice.

use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use crate::clock::UnixSeconds;
use crate::error::OAuthError;
use crate::faults::{Effect, NonceFault};
use crate::jose::Thumbprint;
use crate::options::Nonces;
use crate::provider::Provider;

mod nonces;
mod proof;

pub(crate) use nonces::NonceStore;
pub(crate) use proof::Target;

/// How old a proof without a nonce may be, in seconds.
const OLDEST: u64 = 60;
/// How far ahead of our clock it may have been made, in seconds.
const AHEAD: u64 = 10;

/// The key that a request proves, if it proves any. Where DPoP is off, nobody looks.
pub(crate) fn presented(
    provider: &Provider,
    headers: &HeaderMap,
    target: Target<'_>,
) -> Result<Option<Thumbprint>, OAuthError> {
    if !provider.options.dpop.is_served() {
        return Ok(None);
    }
    let Some(header) = proof::header(headers).map_err(invalid)? else { return Ok(None) };
    let proof = proof::verify(header, target).map_err(invalid)?;
    is_new(provider, &proof)?;
    is_fresh(provider, &proof)?;
    Ok(Some(proof.key))
}

/// The error of a request without the proof that it needs.
pub(crate) fn missing() -> OAuthError {
    invalid("a DPoP proof is missing")
}

/// The error of a request with a proof that proves something else.
pub(crate) fn invalid(why: &'static str) -> OAuthError {
    OAuthError::new("invalid_dpop_proof", why)
}

/// A proof counts as used even if it is refused for its nonce: the next try has a `jti` of its own.
fn is_new(provider: &Provider, proof: &proof::Proof) -> Result<(), OAuthError> {
    let lives = match provider.options.dpop_nonces {
        Nonces::NotAsked => OLDEST + AHEAD,
        Nonces::Asked { rotation } => 2 * rotation.as_secs().max(OLDEST),
    };
    let (id, now) = (format!("{} {}", proof.key.as_str(), proof.id), provider.now());
    if provider.seen_proofs().is_new(id, now + lives, now) {
        return Ok(());
    }
    Err(invalid("this proof was used before"))
}

fn is_fresh(provider: &Provider, proof: &proof::Proof) -> Result<(), OAuthError> {
    let faults = provider.faults.take(|effect| match effect {
        Effect::Nonce(fault) => Some(fault),
        _ => None,
    });
    match (faults.first(), provider.options.dpop_nonces) {
        (Some(fault), _) => in_spite_of(*fault, provider, proof),
        (None, Nonces::NotAsked) => is_young(proof.issued_at, provider.now()),
        (None, Nonces::Asked { rotation }) => has_nonce(provider, proof, rotation.as_secs()),
    }
}

fn is_young(issued_at: UnixSeconds, now: UnixSeconds) -> Result<(), OAuthError> {
    if issued_at + OLDEST < now {
        return Err(invalid("the proof is too old"));
    }
    if issued_at > now + AHEAD {
        return Err(invalid("the proof is from the future"));
    }
    Ok(())
}

fn has_nonce(provider: &Provider, proof: &proof::Proof, rotation: u64) -> Result<(), OAuthError> {
    let (mut nonces, now) = (provider.nonces(), provider.now());
    nonces.current(rotation, now)?;
    match &proof.nonce {
        Some(nonce) if nonces.accepts(nonce, rotation, now) => Ok(()),
        _ => Err(use_nonce()),
    }
}

fn in_spite_of(
    fault: NonceFault,
    provider: &Provider,
    proof: &proof::Proof,
) -> Result<(), OAuthError> {
    if fault == NonceFault::Asked {
        return has_nonce(provider, proof, OLDEST);
    }
    let was_last = provider.nonces().spend(proof.nonce.as_deref(), provider.now())?;
    match fault {
        NonceFault::Rotating if was_last => Ok(()),
        _ => Err(use_nonce()),
    }
}

fn use_nonce() -> OAuthError {
    OAuthError::new("use_dpop_nonce", "the proof must carry the nonce of this answer")
}

/// Makes an answer carry the nonce for the next proof (§8.2), where nonces are asked for, or were.
pub(crate) fn add_nonce(provider: &Provider, response: &mut Response) {
    if !provider.options.dpop.is_served() {
        return;
    }
    let nonce = match provider.options.dpop_nonces {
        Nonces::NotAsked => provider.nonces().latest(),
        Nonces::Asked { rotation } => {
            provider.nonces().current(rotation.as_secs(), provider.now()).ok()
        }
    };
    if let Some(value) = nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()) {
        response.headers_mut().insert("dpop-nonce", value);
    }
}
