//! The one file that reads the clock. Everything else is told the time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
pub(crate) type UnixSeconds = u64;

/// The wall clock, plus what a test has set it ahead.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead_seconds: AtomicU64,
}

impl Clock {
    pub(crate) fn now(&self) -> UnixSeconds {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        wall.as_secs() + self.ahead_seconds.load(Ordering::Relaxed)
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.ahead_seconds.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}
