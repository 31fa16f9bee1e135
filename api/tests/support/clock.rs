//! A clock that moves when it is told to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use private_api::clock::Clock;

use super::NOW;

/// Says [`NOW`] of the world's time until [`ManualClock::set`]; the time that it measures passes by
/// [`ManualClock::advance`]. The two are apart, so that tokens stay good while keys age.
pub struct ManualClock {
    unix_seconds: AtomicU64,
    elapsed_millis: AtomicU64,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self { unix_seconds: AtomicU64::new(NOW), elapsed_millis: AtomicU64::new(0) }
    }
}

impl ManualClock {
    /// Sets the world's time, in seconds since the Unix epoch.
    pub fn set(&self, unix_seconds: u64) {
        self.unix_seconds.store(unix_seconds, Ordering::SeqCst);
    }

    pub fn advance(&self, by: Duration) {
        self.elapsed_millis.fetch_add(by.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn unix_seconds(&self) -> u64 {
        self.unix_seconds.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.elapsed_millis.load(Ordering::SeqCst))
    }
}
