//! Which deliveries are one line: those of one token to one caller within a minute.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::{Event, Fingerprint, Line, Record, Repeats, Stamped};
use crate::caller::Caller;
use crate::ids::AccountId;
use crate::time::{BootTime, UnixTime};

/// How long deliveries of one token to one caller count as one.
pub const WINDOW: Duration = Duration::from_mins(1);

/// How many tokens and callers are counted at once. With more, the oldest count is ended early.
const MOST: usize = 1024;

/// The deliveries of the last minute.
///
/// The first one of a token to a caller has its line at once. Those that follow within [`WINDOW`]
/// are counted, and when it has passed they have one line together.
#[derive(Debug, Default)]
pub struct Deliveries {
    open: HashMap<Delivery, Count>,
    /// The same, the oldest first: all windows are of one length.
    ends: VecDeque<(BootTime, Delivery)>,
}

/// One token, given to one caller.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Delivery {
    fingerprint: Fingerprint,
    account: Option<AccountId>,
    uid: u32,
    pid: Option<u32>,
    app: String,
}

#[derive(Debug)]
struct Count {
    first: UnixTime,
    /// The newest repeat, and how many there were.
    repeated: Option<(Record, UnixTime, u64)>,
}

impl Deliveries {
    /// Takes up what happened, and gives the lines that are to be written now, in this order.
    pub fn take(&mut self, stamped: Stamped) -> Vec<Line> {
        let Stamped { record, at } = stamped;
        // After the broker's last line there is none.
        let ends = record.event == Event::Stop;
        let mut lines = if ends { self.drain() } else { self.due(at.boot) };
        let Some(delivery) = delivery(&record) else {
            lines.push(Line::once(record, at.wall));
            return lines;
        };
        if let Some(count) = self.open.get_mut(&delivery) {
            let so_far = count.repeated.take().map_or(0, |(_, _, so_far)| so_far);
            count.repeated = Some((record, at.wall, so_far + 1));
            return lines;
        }
        if self.ends.len() >= MOST {
            lines.extend(self.end_oldest());
        }
        self.open.insert(delivery.clone(), Count { first: at.wall, repeated: None });
        self.ends.push_back((at.boot.plus(WINDOW), delivery));
        lines.push(Line::once(record, at.wall));
        lines
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
        let Count { first, repeated } = self.open.remove(&delivery)?;
        let (mut record, time, count) = repeated?;
        if count > 1 {
            // Each request may have had a word of its own.
            record.correlation_id = None;
        }
        Some(Line { record, time, repeats: Some(Repeats { count, since: first }) })
    }
}

/// What a record is a delivery of, if it is one.
fn delivery(record: &Record) -> Option<Delivery> {
    let (Event::Token, Some(fingerprint)) = (record.event, record.fingerprint) else {
        return None;
    };
    let caller = record.caller.as_ref()?;
    let Caller { uid, pid, .. } = *caller;
    let app = caller.app().to_string();
    Some(Delivery { fingerprint, account: record.account.clone(), uid, pid, app })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Door;
    use crate::secret::Secret;
    use crate::time::Now;

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
