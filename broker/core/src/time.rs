//! Two clocks, both read elsewhere and handed in.
//!
//! [`BootTime`] runs on while the machine sleeps and never jumps: tokens expire on it.
//! [`UnixTime`] is what people and files call the time: it may be set, so nothing is decided by it.

use std::time::Duration;

/// Time since 1970-01-01T00:00:00Z, as the wall clock says it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct UnixTime(Duration);

impl UnixTime {
    /// The moment `elapsed` after the epoch.
    pub const fn from_epoch(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// The moment `seconds` after the epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The time since the epoch.
    pub const fn since_epoch(self) -> Duration {
        self.0
    }

    /// Whole seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0.as_secs()
    }

    /// This moment moved on by `by`.
    #[must_use]
    pub const fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }

    /// This moment moved back by `by`, not before the epoch.
    #[must_use]
    pub const fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by))
    }
}

/// Time since the machine started, suspend included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct BootTime(Duration);

impl BootTime {
    /// The moment `elapsed` after the machine started.
    pub const fn from_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// This moment moved on by `by`.
    #[must_use]
    pub const fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }

    /// This moment moved back by `by`, not before the start.
    #[must_use]
    pub const fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by))
    }

    /// How long from here to `later`; zero when `later` is past.
    pub const fn until(self, later: Self) -> Duration {
        later.0.saturating_sub(self.0)
    }
}

/// Both clocks, read at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Now {
    /// What the wall clock says.
    pub wall: UnixTime,
    /// How long the machine has been up.
    pub boot: BootTime,
}

impl Now {
    /// What the wall clock, as it is set now, says at `moment`: past or to come, in whole seconds.
    /// Facts are kept in boot time and told by this, so that they are right after the wall clock
    /// was set.
    pub const fn wall_at(&self, moment: BootTime) -> UnixTime {
        let wall = self.wall.plus(self.boot.until(moment)).minus(moment.until(self.boot));
        UnixTime::from_secs(wall.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: u64 = 86_400_000;

    fn at(wall: u64, boot: u64) -> Now {
        Now {
            wall: UnixTime::from_epoch(Duration::from_millis(wall)),
            boot: BootTime::from_start(Duration::from_millis(boot)),
        }
    }

    #[test]
    fn a_moment_is_told_by_the_wall_clock_as_it_is_set_now() {
        let moment = BootTime::from_start(Duration::from_secs(100));
        assert_eq!(at(5_000_000, 40_000).wall_at(moment).as_secs(), 5060, "to come");
        assert_eq!(at(5_000_000, 130_000).wall_at(moment).as_secs(), 4970, "past");
        assert_eq!(at(8_600_000, 130_000).wall_at(moment).as_secs(), 8570, "the clock was set");
        assert_eq!(at(10_000, 130_000).wall_at(moment).as_secs(), 0, "not before the epoch");
    }

    proptest! {
        #[test]
        fn a_moment_is_told_the_same_whenever_it_is_asked_for(
            wall in DAY..2 * DAY, boot in 0..DAY, moment in 0..2 * DAY, later in 0..DAY,
        ) {
            let moment = BootTime::from_start(Duration::from_millis(moment));
            let first = at(wall, boot).wall_at(moment);
            prop_assert_eq!(first, at(wall + later, boot + later).wall_at(moment));
        }
    }
}
