//! Two timers of the kernel (timerfd): one for moments, one for the wall clock itself.
//!
//! tokio's own timers stand still while the machine sleeps. A token does not.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use authbroker_core::time::BootTime;
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::readable;
use crate::platform::clock;

/// The pause where a timer cannot be read or set, which the kernel gives no reason to expect.
const AFTER_A_FAULT: Duration = Duration::from_secs(1);

/// An alarm on the boot clock. What was due while the machine slept rings when it wakes.
#[derive(Debug)]
pub(super) struct Alarm(Timer);

impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Timer::new(TimerfdClockId::Boottime)?))
    }

    /// Waits until the boot clock has reached `due`; for ever where nothing is due.
    pub(super) async fn ring_at(&self, due: Option<BootTime>) {
        let moment = due.map(|due| BootTime::default().until(due));
        // All zero would mean: never.
        let moment = moment.map_or(Duration::ZERO, |moment| moment.max(Duration::from_nanos(1)));
        loop {
            let rung = match self.0.set(moment, TimerfdTimerFlags::ABSTIME) {
                Ok(()) => self.0.wait().await,
                Err(error) => Err(error),
            };
            match rung {
                Ok(()) => return,
                Err(error) => fault(&error).await,
            }
            if due.is_some_and(|due| due <= clock::now().boot) {
                return;
            }
        }
    }
}

/// The wall clock, watched for being set: by a person, by the network's time, and by the kernel
/// itself when the machine wakes.
#[derive(Debug)]
pub(super) struct WallClock(Timer);

impl WallClock {
    pub(super) fn new() -> io::Result<Self> {
        let timer = Timer::new(TimerfdClockId::Realtime)?;
        // A moment that never comes. What counts is that setting the clock cancels the wait for it.
        let never = Duration::from_secs(i64::MAX.unsigned_abs());
        timer.set(never, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET)?;
        Ok(Self(timer))
    }

    /// Waits until the clock is set.
    pub(super) async fn set(&self) {
        loop {
            match self.0.wait().await {
                Err(error) if error.raw_os_error() == Some(Errno::CANCELED.raw_os_error()) => {
                    return;
                }
                Err(error) => fault(&error).await,
                Ok(()) => {}
            }
        }
    }
}

async fn fault(error: &io::Error) {
    tracing::error!(%error, "a timer of the kernel fails");
    tokio::time::sleep(AFTER_A_FAULT).await;
}

#[derive(Debug)]
struct Timer(AsyncFd<OwnedFd>);

impl Timer {
    fn new(clock: TimerfdClockId) -> io::Result<Self> {
        let timer = timerfd_create(clock, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self(readable(timer)?))
    }

    fn set(&self, moment: Duration, flags: TimerfdTimerFlags) -> io::Result<()> {
        let moment = Timespec {
            tv_sec: i64::try_from(moment.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: moment.subsec_nanos().into(),
        };
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once = Itimerspec { it_interval: never, it_value: moment };
        timerfd_settime(&self.0, flags, &once)?;
        Ok(())
    }

    /// Waits until it has run out, or fails with what ended it sooner.
    async fn wait(&self) -> io::Result<()> {
        let read = |timer: &OwnedFd| Ok(rustix::io::read(timer, &mut [0; 8])?);
        self.0.async_io(Interest::READABLE, read).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_moment_that_is_past_rings_at_once_and_one_to_come_rings_then() {
        let alarm = Alarm::new().unwrap();
        for due in [BootTime::default(), clock::now().boot.plus(Duration::from_millis(20))] {
            alarm.ring_at(Some(due)).await;
            assert!(clock::now().boot >= due);
        }
    }

    #[tokio::test]
    async fn the_alarm_can_be_set_sooner_and_off() {
        let alarm = Alarm::new().unwrap();
        let hour = clock::now().boot.plus(Duration::from_hours(1));
        for later in [Some(hour), None] {
            tokio::select! {
                biased;
                () = alarm.ring_at(later) => panic!("it rang out of time"),
                () = tokio::task::yield_now() => {}
            }
        }
        alarm.ring_at(Some(clock::now().boot)).await;
    }

    #[tokio::test]
    async fn a_wall_clock_that_nobody_sets_tells_nothing() {
        let (wall_clock, alarm) = (WallClock::new().unwrap(), Alarm::new().unwrap());
        tokio::select! {
            biased;
            () = wall_clock.set() => panic!("nobody set it"),
            () = alarm.ring_at(Some(clock::now().boot)) => {}
        }
    }
}
