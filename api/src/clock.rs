//! The only place that reads the time.
//!
//! Everything else is told the time or asks a [`Clock`], so that tests can set it instead of
//! waiting for it.

use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Two clocks: one that the issuer shares, and one that never steps.
pub trait Clock: Send + Sync {
    /// Seconds since the Unix epoch, to compare with the times in a token.
    fn unix_seconds(&self) -> u64;

    /// Time since some fixed moment, to measure how old the issuer's keys are.
    fn monotonic(&self) -> Duration;

    /// Ready after this much of the monotonic time.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Starts the monotonic clock at zero.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn unix_seconds(&self) -> u64 {
        // A machine set before 1970 gets zero: every token then lies in the future and is refused.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
