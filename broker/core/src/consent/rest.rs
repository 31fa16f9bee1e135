//! Apps that rest: who was refused does not ask again and again.

use std::time::Duration;

use super::Subject;
use crate::time::BootTime;

/// The first rest. Each further one is twice as long.
const FIRST: Duration = Duration::from_secs(30);
/// The longest.
const LONGEST: Duration = Duration::from_hours(1);
/// How long after its rest an app is no longer remembered for it.
const FORGIVEN: Duration = Duration::from_hours(1);
/// How many apps are remembered; of more, those whose rest ended first are not.
const MOST: usize = 64;
/// What a refusal weighs, and what makes an app rest. One that takes its question back has asked
/// somebody in vain, too, but a person who interrupts a command and tries again is no nuisance.
const REFUSED: u32 = 3;
const WITHDREW: u32 = 1;

/// The apps that rest, or did not long ago.
#[derive(Clone, Debug, Default)]
pub(super) struct Rests(Vec<Rest>);

#[derive(Clone, Debug)]
struct Rest {
    subject: Subject,
    weight: u32,
    until: BootTime,
}

impl Rests {
    /// How long an app must still rest, if it must.
    pub(super) fn left(&self, subject: &Subject, now: BootTime) -> Option<Duration> {
        let rest = self.0.iter().find(|rest| rest.subject == *subject)?;
        Some(now.until(rest.until)).filter(|left| !left.is_zero())
    }

    /// An app was told no, or nothing at all.
    pub(super) fn refused(&mut self, subject: Subject, now: BootTime) {
        self.weigh(subject, REFUSED, now);
    }

    /// An app took its question back.
    pub(super) fn withdrew(&mut self, subject: Subject, now: BootTime) {
        self.weigh(subject, WITHDREW, now);
    }

    /// An app was told yes.
    pub(super) fn forgive(&mut self, subject: &Subject) {
        self.0.retain(|rest| rest.subject != *subject);
    }

    fn weigh(&mut self, subject: Subject, more: u32, now: BootTime) {
        self.0.retain(|rest| now < rest.until.plus(FORGIVEN));
        let known = self.0.iter().position(|rest| rest.subject == subject);
        let before = known.map_or(0, |place| self.0.swap_remove(place).weight);
        let weight = before.saturating_add(more);
        self.0.push(Rest { subject, weight, until: now.plus(pause(weight)) });
        if self.0.len() > MOST {
            self.0.sort_by_key(|rest| rest.until);
            self.0.remove(0);
        }
    }
}

fn pause(weight: u32) -> Duration {
    match weight / REFUSED {
        0 => Duration::ZERO,
        times => FIRST.saturating_mul(1 << (times - 1).min(10)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::{Caller, Door};

    fn subject(uid: u32) -> Subject {
        Subject::of(&Caller::of_user(uid, Door::Socket))
    }

    fn at(seconds: u64) -> BootTime {
        BootTime::from_start(Duration::from_secs(seconds))
    }

    #[test]
    fn each_refusal_means_a_longer_rest_up_to_an_hour() {
        let mut rests = Rests::default();
        for expected in [30, 60, 120] {
            rests.refused(subject(1), at(0));
            assert_eq!(rests.left(&subject(1), at(0)), Some(Duration::from_secs(expected)));
        }
        for _ in 0..100 {
            rests.refused(subject(1), at(0));
        }
        assert_eq!(rests.left(&subject(1), at(0)), Some(LONGEST));
        assert_eq!(rests.left(&subject(1), at(3600)), None);
    }

    #[test]
    fn to_interrupt_twice_costs_nothing_and_to_do_so_again_and_again_does() {
        let mut rests = Rests::default();
        for _ in 0..2 {
            rests.withdrew(subject(1), at(0));
            assert_eq!(rests.left(&subject(1), at(0)), None);
        }
        rests.withdrew(subject(1), at(0));
        assert_eq!(rests.left(&subject(1), at(0)), Some(FIRST));
    }

    #[test]
    fn a_yes_and_an_hour_of_quiet_make_good_again() {
        let mut rests = Rests::default();
        rests.refused(subject(1), at(0));
        rests.forgive(&subject(1));
        assert_eq!(rests.left(&subject(1), at(0)), None);
        rests.refused(subject(1), at(0));
        rests.refused(subject(1), at(3630));
        assert_eq!(rests.left(&subject(1), at(3630)), Some(FIRST), "the first is forgotten");
    }

    #[test]
    fn others_do_not_rest_and_no_number_of_apps_fills_the_memory() {
        let mut rests = Rests::default();
        for uid in 0..1000 {
            rests.refused(subject(uid), at(u64::from(uid)));
            assert_eq!(rests.left(&subject(uid + 1), at(0)), None);
        }
        assert_eq!(rests.0.len(), MOST);
    }
}
