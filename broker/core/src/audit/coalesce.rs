//! Which deliveries are one line: those of one token to one caller within a minute.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::{Event, Fingerprint, Line, Record, Repeats, Stamped};
use crate::caller::{Caller, Identity};
use crate::ids::AccountId;
use crate::policy::Basis;
use crate::time::{BootTime, Now, UnixTime};

/// How long deliveries of one token to one caller count as one.
pub const WINDOW: Duration = Duration::from_mins(1);

/// How many tokens and callers are counted at once. With more, the oldest count is ended early.
const MOST: usize = 1024;

/// The deliveries of the last minute.
///
/// The first one of a token to a caller has its line at once. Those that follow within [`WINDOW`]
/// are counted, and when it has passed they have one line together. What is counted needs no
/// [`Record`] made for it: [`Deliveries::again`].
#[derive(Debug, Default)]
pub struct Deliveries {
    open: HashMap<Delivery, Count>,
    /// The same, the oldest first: all windows are of one length.
    ends: VecDeque<(BootTime, Delivery)>,
}

/// One token, given to one caller on one ground.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Delivery {
    fingerprint: Fingerprint,
    account: Option<AccountId>,
    uid: u32,
    pid: Option<u32>,
    identity: Identity,
    basis: Option<Basis>,
}

impl Delivery {
    /// The delivery of a token of `account` to `caller`.
    pub fn new(
        fingerprint: Fingerprint,
        account: Option<AccountId>,
        caller: &Caller,
        basis: Option<Basis>,
    ) -> Self {
        let Caller { uid, pid, ref identity, .. } = *caller;
        Self { fingerprint, account, uid, pid, identity: identity.clone(), basis }
    }

    /// What a record is a delivery of, if it is one.
    fn of(record: &Record) -> Option<Self> {
        let (Event::Token, Some(fingerprint)) = (record.event, record.fingerprint) else {
            return None;
        };
        let caller = record.caller.as_ref()?;
        Some(Self::new(fingerprint, record.account.clone(), caller, record.basis.clone()))
    }
}

#[derive(Debug)]
struct Count {
    /// What the first one's line said. The others' says the same, but for the time.
    record: Record,
    first: UnixTime,
    ends: BootTime,
    repeated: Option<Repeated>,
}

/// Those that came after the first.
#[derive(Debug)]
struct Repeated {
    last: UnixTime,
    count: u64,
    /// The newest one's own word for its request.
    word: Option<String>,
}

impl Count {
    fn again(&mut self, word: Option<&str>, now: UnixTime) {
        let count = self.repeated.take().map_or(0, |repeated| repeated.count) + 1;
        let word = word.map(str::to_owned);
        self.repeated = Some(Repeated { last: now, count, word });
    }

    /// The line of those that came after the first, if any did.
    fn line(self) -> Option<Line> {
        let Repeated { last, count, word } = self.repeated?;
        // Each request may have had a word of its own.
        let correlation_id = word.filter(|_| count == 1);
        let record = Record { correlation_id, ..self.record };
        Some(Line { record, time: last, repeats: Some(Repeats { count, since: self.first }) })
    }
}

impl Deliveries {
    /// Takes up what happened, and gives the lines that are to be written now, in this order.
    pub fn take(&mut self, stamped: Stamped) -> Vec<Line> {
        let Stamped { record, at } = stamped;
        // After the broker's last line there is none.
        let ends = record.event == Event::Stop;
        let mut lines = if ends { self.drain() } else { self.due(at.boot) };
        let Some(delivery) = Delivery::of(&record) else {
            lines.push(Line::once(record, at.wall));
            return lines;
        };
        if self.again(&delivery, record.correlation_id.as_deref(), at) {
            return lines;
        }
        if self.ends.len() >= MOST {
            lines.extend(self.end_oldest());
        }
        self.open(delivery, record.clone(), at);
        lines.push(Line::once(record, at.wall));
        lines
    }

    /// Counts a delivery of a token that had its line within the last minute. Tells whether it is
    /// one; what is not is to be [taken](Deliveries::take).
    pub fn again(&mut self, delivery: &Delivery, word: Option<&str>, at: Now) -> bool {
        let count = self.open.get_mut(delivery).filter(|count| at.boot < count.ends);
        count.map(|count| count.again(word, at.wall)).is_some()
    }

    fn open(&mut self, delivery: Delivery, record: Record, at: Now) {
        let ends = at.boot.plus(WINDOW);
        let count = Count { record, first: at.wall, ends, repeated: None };
        self.open.insert(delivery.clone(), count);
        self.ends.push_back((ends, delivery));
    }

    /// The counts whose minute has passed.
    pub fn due(&mut self, now: BootTime) -> Vec<Line> {
        let mut lines = Vec::new();
        while self.next().is_some_and(|end| end <= now) {
            lines.extend(self.end_oldest());
        }
        lines
    }

    /// When the next count ends.
    pub fn next(&self) -> Option<BootTime> {
        self.ends.front().map(|(end, _)| *end)
    }

    /// Every count, before its minute has passed: the broker ends.
    pub fn drain(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        while !self.ends.is_empty() {
            lines.extend(self.end_oldest());
        }
        lines
    }

    fn end_oldest(&mut self) -> Option<Line> {
        let (_, delivery) = self.ends.pop_front()?;
        self.open.remove(&delivery)?.line()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Door;
    use crate::secret::Secret;

    const START: u64 = 1_000;

    fn at(seconds: u64) -> Now {
        let boot = BootTime::from_start(Duration::from_secs(seconds));
        Now { wall: UnixTime::from_secs(START + seconds), boot }
    }

    fn token(value: &str, pid: u32) -> Record {
        let caller = Caller { pid: Some(pid), ..Caller::of_user(1000, Door::Socket) };
        let fingerprint = Some(Fingerprint::of(&Secret::new(value.into())));
        Record { fingerprint, ..Record::of(Event::Token).by(&caller) }
    }

    fn given(deliveries: &mut Deliveries, value: &str, pid: u32, seconds: u64) -> Vec<Line> {
        deliveries.take(Stamped { record: token(value, pid), at: at(seconds) })
    }

    fn counts(lines: &[Line]) -> Vec<u64> {
        lines.iter().map(|line| line.repeats.map_or(1, |repeats| repeats.count)).collect()
    }

    #[test]
    fn a_token_given_again_within_a_minute_is_one_counted_line() {
        let mut deliveries = Deliveries::default();
        assert_eq!(counts(&given(&mut deliveries, "a", 1, 0)), [1], "the first at once");
        for second in 1..=59 {
            assert_eq!(given(&mut deliveries, "a", 1, second), []);
        }
        assert_eq!(deliveries.due(at(59).boot), []);
        let lines = deliveries.due(at(60).boot);
        let repeats = Repeats { count: 59, since: UnixTime::from_secs(START) };
        assert_eq!(lines[0].repeats, Some(repeats));
        assert_eq!(lines[0].time, UnixTime::from_secs(START + 59));
        assert_eq!(counts(&given(&mut deliveries, "a", 1, 60)), [1], "another minute");
    }

    #[test]
    fn a_token_given_once_has_one_line() {
        let mut deliveries = Deliveries::default();
        given(&mut deliveries, "a", 1, 0);
        assert_eq!(deliveries.due(at(61).boot), []);
        assert_eq!(deliveries.next(), None);
    }

    #[test]
    fn another_token_and_another_caller_have_lines_of_their_own() {
        let mut deliveries = Deliveries::default();
        for (value, pid) in [("a", 1), ("b", 1), ("a", 2)] {
            assert_eq!(counts(&given(&mut deliveries, value, pid, 0)), [1]);
        }
    }

    #[test]
    fn a_token_given_on_another_ground_has_a_line_of_its_own() {
        let mut deliveries = Deliveries::default();
        for verified in [true, false] {
            let basis = Some(Basis::Default { verified });
            let stamped = Stamped { record: Record { basis, ..token("a", 1) }, at: at(0) };
            assert_eq!(counts(&deliveries.take(stamped)), [1]);
        }
    }

    #[test]
    fn what_has_no_line_yet_is_not_counted() {
        let mut deliveries = Deliveries::default();
        let delivery = Delivery::of(&token("a", 1)).unwrap();
        assert!(!deliveries.again(&delivery, None, at(0)));
        given(&mut deliveries, "a", 1, 0);
        assert!(deliveries.again(&delivery, None, at(59)));
        assert!(!deliveries.again(&delivery, None, at(60)), "a minute has passed");
        assert_eq!(counts(&given(&mut deliveries, "a", 1, 60)), [1, 1]);
    }

    #[test]
    fn what_is_no_delivery_is_never_counted_together() {
        let mut deliveries = Deliveries::default();
        for _ in 0..2 {
            let stamped = Stamped { record: Record::of(Event::Refusal), at: at(0) };
            assert_eq!(counts(&deliveries.take(stamped)), [1]);
        }
    }

    #[test]
    fn a_count_that_ended_stands_before_what_comes_after_it() {
        let mut deliveries = Deliveries::default();
        given(&mut deliveries, "a", 1, 0);
        given(&mut deliveries, "a", 1, 1);
        given(&mut deliveries, "a", 1, 2);
        assert_eq!(counts(&given(&mut deliveries, "b", 1, 100)), [2, 1]);
    }

    #[test]
    fn the_end_of_the_broker_ends_every_count() {
        let mut deliveries = Deliveries::default();
        for value in ["a", "b"] {
            given(&mut deliveries, value, 1, 0);
            given(&mut deliveries, value, 1, 1);
        }
        assert_eq!(counts(&deliveries.drain()), [1, 1]);
        assert_eq!(deliveries.drain(), []);
    }

    #[test]
    fn the_brokers_last_line_is_the_last() {
        let mut deliveries = Deliveries::default();
        given(&mut deliveries, "a", 1, 0);
        given(&mut deliveries, "a", 1, 1);
        let lines = deliveries.take(Stamped { record: Record::of(Event::Stop), at: at(2) });
        let events: Vec<_> = lines.iter().map(|line| line.record.event).collect();
        assert_eq!(events, [Event::Token, Event::Stop]);
    }

    #[test]
    fn no_crowd_makes_it_grow_without_bound_and_nothing_is_lost() {
        let mut deliveries = Deliveries::default();
        let mut told = 0;
        for pid in 0..5_000 {
            for _ in 0..2 {
                told += counts(&given(&mut deliveries, "a", pid, 0)).iter().sum::<u64>();
            }
            assert!(deliveries.open.len() <= MOST && deliveries.ends.len() <= MOST);
        }
        told += counts(&deliveries.drain()).iter().sum::<u64>();
        assert_eq!(told, 10_000);
    }

    #[test]
    fn a_counted_line_keeps_the_word_of_a_single_request_only() {
        let mut deliveries = Deliveries::default();
        let mut words = Vec::new();
        for (second, word) in [(0, "one"), (1, "two"), (70, "three"), (71, "four"), (72, "five")] {
            let record = Record { correlation_id: Some(word.into()), ..token("a", 1) };
            words.extend(deliveries.take(Stamped { record, at: at(second) }));
        }
        words.extend(deliveries.drain());
        let words: Vec<_> =
            words.iter().map(|line| line.record.correlation_id.as_deref()).collect();
        assert_eq!(words, [Some("one"), Some("two"), Some("three"), None]);
    }
}
