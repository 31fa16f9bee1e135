//! The writer's thread: takes what happened out of the queue, and brings it to the disk in its
//! order.
//!
//! 1. Each line goes to the journal, too.
//! 2. Until the vault was opened there is no key, and lines wait in a file of their own.
//! 3. With the key, the record is taken up where it was left (`taking_up`), and lines are chained.
//! 4. Lines are written at once. A moment later the disk is made to take them, and then the head.
//! 5. A disk that refuses is asked again every second. Lines wait in memory meanwhile; what does
//!    not fit there either is counted, and the count has a line as soon as there is room.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authbroker_core::audit::{ChainKey, Event, Line, Record};
use authbroker_core::time::BootTime;
use tokio::sync::watch;

use super::folder::Folder;
use super::head::Safe;
use super::journal::Journal;
use super::queue::{Job, Queue};
use super::recorder::Recorder;
use super::taking_up;
use super::verify::Snapshot;
use super::waiting::Waiting;
use super::{Bounds, Health, body};
use crate::platform::clock;

/// How long after a line the disk is made to take it, and how long a disk that refuses is left
/// alone. A power cut loses the lines of that time, and a process that dies loses none.
const SETTLE: Duration = Duration::from_secs(1);

/// How many lines wait in memory while the disk refuses.
const BACKLOG: usize = 4096;

pub(super) struct Writer {
    pub(super) queue: Arc<Queue>,
    pub(super) health: Arc<Mutex<Health>>,
    /// Counts up whenever there is more to read.
    pub(super) written: watch::Sender<u64>,
    pub(super) folder: Folder,
    pub(super) safe: Arc<dyn Safe>,
    pub(super) journal: Option<Journal>,
    pub(super) stage: Stage,
    /// Bodies that are not written yet.
    pub(super) backlog: VecDeque<String>,
    pub(super) lost: u64,
    pub(super) aside: Aside,
    /// A key that the record could not be taken up with yet.
    pub(super) key: Option<ChainKey>,
    pub(super) bounds: Bounds,
    /// When the disk is due: to be made to take lines, or to be asked again.
    pub(super) due: Option<BootTime>,
}

/// Where lines go.
#[derive(Debug)]
pub(super) enum Stage {
    /// Aside: nobody has the key yet.
    Waiting(Waiting),
    /// Into the chain.
    Chaining(Box<Recorder>),
}

/// What lies in the file for lines that wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Aside {
    /// Nothing, or what waits indeed.
    Nothing,
    /// What is in the chain, or about to be.
    InTheChain,
}

impl Writer {
    /// Works until the end of the queue.
    pub(super) fn run(mut self) {
        loop {
            let jobs = self.queue.next(self.patience());
            let ends = jobs.into_iter().any(|job| self.perform(job));
            if ends {
                return self.end();
            }
            let _told = self.write();
            if self.due.is_some_and(|due| due <= clock::now().boot) {
                let _told = self.settle();
            }
        }
    }

    /// How long there is nothing to do, if nothing happens.
    fn patience(&self) -> Option<Duration> {
        Some(clock::now().boot.until(self.due?))
    }

    /// Does one thing, and tells whether it was the last.
    fn perform(&mut self, job: Job) -> bool {
        match job {
            Job::Line(line) => self.take(vec![*line]),
            Job::Lost(count) => self.lose(count),
            Job::Key(key) => {
                let _told = self.write();
                self.key(key);
            }
            Job::Flush(reply) => {
                let _left = reply.send(self.settle().map(|()| self.snapshot()));
            }
            Job::End => return true,
        }
        false
    }

    fn take(&mut self, lines: Vec<Line>) {
        for line in lines {
            if let Some(journal) = &self.journal {
                journal.tell(&line);
            }
            self.backlog.push_back(body::of(&line));
        }
        while self.backlog.len() > BACKLOG {
            // The oldest stay: whoever fills the disk to hide something cannot push them out.
            self.backlog.pop_back();
            self.lose(1);
        }
    }

    fn lose(&mut self, count: u64) {
        if count > 0 && self.lost == 0 {
            tracing::error!("the audit record cannot keep up: what is lost is counted in it");
        }
        self.lost += count;
        self.health(|health| health.lost += count);
    }

    /// Writes what there is. Why not, where the disk refuses, was told.
    fn write(&mut self) -> Result<(), String> {
        self.own_up();
        if self.backlog.is_empty() {
            return Ok(());
        }
        let bodies: Vec<_> = self.backlog.iter().map(String::as_str).collect();
        let written = match &mut self.stage {
            Stage::Waiting(waiting) => waiting.write(&bodies),
            Stage::Chaining(recorder) => recorder.write(&bodies),
        };
        let all = bodies.len();
        match written {
            Ok(count) => {
                self.backlog.clear();
                self.lose((all - count) as u64);
                self.written.send_modify(|count| *count += 1);
                self.due = self.due.or(Some(clock::now().boot.plus(SETTLE)));
                Ok(())
            }
            Err(error) => Err(self.refused(error.to_string())),
        }
    }

    /// Gives what was lost a line, as soon as there is room for one.
    fn own_up(&mut self) {
        let has_room = match &self.stage {
            Stage::Waiting(waiting) => waiting.has_room(),
            Stage::Chaining(_) => self.backlog.len() < BACKLOG,
        };
        if self.lost > 0 && has_room {
            let detail = format!("{} lines are lost: there was no room for them", self.lost);
            self.lost = 0;
            let record = Record::of(Event::Lost).saying(detail);
            self.take(vec![Line::once(record, clock::now().wall)]);
        }
    }

    /// Has the disk take what is written, and the vault the head. Why not, where one of them
    /// refuses, was told.
    fn settle(&mut self) -> Result<(), String> {
        if let Some(key) = self.key.take() {
            self.key(key);
        }
        self.write()?;
        if self.key.is_some() {
            return Err("it cannot be taken up yet".to_owned());
        }
        self.due = None;
        let settled = match &mut self.stage {
            Stage::Waiting(waiting) => waiting.settle().map_err(|error| error.to_string()),
            Stage::Chaining(recorder) => recorder.settle(self.safe.as_ref()),
        };
        let notices = settled.map_err(|error| self.refused(error))?;
        self.well();
        self.clear_waiting();
        self.notice(notices);
        Ok(())
    }

    /// Takes away what waited, now that it is in the chain for good.
    fn clear_waiting(&mut self) {
        if self.aside == Aside::InTheChain {
            match self.folder.remove_waiting() {
                Ok(()) => self.aside = Aside::Nothing,
                Err(error) => {
                    tracing::warn!(%error, "lines that waited are in the audit record, and still beside it");
                }
            }
        }
    }

    /// Writes what was noticed of the record itself.
    fn notice(&mut self, notices: Vec<Record>) {
        for record in notices {
            if let (Event::Damage, Some(detail)) = (record.event, &record.detail) {
                tracing::error!("the audit record is damaged: {detail}");
                self.health(|health| health.damage = Some(detail.clone()));
            }
            self.take(vec![Line::once(record, clock::now().wall)]);
        }
        let _told = self.write();
    }

    /// Takes up the key: the first one begins the chain or goes on with it, another one changes it.
    fn key(&mut self, key: ChainKey) {
        match &mut self.stage {
            Stage::Chaining(recorder) => {
                let change = recorder.want_key(key);
                self.due = change.then(|| clock::now().boot).or(self.due);
            }
            Stage::Waiting(_) => match self.take_up(key.clone()) {
                Ok(taken) => self.taken(taken),
                Err(error) => {
                    self.key = Some(key);
                    self.refused(format!("it cannot be taken up: {error}"));
                }
            },
        }
    }

    fn take_up(&self, key: ChainKey) -> std::io::Result<taking_up::Taken> {
        taking_up::take_up(&self.folder, self.bounds, self.safe.as_ref(), key)
    }

    fn taken(&mut self, taken: taking_up::Taken) {
        let taking_up::Taken { recorder, found, waited } = taken;
        self.stage = Stage::Chaining(Box::new(recorder));
        self.aside = Aside::InTheChain;
        // What waited came before everything that is not written yet.
        let mut backlog: VecDeque<String> = waited.into();
        backlog.append(&mut self.backlog);
        self.backlog = backlog;
        let _told = self.write();
        self.notice(found);
        let _told = self.settle();
    }

    fn snapshot(&self) -> Snapshot {
        match &self.stage {
            Stage::Waiting(_) => Snapshot { head: None },
            Stage::Chaining(recorder) => Snapshot { head: Some(recorder.head().clone()) },
        }
    }

    fn end(mut self) {
        let counted = self.queue.drain();
        self.take(counted);
        let settled = self.settle();
        if let (Err(error), left @ 1..) = (settled, self.backlog.len()) {
            tracing::error!("{left} lines of the audit record are lost: {error}");
        }
    }

    /// The disk refuses, which is told, and it is asked again in a while. Gives the reason back.
    fn refused(&mut self, why: String) -> String {
        let is_news = self.health(|health| health.refused.replace(why.clone()).is_none());
        if is_news {
            tracing::error!("the audit record cannot be written: {why}");
        }
        self.due = Some(clock::now().boot.plus(SETTLE));
        why
    }

    fn well(&self) {
        if self.health(|health| health.refused.take()).is_some() {
            tracing::info!("the audit record can be written again");
        }
    }

    fn health<T>(&self, look: impl FnOnce(&mut Health) -> T) -> T {
        look(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
