//! What people have answered, and who has asked: remembered over restarts.
//!
//! 1. Whoever decides takes a snapshot (an `Arc`) and holds no lock while deciding.
//! 2. A change makes a new snapshot, and is on the disk before it counts (`file`).
//! 3. What is counted (how often, when last) is counted in atomics, and reaches the disk with the
//!    next change, now and then, and when the daemon ends.
//! 4. The file bears a tag made with the vault's key. Until that is at hand nothing in it counts;
//!    where it does not fit, the file is laid aside and said to be changed.
//!
//! What that is worth: another program of the same user can read the file, remove it, or put an
//! older one back, and can do all that `brokerctl grants` does. It cannot write an answer into the
//! file unseen.

mod asked;
mod file;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use authbroker_core::caller::{App, Terminal};
use authbroker_core::policy::{
    AccountMatch, Basis, Grant, GrantId, Lasting, Reach, Ruling, Verdict,
};
use authbroker_core::time::UnixTime;

use self::asked::Asked;
pub use self::asked::AskedBy;
use self::file::{Book, Place};

/// More answers than any person gives. A program that makes up questions fills no disk.
const MOST: usize = 4096;

/// The answers of one state folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Grants(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: Option<Place>,
    /// A std lock: held to copy or exchange an `Arc`, never across an await or a write.
    now: RwLock<Arc<Snapshot>>,
    asked: Asked,
    /// Whether the file waits for the vault's key: what every request looks at.
    unproven: AtomicBool,
    /// One change at a time, and its write with it: the order on the disk is the order of changes.
    changing: Mutex<Trust>,
}

/// Whether what the file says may be believed.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Trust {
    /// It waits for the vault's key.
    Unproven(Box<file::Read>),
    /// It is ours.
    Proven,
}

/// The answers at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The answers, oldest first.
    pub grants: Vec<Grant>,
    uses: HashMap<GrantId, Arc<Use>>,
    next: u64,
}

/// How an answer was used.
#[derive(Debug, Default)]
struct Use {
    count: AtomicU64,
    last: AtomicU64,
}

/// An answer that is about to be remembered.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// Whom it is about.
    pub app: App,
    /// The terminal session it holds in; `None` for all.
    pub terminal: Option<Terminal>,
    /// Which accounts.
    pub account: AccountMatch,
    /// What of them.
    pub reach: Reach,
    /// What was said.
    pub ruling: Ruling,
    /// For how long.
    pub lasting: Lasting,
}

/// An answer, and how it was used.
#[derive(Debug, Clone)]
pub struct Used {
    /// The answer.
    pub grant: Grant,
    /// How often it decided.
    pub uses: u64,
    /// When it last did.
    pub last_used: Option<UnixTime>,
}

/// Makes and checks tags: what the vault's key is for here.
pub trait Seal {
    /// A tag for these bytes.
    fn tag(&self, bytes: &[u8]) -> String;
    /// Whether a tag is one for these bytes.
    fn fits(&self, bytes: &[u8], tag: &str) -> bool;
}

/// Why an answer is not remembered.
#[derive(Debug, thiserror::Error)]
pub enum GrantsError {
    /// There are too many. A person revokes some.
    #[error("there are {MOST} answers already")]
    Full,
    /// The disk refuses. The answer does not count.
    #[error("the answer cannot be written: {0}")]
    Disk(#[from] io::Error),
}

/// What became of the file when the vault's key was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It is ours, or there is none.
    Good,
    /// Somebody changed it. It lies there now, and nothing in it counts.
    LaidAside(String),
}

impl Grants {
    /// Reads what is in `state_dir`; `None` keeps everything in memory.
    pub fn open(state_dir: Option<&Path>) -> Self {
        let place = state_dir.map(Place::within);
        let read = place.as_ref().and_then(Place::read);
        let trust = read.map_or(Trust::Proven, |read| Trust::Unproven(Box::new(read)));
        Self(Arc::new(Inner {
            place,
            now: RwLock::default(),
            asked: Asked::default(),
            unproven: AtomicBool::new(trust != Trust::Proven),
            changing: Mutex::new(trust),
        }))
    }

    /// The answers at this moment. While they wait for the vault's key, there are none.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there is a file that waits for the vault's key.
    pub fn is_unproven(&self) -> bool {
        self.0.unproven.load(Ordering::Acquire)
    }

    /// Believes the file or lays it aside, now that the vault's key is at hand.
    pub fn prove(&self, seal: &impl Seal) -> Proof {
        let mut trust = self.changing();
        let Trust::Unproven(read) = std::mem::replace(&mut *trust, Trust::Proven) else {
            return Proof::Good;
        };
        let proof = match read.book(seal) {
            Ok(book) => {
                self.0.asked.take_up(&book);
                self.put(Snapshot::of(book));
                Proof::Good
            }
            Err(why) => {
                let aside = self.0.place.as_ref().map(Place::lay_aside).unwrap_or_default();
                Proof::LaidAside(format!("{why}; it is now {aside}"))
            }
        };
        self.0.unproven.store(false, Ordering::Release);
        proof
    }

    /// Remembers an answer. One that says something else about the very same is forgotten.
    pub fn remember(
        &self,
        new: NewGrant,
        now: UnixTime,
        seal: &impl Seal,
    ) -> Result<Grant, GrantsError> {
        let _one = self.changing();
        let before = self.snapshot();
        let NewGrant { app, terminal, account, reach, ruling, lasting } = new;
        let id = GrantId(before.next);
        let grant = Grant { id, app, terminal, account, reach, ruling, lasting, granted: now };
        let mut after =
            before.without(|old| is_same_question(old, &grant) || !old.lasting.holds(now));
        if after.grants.len() >= MOST {
            return Err(GrantsError::Full);
        }
        after.grants.push(grant.clone());
        after.uses.insert(id, Arc::default());
        after.next = id.0 + 1;
        self.keep(after, seal)?;
        Ok(grant)
    }

    /// Forgets the answers that `which` holds for, and gives them.
    pub fn revoke(
        &self,
        which: impl Fn(&Grant) -> bool,
        seal: &impl Seal,
    ) -> Result<Vec<Grant>, GrantsError> {
        let _one = self.changing();
        let before = self.snapshot();
        let gone: Vec<_> = before.grants.iter().filter(|grant| which(grant)).cloned().collect();
        if !gone.is_empty() {
            self.keep(before.without(&which), seal)?;
        }
        Ok(gone)
    }

    /// Forgets the answers that hold until the session is locked. They are on no disk.
    pub fn lock(&self) {
        let _one = self.changing();
        self.put(self.snapshot().without(|grant| grant.lasting == Lasting::UntilLocked));
    }

    /// Counts a request, and the answer that decided on it.
    pub fn count(&self, app: &App, verdict: &Verdict, now: UnixTime) {
        self.0.asked.count(app, verdict.decision, now);
        if let Basis::Grant(id) = verdict.basis
            && let Some(used) = self.snapshot().uses.get(&id)
        {
            used.count.fetch_add(1, Ordering::Relaxed);
            used.last.store(now.as_secs(), Ordering::Relaxed);
        }
    }

    /// Every answer and how it was used, oldest first.
    pub fn list(&self) -> Vec<Used> {
        let now = self.snapshot();
        now.grants.iter().map(|grant| now.used(grant)).collect()
    }

    /// Who has asked, the last one first.
    pub fn asked(&self) -> Vec<AskedBy> {
        self.0.asked.list()
    }

    /// Writes what was counted, where something was. Blocks for the disk.
    pub fn flush(&self, seal: &impl Seal) -> Result<(), GrantsError> {
        let trust = self.changing();
        if *trust != Trust::Proven || !self.0.asked.take_news() {
            return Ok(());
        }
        let written = self.write(&self.snapshot(), seal);
        written.inspect_err(|_| self.0.asked.has_news())
    }

    /// Writes everything anew: the vault has a new key.
    pub fn write_anew(&self, seal: &impl Seal) -> Result<(), GrantsError> {
        let trust = self.changing();
        if *trust == Trust::Proven { self.write(&self.snapshot(), seal) } else { Ok(()) }
    }

    /// A change counts when it is on the disk.
    fn keep(&self, after: Snapshot, seal: &impl Seal) -> Result<(), GrantsError> {
        self.write(&after, seal)?;
        self.put(after);
        Ok(())
    }

    fn write(&self, snapshot: &Snapshot, seal: &impl Seal) -> Result<(), GrantsError> {
        let Some(place) = &self.0.place else { return Ok(()) };
        let book = snapshot.book(self.0.asked.list());
        if book.is_empty() && !place.exists() {
            return Ok(());
        }
        place.write(&book, seal)
    }

    fn put(&self, snapshot: Snapshot) {
        *self.0.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    fn changing(&self) -> std::sync::MutexGuard<'_, Trust> {
        self.0.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Snapshot {
    fn of(book: Book) -> Self {
        let mut snapshot = Self { next: book.next, ..Self::default() };
        for Used { grant, uses, last_used } in book.grants {
            let last = last_used.map_or(0, UnixTime::as_secs);
            let used = Use { count: AtomicU64::new(uses), last: AtomicU64::new(last) };
            snapshot.uses.insert(grant.id, Arc::new(used));
            snapshot.grants.push(grant);
        }
        snapshot
    }

    fn without(&self, goes: impl Fn(&Grant) -> bool) -> Self {
        let grants: Vec<_> = self.grants.iter().filter(|grant| !goes(grant)).cloned().collect();
        let kept = |grant: &Grant| Some((grant.id, Arc::clone(self.uses.get(&grant.id)?)));
        let uses = grants.iter().filter_map(kept).collect();
        Self { grants, uses, next: self.next }
    }

    fn used(&self, grant: &Grant) -> Used {
        let used = self.uses.get(&grant.id);
        let count =
            |of: fn(&Use) -> &AtomicU64| used.map_or(0, |it| of(it).load(Ordering::Relaxed));
        let last = count(|it| &it.last);
        Used {
            grant: grant.clone(),
            uses: count(|it| &it.count),
            last_used: (last > 0).then(|| UnixTime::from_secs(last)),
        }
    }

    /// What is for the disk.
    fn book(&self, asked: Vec<AskedBy>) -> Book {
        let lasting = self.grants.iter().filter(|grant| grant.lasting != Lasting::UntilLocked);
        let grants = lasting.map(|grant| self.used(grant)).collect();
        Book { next: self.next, grants, asked }
    }
}

/// Whether two answers are to one question.
fn is_same_question(old: &Grant, new: &Grant) -> bool {
    old.app == new.app
        && old.terminal == new.terminal
        && old.account == new.account
        && old.reach == new.reach
}
