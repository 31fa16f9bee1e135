//! A clock that moves when it is told to.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use private_api::clock::Clock;
use tokio::sync::watch;

use super::NOW;

/// Says [`NOW`] of the world's time until [`ManualClock::set`]; the time that it measures passes by
/// [`ManualClock::advance`]. The two are apart, so that tokens stay good while keys age.
pub struct ManualClock {
    unix_seconds: AtomicU64,
    elapsed: watch::Sender<Duration>,
}

impl Default for ManualClock {
    fn default() -> Self {
        let elapsed = watch::Sender::new(Duration::ZERO);
        Self { unix_seconds: AtomicU64::new(NOW), elapsed }
    }
}

impl ManualClock {
    /// Sets the world's time, in seconds since the Unix epoch.
    pub fn set(&self, unix_seconds: u64) {
        self.unix_seconds.store(unix_seconds, Ordering::SeqCst);
    }

    pub fn advance(&self, by: Duration) {
        self.elapsed.send_modify(|elapsed| *elapsed += by);
    }

    /// How many wait for this clock.
    pub fn sleepers(&self) -> usize {
        self.elapsed.receiver_count()
    }
}

impl Clock for ManualClock {
    fn unix_seconds(&self) -> u64 {
        self.unix_seconds.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        *self.elapsed.borrow()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut elapsed = self.elapsed.subscribe();
        let end = self.monotonic() + duration;
        Box::pin(async move {
            let _ = elapsed.wait_for(|elapsed| *elapsed >= end).await;
        })
    }
}
