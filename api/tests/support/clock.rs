//! A clock that moves when it is told to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use private_api::clock::Clock;

use super::NOW;

/// Says [`NOW`] of the world's time; the time that it measures passes by [`ManualClock::advance`].
#[derive(Default)]
pub struct ManualClock {
    elapsed_millis: AtomicU64,
}

impl ManualClock {
    pub fn advance(&self, by: Duration) {
        self.elapsed_millis.fetch_add(by.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    /// Does not move, so that tokens stay good while the issuer's keys age.
    fn unix_seconds(&self) -> u64 {
        NOW
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.elapsed_millis.load(Ordering::SeqCst))
    }
}
