//! Tokens that were judged before, so that the next request with one costs a look-up.
//!
//! Only good tokens are remembered, by the SHA-256 of the token and never by the token itself; their
//! number is bounded, and the ones that are used least make room. What was remembered counts only
//! while its ground does: see [`Ground`].

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::sync::Cache;

use crate::verify::Verified;

/// Tokens. One takes about a kilobyte.
pub(crate) const DEFAULT_CAPACITY: usize = 10_000;

/// The SHA-256 of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(token: &str) -> Self {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(fingerprint)
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
    /// The issuer said so; its word ends at this time of the monotonic clock.
    Word(Duration),
}

/// A bounded memory of verdicts.
pub(crate) struct Verdicts {
    cache: Cache<Fingerprint, Verdict>,
}

impl Verdicts {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { cache: Cache::new(capacity) }
    }

    pub(crate) fn get(&self, token: Fingerprint) -> Option<Verdict> {
        self.cache.get(&token)
    }

    pub(crate) fn remember(&self, token: Fingerprint, verdict: Verdict) {
        self.cache.insert(token, verdict);
    }
}
