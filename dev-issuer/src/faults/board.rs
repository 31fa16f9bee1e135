//! The faults that are set, and how often each is still to happen.

use std::sync::{Mutex, PoisonError};

use super::{Effect, Fault};

/// How often a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// At the next occasion only.
    Once,
    /// At that many of the next occasions, at least one.
    Next(u32),
    /// Until [`crate::Issuer::clear_faults`].
    Always,
}

/// The faults that are set.
#[derive(Debug, Default)]
pub(crate) struct FaultBoard {
    set: Mutex<Vec<(Fault, Times)>>,
}

impl FaultBoard {
    pub(crate) fn inject(&self, fault: Fault, times: Times) {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).push((fault, times));
    }

    pub(crate) fn clear(&self) {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Gives what `wanted` picks out of the faults that are set, and counts each of these down.
    pub(crate) fn take<T>(&self, wanted: impl Fn(Effect) -> Option<T>) -> Vec<T> {
        let mut taken = Vec::new();
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        set.retain_mut(|(fault, times)| match wanted(fault.effect()) {
            Some(found) => {
                taken.push(found);
                times.count_down()
            }
            None => true,
        });
        taken
    }
}

impl Times {
    /// Counts one occasion and says whether more are to come.
    fn count_down(&mut self) -> bool {
        match self {
            Self::Once => false,
            Self::Always => true,
            Self::Next(left) => {
                *left = left.saturating_sub(1);
                *left > 0
            }
        }
    }
}
