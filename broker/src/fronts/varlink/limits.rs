//! What peers may take up, so that nobody notices a bad one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authbroker_core::caller::Caller;

/// How many connections one process may have.
const PER_PROCESS: usize = 64;
/// How many connections the user's processes may have together.
const PER_USER: usize = 4096;
/// How long a peer may be silent after connecting, and how long half a message may lie.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
/// How many calls may wait behind the one that is answered.
pub(super) const CALLS_AHEAD: usize = 8;
/// How long a peer may take to read an answer.
pub(super) const SLOW_READER: Duration = Duration::from_secs(10);
/// The pause when accepting fails.
pub(super) const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// The connections of one socket, by process.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits(Arc<Mutex<HashMap<Option<u32>, usize>>>);

/// One connection's place. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct Place {
    limits: Limits,
    pid: Option<u32>,
}

impl Limits {
    /// Gives a place to a peer, if one is left for it.
    pub(super) fn enter(&self, caller: &Caller) -> Option<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = places.values().sum();
        let own = places.entry(caller.pid).or_default();
        if *own >= PER_PROCESS || all >= PER_USER {
            return None;
        }
        *own += 1;
        Some(Place { limits: self.clone(), pid: caller.pid })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.limits.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = places.get_mut(&self.pid) {
            *own -= 1;
            if *own == 0 {
                places.remove(&self.pid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use authbroker_core::caller::Door;

    use super::*;

    #[test]
    fn one_process_cannot_take_all_the_places_and_leaving_frees_them() {
        let limits = Limits::default();
        let caller = |pid| Caller { pid: Some(pid), ..Caller::of_user(1, Door::Socket) };
        let places: Vec<_> = std::iter::from_fn(|| limits.enter(&caller(1))).collect();
        assert_eq!(places.len(), PER_PROCESS);
        assert!(limits.enter(&caller(2)).is_some());
        drop(places);
        assert!(limits.enter(&caller(1)).is_some());
    }
}
