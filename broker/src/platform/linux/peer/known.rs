//! Who was described a moment ago. A script that connects for each call is looked at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authbroker_core::caller::{Description, Identity};
use authbroker_core::time::BootTime;

use super::pin::ProcessId;

/// How long a description holds. A process can move to another terminal or unit, but it cannot
/// leave its sandbox; what it executes is looked at every time.
const MOMENT: Duration = Duration::from_secs(5);
/// How many are remembered.
const ROOM: usize = 512;

/// What must be the same for a description to be the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key {
    pub(super) process: ProcessId,
    pub(super) uid: u32,
    pub(super) executable: Option<Arc<str>>,
    pub(super) label: Option<String>,
}

/// What was seen of a process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    pub(super) identity: Identity,
    pub(super) description: Description,
}

impl Default for Seen {
    /// Of one that is gone.
    fn default() -> Self {
        Self { identity: Identity::Hidden, description: Description::default() }
    }
}

/// The descriptions, each with the moment it ends.
// A std mutex: held for a lookup, never across an await.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<Key, (Seen, BootTime)>>);

impl Known {
    /// What was seen of it a moment ago.
    pub(super) fn get(&self, key: &Key, now: BootTime) -> Option<Seen> {
        let known = self.lock();
        let (seen, ends) = known.get(key)?;
        (now < *ends).then(|| seen.clone())
    }

    /// Remembers what is seen of it, from the first time that it is.
    pub(super) fn keep(&self, key: Key, seen: Seen, now: BootTime) {
        let mut known = self.lock();
        if known.get(&key).is_some_and(|(_, ends)| now < *ends) {
            return;
        }
        if known.len() >= ROOM {
            known.retain(|_, (_, ends)| now < *ends);
        }
        if known.len() < ROOM {
            known.insert(key, (seen, now.plus(MOMENT)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, (Seen, BootTime)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Key {
        let process = ProcessId::Handle(number);
        Key { process, uid: 1000, executable: None, label: None }
    }

    fn seen() -> Seen {
        Seen { identity: Identity::User, ..Seen::default() }
    }

    #[test]
    fn a_description_holds_for_a_moment_of_the_first_look() {
        let (known, start) = (Known::default(), BootTime::default());
        known.keep(key(1), seen(), start);
        known.keep(key(1), seen(), start.plus(MOMENT / 2));
        assert_eq!(known.get(&key(1), start.plus(MOMENT / 2)), Some(seen()));
        assert_eq!(known.get(&key(1), start.plus(MOMENT)), None);
        assert_eq!(known.get(&key(2), start), None);
    }

    #[test]
    fn a_thousand_processes_take_up_no_more_room_than_there_is() {
        let known = Known::default();
        let later = BootTime::default().plus(MOMENT);
        (0..1000).for_each(|number| known.keep(key(number), seen(), BootTime::default()));
        assert_eq!(known.lock().len(), ROOM);
        known.keep(key(2000), seen(), later);
        assert_eq!(known.lock().len(), 1);
    }
}
