//! The only place that reads a clock.

use std::time::Duration;

use authbroker_core::time::{BootTime, Now, UnixTime};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Both clocks, now. The boot clock counts suspend, and no one can set it.
pub fn now() -> Now {
    let (wall, boot) = (clock_gettime(ClockId::Realtime), clock_gettime(BOOT_CLOCK));
    Now {
        wall: UnixTime::from_epoch(since_zero(wall)),
        boot: BootTime::from_start(since_zero(boot)),
    }
}

fn since_zero(moment: Timespec) -> Duration {
    let seconds = u64::try_from(moment.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(moment.tv_nsec).unwrap_or(0))
}

#[cfg(target_os = "linux")]
const BOOT_CLOCK: ClockId = ClockId::Boottime;
// On macOS the monotonic clock counts sleep.
#[cfg(not(target_os = "linux"))]
const BOOT_CLOCK: ClockId = ClockId::Monotonic;
