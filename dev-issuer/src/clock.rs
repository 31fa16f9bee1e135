//! The one file that reads the clock. Everything else is told the time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

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

/// A moment as HTTP writes it (RFC 9110 §5.6.7).
pub(crate) fn http_date(at: UnixSeconds) -> String {
    let at = i64::try_from(at).ok().and_then(|at| Timestamp::from_second(at).ok());
    let text = at.and_then(|at| DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok());
    text.unwrap_or_default()
}
