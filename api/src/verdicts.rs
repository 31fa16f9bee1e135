//! Tokens that were judged before, so that the next request with one costs a look-up.
//!
//! Only good tokens are remembered, by the SHA-256 of the token and never by the token itself; their
//! number is bounded, and the ones that are used least make room. What was remembered counts only
//! while its ground does: see [`Ground`].

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::sync::Cache;

use crate::jwks::KeySet;
use crate::verify::Verified;

/// Tokens. One takes about a kilobyte.
pub(crate) const DEFAULT_CAPACITY: usize = 10_000;

/// The SHA-256 of a token, and what the verdict is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint {
    hash: [u8; 32],
    confirmed: bool,
}

impl Fingerprint {
    /// For whether a token is good, by its signature or by its issuer's word.
    pub(crate) fn of(token: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self { hash, confirmed: false }
    }

    /// For whether its issuer confirms it, besides.
    pub(crate) fn of_confirmed(token: &str) -> Self {
        Self { confirmed: true, ..Self::of(token) }
    }
}

/// What was found out about a token, and why it counts.
#[derive(Clone)]
pub(crate) struct Verdict {
    pub(crate) verified: Verified,
    pub(crate) ground: Ground,
}

/// Why a verdict counts, and thereby until when. None counts after the token has expired.
#[derive(Clone)]
pub(crate) enum Ground {
    /// It is signed by one of these keys; it counts while they are the issuer's current ones.
    Keys(Arc<KeySet>),
    /// The issuer said so; its word ends at this time of the monotonic clock.
    Word(Duration),
}

/// A bounded memory of verdicts.
pub(crate) struct Verdicts {
    /// None where nothing is to be remembered.
    cache: Option<Cache<Fingerprint, Verdict>>,
}

impl Verdicts {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { cache: (capacity > 0).then(|| Cache::new(capacity)) }
    }

    pub(crate) fn get(&self, token: Fingerprint) -> Option<Verdict> {
        self.cache.as_ref()?.get(&token)
    }

    pub(crate) fn remember(&self, token: Fingerprint, verdict: Verdict) {
        if let Some(cache) = &self.cache {
            cache.insert(token, verdict);
        }
    }
}
