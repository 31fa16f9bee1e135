//! Two clocks, both read elsewhere and handed in.
//!
//! [`BootTime`] runs on while the machine sleeps and never jumps: tokens expire on it.
//! [`UnixTime`] is what people and files call the time: it may be set, so nothing is decided by it.

use std::time::Duration;

/// Seconds since 1970-01-01T00:00:00Z, as the wall clock says it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The moment `seconds` after the epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// This moment moved on by `by`, in whole seconds, rounded down.
    #[must_use]
    pub const fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by.as_secs()))
    }

    /// This moment moved back by `by`, in whole seconds, not before the epoch.
    #[must_use]
    pub const fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by.as_secs()))
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
    /// What the wall clock will say at `moment`, if nobody sets it.
    pub const fn wall_at(&self, moment: BootTime) -> UnixTime {
        self.wall.plus(self.boot.until(moment))
    }
}
