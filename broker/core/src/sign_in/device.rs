//! A sign-in on another device: how often to ask whether the person has come (RFC 8628 §3.5).
//!
//! 1. [`Waiting::begin`] takes what the provider said about its code, within reason.
//! 2. Each poll that brings no verdict is [`heard`](Waiting::heard).
//! 3. [`Waiting::next`] says when to ask again, and when to give up. There is no way back from that:
//!    a new code is for a person to ask for.

use std::time::Duration;

use crate::time::BootTime;

/// What counts where the provider names no interval (§3.2).
const UNSAID_INTERVAL: Duration = Duration::from_secs(5);
/// What `slow_down` adds to it, for good (§3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// The shortest interval: without a pause, a poll would be a flood.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest interval that is believed, and the longest pause after failures: a person who has
/// typed the code should not wait longer.
const LONGEST: Duration = Duration::from_mins(1);
/// How long a code counts whose provider does not say. It should: §3.2 requires it.
const UNSAID_LIFE: Duration = Duration::from_mins(10);
/// The longest life that is believed.
const LONGEST_LIFE: Duration = Duration::from_hours(1);

/// What the provider says of a code's time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Pace {
    /// The least time between two polls.
    pub interval: Option<Duration>,
    /// How long the code can be used.
    pub life: Option<Duration>,
}

/// What a poll brought, if it was no verdict.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Heard {
    /// Nobody has finished yet: `authorization_pending`.
    Pending,
    /// The same, and we ask too often: `slow_down`.
    SlowDown,
    /// The provider did not answer, or cannot serve now.
    Nothing {
        /// When it wants to be asked again, if it said so.
        retry_after: Option<Duration>,
    },
}

/// What comes next, and how long until then.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Next {
    /// A poll.
    Poll(Duration),
    /// The end: the code has run out, or the patience.
    GiveUp(Duration),
}

/// A device that waits for its person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Waiting {
    interval: Duration,
    pause: Duration,
    ends: BootTime,
}

impl Waiting {
    /// Begins to wait `now`, for as long as the code can be used or somebody has `patience`.
    pub fn begin(pace: Pace, patience: Option<Duration>, now: BootTime) -> Self {
        let interval = pace.interval.unwrap_or(UNSAID_INTERVAL).clamp(SHORTEST, LONGEST);
        let life = pace.life.unwrap_or(UNSAID_LIFE).min(LONGEST_LIFE);
        let life = patience.map_or(life, |patience| life.min(patience));
        Self { interval, pause: interval, ends: now.plus(life) }
    }

    /// When the wait ends.
    pub const fn ends(&self) -> BootTime {
        self.ends
    }

    /// Takes in what a poll brought. A provider that does not answer is asked less and less often,
    /// and as before once it answers again.
    pub fn heard(&mut self, heard: Heard) {
        self.pause = match heard {
            Heard::Pending => self.interval,
            Heard::SlowDown => {
                self.interval += SLOWER;
                self.interval
            }
            Heard::Nothing { retry_after } => {
                let doubled = (self.pause * 2).min(LONGEST).max(self.interval);
                retry_after.map_or(doubled, |asked| asked.max(self.interval))
            }
        };
    }

    /// What comes next.
    pub fn next(&self, now: BootTime) -> Next {
        let left = now.until(self.ends);
        if self.pause < left { Next::Poll(self.pause) } else { Next::GiveUp(left) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: BootTime = BootTime::from_start(Duration::from_secs(1000));
    const SECOND: Duration = Duration::from_secs(1);

    fn waiting(interval: Option<u64>, life: u64) -> Waiting {
        let seconds = Duration::from_secs;
        let pace = Pace { interval: interval.map(seconds), life: Some(seconds(life)) };
        Waiting::begin(pace, None, NOW)
    }

    /// The pause before the next poll, in seconds.
    fn pause(waiting: &Waiting) -> u64 {
        match waiting.next(NOW) {
            Next::Poll(pause) => pause.as_secs(),
            Next::GiveUp(left) => panic!("it gives up after {left:?}"),
        }
    }

    #[test]
    fn a_provider_that_names_no_interval_is_asked_every_five_seconds() {
        assert_eq!(pause(&waiting(None, 600)), 5);
    }

    #[test]
    fn an_interval_is_kept_to_within_reason() {
        for (said, kept) in [(2, 2), (0, 1), (59, 59), (100_000, 60)] {
            assert_eq!(pause(&waiting(Some(said), 600)), kept);
        }
    }

    #[test]
    fn pending_goes_on_and_slow_down_adds_five_seconds_for_good() {
        let mut waiting = waiting(Some(2), 600);
        for (heard, kept) in [
            (Heard::Pending, 2),
            (Heard::SlowDown, 7),
            (Heard::Pending, 7),
            (Heard::SlowDown, 12),
            (Heard::Nothing { retry_after: None }, 24),
            (Heard::Pending, 12),
        ] {
            waiting.heard(heard);
            assert_eq!(pause(&waiting), kept, "{heard:?}");
        }
    }

    #[test]
    fn a_provider_that_does_not_answer_is_asked_less_often_until_it_does() {
        let mut waiting = waiting(Some(5), 600);
        let mut silence = || {
            waiting.heard(Heard::Nothing { retry_after: None });
            pause(&waiting)
        };
        assert_eq!([silence(), silence(), silence(), silence(), silence()], [10, 20, 40, 60, 60]);
        waiting.heard(Heard::Pending);
        assert_eq!(pause(&waiting), 5);
    }

    #[test]
    fn a_provider_that_says_when_is_asked_then_and_never_sooner_than_the_interval() {
        let mut waiting = waiting(Some(5), 600);
        for (asked, kept) in [(90, 90), (1, 5)] {
            waiting.heard(Heard::Nothing { retry_after: Some(SECOND * asked) });
            assert_eq!(pause(&waiting), kept);
        }
    }

    #[test]
    fn the_wait_ends_with_the_code_or_with_the_patience() {
        let code = waiting(Some(5), 30);
        assert_eq!(code.next(NOW.plus(SECOND * 24)), Next::Poll(SECOND * 5));
        assert_eq!(code.next(NOW.plus(SECOND * 26)), Next::GiveUp(SECOND * 4));
        assert_eq!(code.next(NOW.plus(SECOND * 99)), Next::GiveUp(Duration::ZERO));
        let hasty = Waiting::begin(Pace::default(), Some(SECOND), NOW);
        assert_eq!(hasty.next(NOW), Next::GiveUp(SECOND));
    }

    #[test]
    fn a_code_that_never_ends_is_not_waited_for_for_ever() {
        let hours = |pace| NOW.until(Waiting::begin(pace, None, NOW).ends()).as_secs();
        assert_eq!(hours(Pace { life: Some(Duration::MAX), interval: None }), 3600);
        assert_eq!(hours(Pace::default()), 600);
    }
}
