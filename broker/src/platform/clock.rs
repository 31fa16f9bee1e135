//! The only place that reads a clock.

use std::time::Duration;

use authbroker_core::time::{BootTime, Now, UnixTime};
use rustix::time::{ClockId, clock_gettime};

/// Both clocks, now. The boot clock counts suspend, and no one can set it.
pub fn now() -> Now {
    let wall = clock_gettime(ClockId::Realtime);
    let boot = clock_gettime(BOOT_CLOCK);
    Now {
        wall: UnixTime::from_secs(u64::try_from(wall.tv_sec).unwrap_or(0)),
        boot: BootTime::from_start(Duration::new(
            u64::try_from(boot.tv_sec).unwrap_or(0),
            u32::try_from(boot.tv_nsec).unwrap_or(0),
        )),
    }
}

#[cfg(target_os = "linux")]
const BOOT_CLOCK: ClockId = ClockId::Boottime;
// On macOS the monotonic clock counts sleep.
#[cfg(not(target_os = "linux"))]
const BOOT_CLOCK: ClockId = ClockId::Monotonic;
