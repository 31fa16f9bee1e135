//! The way from whoever something happens to, to the writer's thread.
//!
//! Putting a record in takes a short lock and never waits. Deliveries of one token are counted right
//! here, so that most of them are no more than that. The queue is bounded: what does not fit is
//! counted, too, and the writer gives the count a line of its own. A writer at work looks for more by
//! itself and is woken only when it rests, so that a crowd of callers costs few wake-ups.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authbroker_core::audit::{ChainKey, Deliveries, Delivery, Line, Stamped};
use authbroker_core::time::Now;
use tokio::sync::oneshot;

use super::verify::Snapshot;
use crate::platform::clock;

/// How many lines wait at most. At a hundred a second, that is a disk that stands still for more
/// than a minute.
const ROOM: usize = 8192;

/// How long the writer lets records gather while they come.
const GATHER: Duration = Duration::from_millis(50);

/// What the writer is to do.
#[derive(Debug)]
pub(super) enum Job {
    /// Write what happened.
    Line(Box<Line>),
    /// So many lines found no room here.
    Lost(u64),
    /// The vault was opened, or has a new key.
    Key(ChainKey),
    /// Bring all that came before to the disk, and tell where the record stands.
    Flush(oneshot::Sender<Result<Snapshot, String>>),
    /// Nothing comes after this.
    End,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    // A std mutex: held to move jobs in and out, never across an await.
    state: Mutex<State>,
    /// Told when the writer rests and is to work.
    work: Condvar,
    /// Told when the writer gathers and is not to wait any longer.
    hurry: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    lines: usize,
    lost: u64,
    deliveries: Deliveries,
    writer: Writer,
    /// Whether a job is there that somebody waits for.
    hurried: bool,
}

/// What the writer's thread does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Writer {
    #[default]
    Works,
    Rests,
}

impl Queue {
    /// Puts a record in, or counts it as lost. Never waits.
    pub(super) fn record(&self, stamped: Stamped) {
        let mut state = self.state();
        let lines = state.deliveries.take(stamped);
        if !lines.is_empty() {
            state.put(lines);
            self.wake(&mut state);
        }
    }

    /// Counts a delivery that has its line already, which wakes nobody. Tells whether it has.
    pub(super) fn again(&self, delivery: &Delivery, word: Option<&str>, at: Now) -> bool {
        self.state().deliveries.again(delivery, word, at)
    }

    fn wake(&self, state: &mut State) {
        if state.writer == Writer::Rests {
            state.writer = Writer::Works;
            self.work.notify_one();
        }
    }

    /// Puts in a job that is always taken, and soon.
    pub(super) fn order(&self, job: Job) {
        let mut state = self.state();
        state.own_up();
        state.jobs.push_back(job);
        state.hurried = true;
        state.writer = Writer::Works;
        self.work.notify_one();
        self.hurry.notify_one();
    }

    /// What there is to do, after at most `patience` where there is nothing.
    pub(super) fn next(&self, patience: Option<Duration>) -> VecDeque<Job> {
        let mut state = self.state();
        state.end_counts();
        if state.jobs.is_empty() && state.lost == 0 {
            state.writer = Writer::Rests;
            let patience = [patience, state.patience()].into_iter().flatten().min();
            let rests = |state: &mut State| state.writer == Writer::Rests;
            state = if let Some(patience) = patience {
                let woken = self.work.wait_timeout_while(state, patience, rests);
                woken.unwrap_or_else(PoisonError::into_inner).0
            } else {
                self.work.wait_while(state, rests).unwrap_or_else(PoisonError::into_inner)
            };
            state.writer = Writer::Works;
        }
        if !state.jobs.is_empty() && !state.hurried {
            let alone = |state: &mut State| !state.hurried;
            let gathered = self.hurry.wait_timeout_while(state, GATHER, alone);
            state = gathered.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.end_counts();
        state.own_up();
        state.lines = 0;
        state.hurried = false;
        std::mem::take(&mut state.jobs)
    }

    /// The lines of what is still being counted: the broker ends.
    pub(super) fn drain(&self) -> Vec<Line> {
        self.state().deliveries.drain()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, lines: Vec<Line>) {
        for line in lines {
            if self.lines >= ROOM {
                self.lost += 1;
                continue;
            }
            self.own_up();
            self.lines += 1;
            self.jobs.push_back(Job::Line(Box::new(line)));
        }
    }

    /// Puts in the lines of the counts whose minute has passed.
    fn end_counts(&mut self) {
        let lines = self.deliveries.due(clock::now().boot);
        self.put(lines);
    }

    /// How long it is until a count ends.
    fn patience(&self) -> Option<Duration> {
        Some(clock::now().boot.until(self.deliveries.next()?))
    }

    /// Gives what was lost its place in the order.
    fn own_up(&mut self) {
        if self.lost > 0 {
            self.jobs.push_back(Job::Lost(std::mem::take(&mut self.lost)));
        }
    }
}

#[cfg(test)]
mod tests {
    use authbroker_core::audit::{Event, Record};

    use super::*;

    fn stamped() -> Stamped {
        Stamped { record: Record::of(Event::Refusal), at: Now::default() }
    }

    #[test]
    fn what_finds_no_room_is_counted_and_told_in_its_place() {
        let queue = Queue::default();
        for _ in 0..ROOM + 3 {
            queue.record(stamped());
        }
        let mut jobs = queue.next(None);
        assert!(matches!(jobs.pop_back(), Some(Job::Lost(3))));
        assert_eq!(jobs.len(), ROOM);
        queue.record(stamped());
        assert_eq!(queue.next(None).len(), 1, "there is room again");
    }

    #[test]
    fn an_order_finds_room_where_no_record_does() {
        let queue = Queue::default();
        for _ in 0..=ROOM {
            queue.record(stamped());
        }
        queue.order(Job::End);
        let jobs = queue.next(None);
        let last: Vec<_> = jobs.iter().skip(ROOM).collect();
        assert!(matches!(last[..], [Job::Lost(1), Job::End]), "{last:?}");
    }

    #[test]
    fn a_writer_that_rests_is_woken() {
        let queue = std::sync::Arc::new(Queue::default());
        let writer = std::thread::spawn({
            let queue = std::sync::Arc::clone(&queue);
            move || queue.next(None).len()
        });
        queue.record(stamped());
        assert_eq!(writer.join().unwrap(), 1);
        assert_eq!(queue.next(Some(Duration::from_millis(1))).len(), 0, "patience ends");
    }
}
