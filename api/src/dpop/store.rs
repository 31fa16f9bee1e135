//! What must be remembered between requests with proofs: which were used, and the nonces' key.
//!
//! It is all that the instances of one API share, so it stands behind a trait. [`MemoryStore`] is
//! for one instance; `RedisStore` is for several (feature `redis`, which is on by default).

use std::collections::{BTreeMap, HashSet};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::rand;

/// Proofs. A million of them take about 100 MiB; more within a minute and a half is no honest load
/// for one instance.
const MAX_PROOFS: usize = 1 << 20;

/// Seconds. Proofs that end within the same slice are forgotten together.
const SLICE: u64 = 16;

/// What a [`ProofStore`] answers with, in time.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreUnavailable>> + Send + 'a>>;

/// Remembers the proofs that were used, for one instance of an API or for all of them.
pub trait ProofStore: Send + Sync {
    /// Whether a proof is seen for the first time. It may be forgotten at `until`; both times are in
    /// seconds since the Unix epoch.
    fn first_use(&self, proof: ProofId, now: u64, until: u64) -> Pending<'_, bool>;

    /// The secret key of the nonces: the same for every instance, and asked for once a minute.
    fn nonce_key(&self) -> Pending<'_, [u8; 32]>;
}

/// The store cannot tell, so no proof can be accepted: 503.
#[derive(Debug, thiserror::Error)]
#[error("the store of used proofs cannot tell: {0}")]
pub struct StoreUnavailable(pub String);

/// What a proof is remembered by: a hash of its key and `jti`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProofId([u8; 32]);

impl ProofId {
    pub(super) fn of(key: &str, jti: &str) -> Self {
        let mut hash = Context::new(&SHA256);
        // A thumbprint has a fixed length, so no other pair gives the same bytes.
        hash.update(key.as_bytes());
        hash.update(jti.as_bytes());
        let mut id = [0; 32];
        id.copy_from_slice(hash.finish().as_ref());
        Self(id)
    }

    /// The hash itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Remembers the proofs in this process.
#[derive(Default)]
pub struct MemoryStore {
    /// A std mutex, because it is held for a few look-ups and never across an `.await`.
    used: Mutex<Used>,
    nonce_key: OnceLock<[u8; 32]>,
}

/// The used proofs, by the slice of time in which they end.
#[derive(Default)]
struct Used {
    slices: BTreeMap<u64, HashSet<ProofId>>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, Used> {
        // No code under the lock can panic halfway through a change.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProofStore for MemoryStore {
    fn first_use(&self, proof: ProofId, now: u64, until: u64) -> Pending<'_, bool> {
        let first = self.lock().first(proof, now, until);
        Box::pin(std::future::ready(first))
    }

    fn nonce_key(&self) -> Pending<'_, [u8; 32]> {
        let key = new_nonce_key().map(|new| *self.nonce_key.get_or_init(|| new));
        Box::pin(std::future::ready(key))
    }
}

/// 256 random bits.
pub(super) fn new_nonce_key() -> Result<[u8; 32], StoreUnavailable> {
    let mut key = [0; 32];
    rand::fill(&mut key).map_err(|_| StoreUnavailable("no random numbers".to_owned()))?;
    Ok(key)
}

impl Used {
    fn first(&mut self, proof: ProofId, now: u64, until: u64) -> Result<bool, StoreUnavailable> {
        self.forget_before(now / SLICE);
        if self.slices.values().any(|slice| slice.contains(&proof)) {
            return Ok(false);
        }
        // To forget one that is still fresh would let it be used again.
        if self.slices.values().map(HashSet::len).sum::<usize>() >= MAX_PROOFS {
            return Err(StoreUnavailable("too many proofs in a short time".to_owned()));
        }
        Ok(self.slices.entry(until / SLICE).or_default().insert(proof))
    }

    fn forget_before(&mut self, slice: u64) {
        while self.slices.first_key_value().is_some_and(|(oldest, _)| *oldest < slice) {
            self.slices.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(jti: &str) -> ProofId {
        ProofId::of("key", jti)
    }

    /// R17: the replay cache is bounded by the proof's lifetime.
    #[test]
    fn a_proof_is_remembered_until_it_ends_and_then_forgotten() {
        let mut used = Used::default();
        assert!(used.first(id("a"), 1000, 1060).unwrap());
        assert!(!used.first(id("a"), 1059, 1119).unwrap());
        assert!(used.first(id("b"), 1100, 1160).unwrap());
        let kept: usize = used.slices.values().map(HashSet::len).sum();
        assert_eq!(kept, 1);
    }

    /// R17.
    #[test]
    fn a_full_store_refuses_and_forgets_nothing() {
        let mut used = Used::default();
        let many = (0..MAX_PROOFS as u64).map(|number| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            ProofId(bytes)
        });
        used.slices.insert(1060 / SLICE, many.collect());
        assert!(used.first(id("new"), 1000, 1060).is_err());
        assert!(!used.first(ProofId([0; 32]), 1000, 1060).unwrap());
        assert!(used.first(id("new"), 1100, 1160).unwrap());
    }
}
