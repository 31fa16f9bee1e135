//! What moves the sessions when nobody asks: the time, and what the machine tells.

use authbroker_core::lifecycle::Event;

use super::{Sessions, lock};
use crate::platform::{Machine, News, clock};

/// Listens to the machine for as long as the process lives.
pub(super) async fn keep(sessions: Sessions, mut machine: Machine) {
    loop {
        let first = sessions.0.agenda.first();
        tokio::select! {
            news = machine.next(first) => sessions.hear(news),
            () = sessions.0.agenda.moved() => {}
        }
    }
}

impl Sessions {
    /// Takes up what the machine tells.
    pub(super) fn hear(&self, news: News) {
        match news {
            News::Due => self.tick_due(),
            News::ClockSet => {
                tracing::info!("the clock was set, or the machine has woken");
                self.post_to_all(&Event::Tick);
                // What is told in wall clock time now reads differently.
                self.tell();
            }
            News::NetworkChanged => {
                tracing::debug!("the network has changed");
                self.post_to_all(&Event::NetworkChanged);
            }
        }
    }

    fn tick_due(&self) {
        for (moment, id) in self.0.agenda.due_at(clock::now().boot) {
            match self.entry(&id) {
                Some(entry) => self.post(&entry, Event::Tick),
                // Its last reply came after it was dropped.
                None => self.0.agenda.reschedule(&id, Some(moment), None),
            }
        }
    }

    pub(super) fn post_to_all(&self, event: &Event) {
        let entries: Vec<_> = lock(&self.0.entries).values().cloned().collect();
        for entry in entries {
            self.post(&entry, event.clone());
        }
    }
}
