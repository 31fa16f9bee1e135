//! The audit record: who was given what, in lines that nobody without the vault's key can change
//! unseen.
//!
//! 1. Whoever something happens to calls [`Audit::record`]: a short lock, and never a wait (`queue`).
//! 2. One thread writes (`writer`): lines of JSON (`body`) in files in `STATE/audit` (`folder`), each
//!    with a code over itself and the code before it (`chain`).
//! 3. The chain's key is derived from the vault's. Until the vault was opened, lines wait beside the
//!    record (`waiting`); then it is taken up where it was left (`taking_up`).
//! 4. The first and the last line, and the keys in between, are in the head, which lies sealed in the
//!    vault (`head`). So a record that was cut is told from a whole one (`verify`).
//! 5. The oldest file goes when there are too many (`recorder`); the head then begins after it.
//!
//! `docs/audit.md` says what is promised, and what is not.

mod body;
mod chain;
mod folder;
mod head;
mod journal;
mod queue;
mod reader;
mod recorder;
mod taking_up;
#[cfg(test)]
mod tests;
mod verify;
mod waiting;
mod writer;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use authbroker_core::audit::{ChainKey, Delivery, Record, Stamped};
use tokio::sync::{mpsc, oneshot, watch};

use self::folder::Folder;
pub use self::head::Safe;
use self::journal::Journal;
use self::queue::{Job, Queue};
use self::reader::{Look, Reader};
use self::verify::Snapshot;
pub use self::verify::{Broken, Checked, Kind};
use self::waiting::Waiting;
use self::writer::{Aside, Stage, Writer};
use crate::platform::clock;

/// How much of the record is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bounds {
    /// How long a file grows, in bytes, before another is begun.
    pub(crate) file: u64,
    /// How many files there are at most.
    pub(crate) files: usize,
}

impl Default for Bounds {
    /// 64 MiB in all: some two hundred thousand lines.
    fn default() -> Self {
        Self { file: 4 * 1024 * 1024, files: 16 }
    }
}

/// The audit record. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Audit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: Folder,
    queue: Arc<Queue>,
    health: Arc<Mutex<Health>>,
    written: watch::Receiver<u64>,
    // A std mutex: held to take the handle out, once.
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// How the record is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Health {
    /// Why it cannot be written, while it cannot.
    refused: Option<String>,
    /// How many lines were lost since the start.
    lost: u64,
    /// What was found to be wrong with it since the start.
    damage: Option<String>,
}

/// Lines of the record, as they come. Dropping it ends the reading.
#[derive(Debug)]
pub struct Lines(mpsc::Receiver<io::Result<Vec<String>>>);

impl Lines {
    /// Waits for the next lines; `None` after the last.
    pub async fn next(&mut self) -> Option<io::Result<Vec<String>>> {
        self.0.recv().await
    }
}

/// What a reader does at the end of the record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtEnd {
    /// It ends, too.
    Stop,
    /// It waits for more.
    Follow,
}

impl Audit {
    /// Begins to write the record in `state_dir`. Its head is kept in `safe`; a copy of each line
    /// goes to the journal, if one listens at `journal`.
    pub fn start(
        state_dir: &Path,
        safe: Arc<dyn Safe>,
        journal: Option<PathBuf>,
    ) -> io::Result<Self> {
        Self::within(state_dir, safe, journal, Bounds::default())
    }

    fn within(
        state_dir: &Path,
        safe: Arc<dyn Safe>,
        journal: Option<PathBuf>,
        bounds: Bounds,
    ) -> io::Result<Self> {
        let folder = Folder::within(state_dir);
        let (written, watched) = watch::channel(0);
        let (queue, health) = (Arc::<Queue>::default(), Arc::default());
        let writer = Writer {
            queue: Arc::clone(&queue),
            health: Arc::clone(&health),
            written,
            folder: folder.clone(),
            safe,
            journal: journal.and_then(Journal::at),
            stage: Stage::Waiting(Waiting::new(folder.clone())),
            backlog: VecDeque::new(),
            lost: 0,
            aside: Aside::Nothing,
            key: None,
            bounds,
            due: None,
        };
        let thread = std::thread::Builder::new().name("audit".to_owned());
        let thread = thread.spawn(move || writer.run())?;
        let thread = Mutex::new(Some(thread));
        Ok(Self(Arc::new(Inner { folder, queue, health, written: watched, thread })))
    }

    /// Takes note of what happened. Never waits; what finds no room is counted, and told.
    pub fn record(&self, record: Record) {
        self.0.queue.record(Stamped { record, at: clock::now() });
    }

    /// Counts a token that was given to the same caller a moment ago, too. Tells whether it was;
    /// what was not is to be [recorded](Audit::record). `word` is the caller's own for the request.
    pub fn given_again(&self, delivery: &Delivery, word: Option<&str>) -> bool {
        self.0.queue.again(delivery, word, clock::now())
    }

    /// Takes up the vault's key: it was opened, or has a new one.
    pub fn unlocked(&self, key: ChainKey) {
        self.0.queue.order(Job::Key(key));
    }

    /// What is wrong with the record, a sentence each.
    pub fn problems(&self) -> Vec<String> {
        let health = self.0.health.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refused = health.refused.map(|why| {
            format!("the audit record cannot be written: {why}; lines wait in memory for room")
        });
        let lost = (health.lost > 0).then(|| {
            format!(
                "{} lines of the audit record are lost: there was no room for them",
                health.lost
            )
        });
        let damage = health
            .damage
            .map(|what| format!("the audit record is damaged ({what}): brokerctl audit --verify"));
        [refused, lost, damage].into_iter().flatten().collect()
    }

    /// Checks the whole record.
    pub async fn verify(&self) -> Result<Checked, String> {
        let snapshot = self.flush().await?;
        let folder = self.0.folder.clone();
        let checked = tokio::task::spawn_blocking(move || verify::verify(&folder, &snapshot)).await;
        checked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }

    /// Reads the record from its beginning.
    pub fn read(&self, at_end: AtEnd) -> Lines {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(self.clone().send_lines(at_end, sender));
        Lines(receiver)
    }

    /// Where the record's files are.
    pub fn place(&self) -> &Path {
        self.0.folder.path()
    }

    /// Writes everything that there is to write, and ends the writing. Blocks until that is done.
    pub fn close(&self) {
        self.0.close();
    }

    /// Has everything so far written, and tells where the record stands.
    async fn flush(&self) -> Result<Snapshot, String> {
        let (sender, answer) = oneshot::channel();
        self.0.queue.order(Job::Flush(sender));
        answer.await.map_err(|_| "its writer has ended".to_owned())?
    }

    async fn send_lines(self, at_end: AtEnd, sender: mpsc::Sender<io::Result<Vec<String>>>) {
        // What happened before the question belongs to the answer; a disk that refuses is told
        // elsewhere.
        let _as_it_lies = self.flush().await;
        let mut written = self.0.written.clone();
        let mut reader = Reader::new(self.0.folder.clone());
        loop {
            written.mark_unchanged();
            let looked;
            (reader, looked) = match look(reader).await {
                Ok(looked) => looked,
                Err(error) => return drop(sender.send(Err(error)).await),
            };
            let lines = match (looked, at_end) {
                (Look::Lines(lines), _) => lines,
                (Look::End, AtEnd::Stop) => {
                    return drop(sender.send(reader.waiting()).await);
                }
                (Look::End, AtEnd::Follow) => tokio::select! {
                    changed = written.changed() => if changed.is_ok() { continue } else { return },
                    () = sender.closed() => return,
                },
            };
            if sender.send(Ok(lines)).await.is_err() {
                return;
            }
        }
    }
}

impl Inner {
    fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            self.queue.order(Job::End);
            if thread.join().is_err() {
                tracing::error!("the audit record's writer ended before its time");
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// Looks where waiting for a disk holds up nobody else.
async fn look(mut reader: Reader) -> io::Result<(Reader, Look)> {
    let looked =
        tokio::task::spawn_blocking(move || reader.look().map(|look| (reader, look))).await;
    looked.unwrap_or_else(|error| Err(io::Error::other(error)))
}
