//! Which account is due when, so that one alarm serves all of them.

use std::collections::BTreeSet;
use std::sync::Mutex;

use authbroker_core::ids::AccountId;
use authbroker_core::time::BootTime;
use tokio::sync::Notify;

use super::lock;

/// The moments at which sessions want to be looked at.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    // A std mutex: held to enter or look up a moment, never across an await.
    due: Mutex<BTreeSet<(BootTime, AccountId)>>,
    moved: Notify,
}

impl Agenda {
    /// Moves an account from the moment it was due at to another.
    pub(super) fn reschedule(&self, id: &AccountId, from: Option<BootTime>, to: Option<BootTime>) {
        let (before, after) = {
            let mut due = lock(&self.due);
            let before = first(&due);
            if let Some(from) = from {
                due.remove(&(from, id.clone()));
            }
            due.extend(to.map(|to| (to, id.clone())));
            (before, first(&due))
        };
        if before != after {
            self.moved.notify_one();
        }
    }

    /// The first moment at which anybody is due.
    pub(super) fn first(&self) -> Option<BootTime> {
        first(&lock(&self.due))
    }

    /// Waits until [`Agenda::first`] answers differently.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Who is due at `now`, and since when, the longest overdue first. They stay until they are
    /// rescheduled.
    pub(super) fn due_at(&self, now: BootTime) -> Vec<(BootTime, AccountId)> {
        lock(&self.due).iter().take_while(|(moment, _)| *moment <= now).cloned().collect()
    }
}

fn first(due: &BTreeSet<(BootTime, AccountId)>) -> Option<BootTime> {
    due.first().map(|(moment, _)| *moment)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> BootTime {
        BootTime::from_start(Duration::from_secs(seconds))
    }

    fn id(name: &str) -> AccountId {
        AccountId::parse(name).unwrap()
    }

    /// An agenda on which `a` is due at 20, `b` at 10 and `c` at 30.
    fn agenda() -> Agenda {
        let agenda = Agenda::default();
        for (name, moment) in [("a", 20), ("b", 10), ("c", 30)] {
            agenda.reschedule(&id(name), None, Some(at(moment)));
        }
        agenda
    }

    #[test]
    fn one_alarm_at_the_first_moment_is_enough() {
        let agenda = agenda();
        assert_eq!(agenda.first(), Some(at(10)));
        assert_eq!(agenda.due_at(at(9)), []);
        assert_eq!(agenda.due_at(at(20)), [(at(10), id("b")), (at(20), id("a"))]);
    }

    #[test]
    fn who_has_nothing_to_do_is_not_on_it() {
        let agenda = agenda();
        for (name, moment) in [("a", 20), ("b", 10), ("c", 30)] {
            agenda.reschedule(&id(name), Some(at(moment)), None);
        }
        assert_eq!(agenda.first(), None);
    }

    #[tokio::test]
    async fn only_a_new_first_moment_moves_the_alarm() {
        let agenda = agenda();
        agenda.moved().await;
        agenda.reschedule(&id("c"), Some(at(30)), Some(at(15)));
        tokio::select! {
            biased;
            () = agenda.moved() => panic!("the first is still the first"),
            () = tokio::task::yield_now() => {}
        }
        agenda.reschedule(&id("c"), Some(at(15)), Some(at(5)));
        agenda.moved().await;
        assert_eq!(agenda.first(), Some(at(5)));
    }
}
