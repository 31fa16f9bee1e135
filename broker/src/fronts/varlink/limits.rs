//! What peers may take up, so that nobody notices a bad one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authbroker_core::caller::Caller;
use authbroker_core::failure::{Code, Failure};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::wasted::Wasted;
use crate::platform::clock;

/// How many connections one process may have.
const PER_PROCESS: usize = 64;
/// How many connections the processes of one user may have together.
const PER_USER: usize = 4096;
/// How many peers without a place may wait to be told so. More find the door shut.
const SEATS: usize = 128;
/// How many open files the broker asks for: every place at every socket, and what it needs itself.
pub(super) const OPEN_FILES: u64 = 16 * 1024;
/// How many of them are kept for the vault, the providers and the bus.
const OWN_FILES: usize = 128;

/// How long a peer may be silent after connecting, and how long half a message may lie.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
/// How many calls may wait behind the one that is answered.
pub(super) const CALLS_AHEAD: usize = 8;
/// How long a peer may take to read an answer.
pub(super) const SLOW_READER: Duration = Duration::from_secs(10);
/// The pause when accepting fails.
pub(super) const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// The connections of one socket, by user and process.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    per_user: usize,
    // A std mutex: held for a look and a count, never across an await.
    crowd: Arc<Mutex<Crowd>>,
    seats: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Crowd {
    users: HashMap<u32, usize>,
    processes: HashMap<Process, usize>,
    wasted: Wasted,
    refused: u64,
}

/// A process of a user, or all of that user's that the kernel does not name.
pub(super) type Process = (u32, Option<u32>);

/// One connection's place. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct Place {
    limits: Limits,
    process: Process,
    heard: Heard,
}

/// What has been heard of a place's peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    Something,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The process has all that it may have.
    Process,
    /// The user's processes have, together.
    User,
    /// The process has made many connections just now that came to nothing.
    Wasteful,
}

impl Limits {
    /// The limits of a broker that may have this many files open: a socket never takes so many
    /// that another socket, or the broker itself, is left without.
    pub(super) fn within(open_files: u64) -> Self {
        let files = usize::try_from(open_files).unwrap_or(usize::MAX);
        let share = files.saturating_sub(OWN_FILES + 2 * SEATS) / 2;
        Self {
            per_user: share.clamp(PER_PROCESS, PER_USER),
            crowd: Arc::default(),
            seats: Arc::new(Semaphore::new(SEATS)),
        }
    }

    /// Gives a place to a peer, if one is left for it. The last quarter is for processes that have
    /// none: a few greedy ones cannot keep everybody else out.
    pub(super) fn enter(&self, caller: &Caller) -> Result<Place, Full> {
        let process = (caller.uid, caller.pid);
        let mut crowd = self.crowd();
        let of_process = crowd.processes.get(&process).copied().unwrap_or(0);
        let of_user = crowd.users.get(&caller.uid).copied().unwrap_or(0);
        let room = if of_process == 0 { self.per_user } else { self.per_user / 4 * 3 };
        let full = if crowd.wasted.are_too_many(process, clock::now().boot) {
            Some(Full::Wasteful)
        } else if of_process >= PER_PROCESS {
            Some(Full::Process)
        } else {
            (of_user >= room).then_some(Full::User)
        };
        if let Some(full) = full {
            crowd.note_refusal(caller, full);
            return Err(full);
        }
        *crowd.processes.entry(process).or_default() += 1;
        *crowd.users.entry(caller.uid).or_default() += 1;
        drop(crowd);
        Ok(Place { limits: self.clone(), process, heard: Heard::Nothing })
    }

    /// A seat in which a peer without a place hears why, while there is one.
    pub(super) fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }

    fn crowd(&self) -> MutexGuard<'_, Crowd> {
        self.crowd.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Crowd {
    /// Logs a refusal: each time that their number has doubled, so that a flood fills no disk.
    fn note_refusal(&mut self, caller: &Caller, full: Full) {
        self.refused += 1;
        if self.refused.is_power_of_two() {
            let refused = self.refused;
            tracing::warn!(pid = caller.pid, refused, "too many connections of one {full:?}");
        }
    }
}

impl Full {
    /// What such a peer is told.
    pub(super) fn failure(self) -> Failure {
        let message = match self {
            Self::Process => {
                format!("this process has {PER_PROCESS} connections to the broker already")
            }
            Self::Wasteful => "this process connects again and again and says nothing".to_owned(),
            Self::User => "the programs of this user have all the connections they may".to_owned(),
        };
        let hint = "close connections that are not in use (one carries any number of calls); \
                    ss -xp shows who has them";
        Failure::new(Code::Busy, message, hint)
    }
}

impl Place {
    /// Takes note that its peer has said something.
    pub(super) const fn has_spoken(&mut self) {
        self.heard = Heard::Something;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut crowd = self.limits.crowd();
        if self.heard == Heard::Nothing {
            crowd.wasted.note(self.process, clock::now().boot);
        }
        take_one(&mut crowd.processes, &self.process);
        take_one(&mut crowd.users, &self.process.0);
    }
}

pub(super) fn take_one<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use authbroker_core::caller::Door;

    use super::*;

    fn caller(pid: u32) -> Caller {
        Caller { pid: Some(pid), ..Caller::of_user(1, Door::Socket) }
    }

    #[test]
    fn one_process_cannot_take_all_the_places_and_leaving_frees_them() {
        let limits = Limits::within(OPEN_FILES);
        let spoken = |mut place: Place| {
            place.has_spoken();
            place
        };
        let place = || limits.enter(&caller(1)).ok().map(spoken);
        let places: Vec<_> = std::iter::from_fn(place).collect();
        assert_eq!(places.len(), PER_PROCESS);
        assert_eq!(limits.enter(&caller(1)).unwrap_err(), Full::Process);
        assert!(limits.enter(&caller(2)).is_ok());
        drop(places);
        assert!(limits.enter(&caller(1)).is_ok());
        assert!(limits.crowd().processes.is_empty(), "nobody is remembered who has left");
    }

    #[test]
    fn who_connects_again_and_again_and_says_nothing_finds_the_door_shut() {
        let limits = Limits::within(OPEN_FILES);
        let connect = |pid| limits.enter(&caller(pid));
        for _ in 0..1000 {
            connect(1).unwrap().has_spoken();
        }
        while connect(1).is_ok() {}
        assert_eq!(connect(1).unwrap_err(), Full::Wasteful);
        assert!(connect(2).is_ok(), "another process");
    }

    #[test]
    fn greedy_processes_leave_places_for_those_that_have_none() {
        let limits = Limits::within(OPEN_FILES);
        let greedy = 0..1000_u32;
        let places: Vec<_> =
            greedy.flat_map(|n| (0..5).map(move |_| n)).map(|n| limits.enter(&caller(n))).collect();
        let taken = places.iter().filter(|place| place.is_ok()).count();
        assert!(taken < PER_USER, "{taken}");
        assert_eq!(limits.enter(&caller(0)).unwrap_err(), Full::User);
        let newcomers: Vec<_> =
            (2000..).map_while(|n| limits.enter(&caller(n)).ok()).take(PER_USER).collect();
        assert_eq!(taken + newcomers.len(), PER_USER);
    }

    #[test]
    fn where_few_files_may_be_open_there_are_fewer_places() {
        let count = |files| {
            let limits = Limits::within(files);
            let places = (0..).map_while(|n| limits.enter(&caller(n)).ok());
            places.take(PER_USER + 1).collect::<Vec<_>>().len()
        };
        assert_eq!(count(OPEN_FILES), PER_USER);
        assert_eq!(count(1024), (1024 - OWN_FILES - 2 * SEATS) / 2);
        assert_eq!(count(100), PER_PROCESS);
    }
}
