//! Every system that is not Linux: moments by tokio's timers, looked at again often enough that a
//! machine which slept is not late for long.

use std::io;
use std::time::Duration;

use authbroker_core::time::BootTime;

use super::{News, clock};

/// The longest sleep before a moment to come is compared with the clock again: tokio's timers may
/// stand still while the machine sleeps.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The machine, as far as it tells anything.
#[derive(Debug)]
pub struct Machine(());

impl Machine {
    /// Begins to listen.
    pub fn listen() -> io::Result<Self> {
        Ok(Self(()))
    }

    /// Waits for the next thing that it tells, [`News::Due`] once the boot clock reaches `due`.
    /// Dropping the future loses nothing.
    pub async fn next(&mut self, due: Option<BootTime>) -> News {
        let Some(due) = due else { return std::future::pending().await };
        loop {
            let left = clock::now().boot.until(due);
            if left.is_zero() {
                return News::Due;
            }
            tokio::time::sleep(left.min(LOOK_AGAIN)).await;
        }
    }
}
