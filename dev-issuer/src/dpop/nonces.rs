//! The nonces of this issuer (RFC 9449 §8): a new one every so often, the one before still taken.

use std::io;

use crate::clock::UnixSeconds;
use crate::secret;

/// The two nonces that are good.
#[derive(Debug, Default)]
pub(crate) struct NonceStore {
    current: Option<Nonce>,
    previous: Option<Nonce>,
}

#[derive(Debug)]
struct Nonce {
    value: String,
    made_at: UnixSeconds,
}

impl NonceStore {
    /// The nonce to hand out: a new one where the last is `rotation` seconds old.
    pub(super) fn current(&mut self, rotation: u64, now: UnixSeconds) -> io::Result<String> {
        match &self.current {
            Some(nonce) if now < nonce.made_at + rotation.max(1) => Ok(nonce.value.clone()),
            _ => self.rotate(now),
        }
    }

    /// The last one that was handed out.
    pub(super) fn latest(&self) -> Option<String> {
        self.current.as_ref().map(|nonce| nonce.value.clone())
    }

    /// Makes a new nonce the only good one, and says whether `nonce` was the last before.
    pub(super) fn spend(&mut self, nonce: Option<&str>, now: UnixSeconds) -> io::Result<bool> {
        let last =
            self.latest().is_some_and(|last| nonce.is_some_and(|it| secret::same(&last, it)));
        self.rotate(now)?;
        self.previous = None;
        Ok(last)
    }

    fn rotate(&mut self, now: UnixSeconds) -> io::Result<String> {
        let value = secret::fresh()?;
        self.previous = self.current.replace(Nonce { value: value.clone(), made_at: now });
        Ok(value)
    }

    /// Says whether a proof may carry this nonce. It is good for two rotations at most.
    pub(super) fn accepts(&self, nonce: &str, rotation: u64, now: UnixSeconds) -> bool {
        let known = [&self.current, &self.previous].into_iter().flatten();
        known
            .filter(|known| now < known.made_at + 2 * rotation.max(1))
            .any(|known| secret::same(&known.value, nonce))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::NonceStore;

    #[test]
    fn a_nonce_outlives_its_successor_by_no_more_than_one_rotation() -> io::Result<()> {
        let mut nonces = NonceStore::default();
        let first = nonces.current(10, 100)?;
        assert_eq!(nonces.current(10, 109)?, first);
        assert_ne!(nonces.current(10, 110)?, first);
        assert!(nonces.accepts(&first, 10, 119));
        assert!(!nonces.accepts(&first, 10, 120));
        Ok(())
    }

    #[test]
    fn the_last_but_two_is_refused_however_young() -> io::Result<()> {
        let mut nonces = NonceStore::default();
        let first = nonces.rotate(100)?;
        nonces.rotate(100)?;
        assert!(nonces.accepts(&first, 10, 100));
        nonces.rotate(100)?;
        assert!(!nonces.accepts(&first, 10, 100));
        Ok(())
    }
}
