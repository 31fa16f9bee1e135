//! When a signed-in session wants to be looked at again, without anybody asking.
//!
//! A tick at its time leaves none that is due: the desk would turn without end.

use super::freshness::Margins;
use super::{Demand, Line, Saved, SignedIn, Slot};
use crate::time::BootTime;
use crate::token::SlotKey;

impl SignedIn {
    /// When the next tick is due, if ever.
    pub(super) fn next_tick(&self, margins: &Margins) -> Option<BootTime> {
        self.write_again_at().into_iter().chain(self.next_renewal(margins)).min()
    }

    /// When a failed write is tried again: not while the refresh token is in use, because a record
    /// written then would end the note of that use.
    pub(super) fn write_again_at(&self) -> Option<BootTime> {
        match (self.saved, &self.line) {
            (Saved::Yes, _) | (_, Line::Busy { .. }) => None,
            (Saved::No { retry_at }, _) => Some(retry_at),
        }
    }

    fn next_renewal(&self, margins: &Margins) -> Option<BootTime> {
        if !self.can_renew() {
            let held = self.slots.values().filter_map(|slot| slot.held.as_ref());
            return held.map(|token| margins.expires_at(token)).max();
        }
        match &self.line {
            Line::Resting { retry_at, .. } if self.longest_waiting().is_some() => Some(*retry_at),
            _ => self.next_unasked(margins).map(|(due, _)| due),
        }
    }

    /// The next renewal that nobody waits for: when, and of which key that is in use.
    pub(super) fn next_unasked(&self, margins: &Margins) -> Option<(BootTime, SlotKey)> {
        let in_use = self.slots.iter().filter(|(_, slot)| slot.demand == Demand::Asked);
        let due = in_use.filter_map(|(key, slot)| Some((self.due_unasked(slot, margins)?, key)));
        due.min().map(|(due, key)| (due, key.clone()))
    }

    /// When a slot in use is renewed unasked: as its token ages, or later, where that was slept
    /// through. While a provider fails, only a token that still lives is worth the trouble, unless
    /// the network has changed meanwhile.
    fn due_unasked(&self, slot: &Slot, margins: &Margins) -> Option<BootTime> {
        let held = slot.held.as_ref();
        let ages_at = held.map(|token| margins.ages_at(token).max(slot.keep_until));
        match &self.line {
            Line::Busy { .. } => None,
            Line::Idle | Line::InDoubt => ages_at,
            Line::Resting { retry_at, past, .. } if past.unasked > 0 => {
                Some(slot.keep_until.max(*retry_at))
            }
            Line::Resting { retry_at, .. } => ages_at
                .map(|moment| moment.max(*retry_at))
                .filter(|due| held.is_some_and(|token| *due < margins.expires_at(token))),
        }
    }
}
