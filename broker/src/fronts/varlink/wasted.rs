//! Connections that came to nothing. Each costs as much as one that asks for something: the peer is
//! looked at before it has said a word. Who made many of them just now finds the door shut.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use authbroker_core::time::BootTime;

use super::limits::{Process, SILENCE, take_one};

/// How many of them one process may make within [`MEMORY`].
const PER_PROCESS: usize = 64;
/// How long one is remembered.
const MEMORY: Duration = SILENCE;
/// How many are remembered. Who has that many processes pays for each.
const ROOM: usize = 4096;

/// Who made them, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Wasted {
    made: VecDeque<(BootTime, Process)>,
    counts: HashMap<Process, usize>,
}

impl Wasted {
    /// Remembers one.
    pub(super) fn note(&mut self, process: Process, now: BootTime) {
        self.forget(now);
        if self.made.len() < ROOM {
            self.made.push_back((now.plus(MEMORY), process));
            *self.counts.entry(process).or_default() += 1;
        }
    }

    /// Whether a process has made too many.
    pub(super) fn are_too_many(&mut self, process: Process, now: BootTime) -> bool {
        self.forget(now);
        self.counts.get(&process).is_some_and(|count| *count >= PER_PROCESS)
    }

    fn forget(&mut self, now: BootTime) {
        while let Some((_, process)) = self.made.pop_front_if(|(ends, _)| *ends <= now) {
            take_one(&mut self.counts, &process);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASTY: Process = (1, Some(7));

    #[test]
    fn who_has_wasted_many_connections_waits_until_they_are_forgotten() {
        let (mut wasted, start) = (Wasted::default(), BootTime::default());
        for _ in 1..PER_PROCESS {
            wasted.note(HASTY, start);
        }
        assert!(!wasted.are_too_many(HASTY, start));
        wasted.note(HASTY, start.plus(MEMORY / 2));
        assert!(wasted.are_too_many(HASTY, start.plus(MEMORY / 2)));
        assert!(!wasted.are_too_many((1, Some(8)), start.plus(MEMORY / 2)), "another process");
        assert!(!wasted.are_too_many(HASTY, start.plus(MEMORY)));
        wasted.forget(start.plus(MEMORY * 2));
        assert!(wasted.counts.is_empty(), "nobody is remembered for ever");
    }

    #[test]
    fn a_crowd_of_hasty_processes_takes_up_no_more_room_than_there_is() {
        let (mut wasted, start) = (Wasted::default(), BootTime::default());
        (0..10_000).for_each(|pid| wasted.note((1, Some(pid)), start));
        assert_eq!((wasted.made.len(), wasted.counts.len()), (ROOM, ROOM));
    }
}
