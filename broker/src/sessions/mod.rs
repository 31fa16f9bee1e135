//! The sessions of every account, and the performing of what they ask for.
//!
//! 1. An event is stepped through the core under the session's lock, and the effects enter the
//!    session's own queue in the order the core gave them, still under the lock.
//! 2. One task empties that queue, and ends when it is empty: a session at rest has none. A vault
//!    write is finished before anything behind it begins; network jobs are spawned, and their
//!    replies come back as events.
//! 3. A caller holds a ticket and awaits its answer. A caller that leaves cancels nothing.
//! 4. A warm answer takes no queue: the step's own answer is handed to its caller directly.
//! 5. When a session wants to be looked at unasked stands on one agenda, and one alarm rings for
//!    all of them.

mod agenda;
mod clients;
mod keeper;
mod locking;
mod perform;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authbroker_core::account::{Account, Grant};
use authbroker_core::failure::{Code, Failure};
use authbroker_core::ids::{AccountId, Stamp, Ticket};
use authbroker_core::lifecycle::{
    Arrival, Effect, Event, Margins, Outcome, Session, SignOutReach, SignOutReport, Standing, Want,
};
use authbroker_core::time::{BootTime, Now, UnixTime};
use authbroker_core::token::{AccessToken, SlotKey};
use tokio::sync::{Notify, oneshot, watch};

use self::agenda::Agenda;
use self::perform::Performer;
use crate::platform::{Machine, clock};
use crate::providers::Providers;
use crate::services::audit::Audit;
use crate::services::vault::Vault;

/// Every account's session.
#[derive(Debug, Clone)]
pub struct Sessions(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    // Std mutexes here and below: held for a lookup or one pure step, never across an await.
    entries: Mutex<HashMap<AccountId, Arc<Entry>>>,
    providers: Providers,
    vault: Vault,
    audit: Audit,
    next_ticket: AtomicU64,
    next_stamp: AtomicU64,
    agenda: Agenda,
    /// `[refresh] ahead`, in seconds.
    ahead: AtomicU64,
    /// Counts up whenever a list of accounts may look different.
    changes: watch::Sender<u64>,
    /// Told after every step and every effect, for whoever waits for the sessions to come to rest.
    moved: Notify,
}

/// One account: who it is, and its session.
#[derive(Debug)]
struct Entry {
    id: AccountId,
    account: Mutex<Arc<Account>>,
    desk: Mutex<Desk>,
    /// Moves this account's renewals apart from others'.
    spread: u8,
}

#[derive(Debug)]
struct Desk {
    session: Session,
    standing: (Standing, BootTime),
    /// When a token was last renewed.
    renewed: Option<BootTime>,
    /// When the session is next due: its place on the agenda.
    tick: Option<BootTime>,
    waiting: HashMap<Ticket, oneshot::Sender<Outcome>>,
    /// What is to be performed, in this order.
    queue: VecDeque<Effect>,
    performer: Performer,
}

/// How an account stands, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The account.
    pub account: Arc<Account>,
    /// How it stands.
    pub standing: Standing,
    /// Since when.
    pub since: UnixTime,
    /// When its token was last renewed, since the daemon started.
    pub renewed: Option<UnixTime>,
}

impl Sessions {
    /// Takes up the accounts that the vault lists.
    pub fn start(
        providers: Providers,
        vault: Vault,
        machine: Machine,
        audit: Audit,
        accounts: Vec<Account>,
    ) -> Self {
        let (changes, _) = watch::channel(0);
        let sessions = Self(Arc::new(Shared {
            entries: Mutex::default(),
            providers,
            vault,
            audit,
            next_ticket: AtomicU64::new(1),
            next_stamp: AtomicU64::new(1),
            agenda: Agenda::default(),
            ahead: AtomicU64::new(Margins::default().ahead.as_secs()),
            changes,
            moved: Notify::new(),
        }));
        for account in accounts {
            sessions.add(account, Session::unread());
        }
        tokio::spawn(keeper::keep(sessions.clone(), machine));
        sessions
    }

    /// Sets how long before its end a token is renewed.
    pub fn set_ahead(&self, ahead: Duration) {
        let before = self.0.ahead.swap(ahead.as_secs(), Ordering::Relaxed);
        if before != ahead.as_secs() {
            self.post_to_all(&Event::Tick);
        }
    }

    /// Counts up whenever a list of accounts may look different.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Every account, by id.
    pub fn list(&self) -> Vec<Seen> {
        let entries: Vec<_> = lock(&self.0.entries).values().cloned().collect();
        let now = clock::now();
        let seen = entries.iter().map(|entry| entry.seen(&now));
        let mut seen: Vec<_> = seen.filter(|seen| seen.standing != Standing::SignedOut).collect();
        seen.sort_by(|a, b| a.account.id.cmp(&b.account.id));
        seen
    }

    /// The account of an id, unless it is signed out.
    pub fn account(&self, id: &AccountId) -> Option<Arc<Account>> {
        self.entry(id)?.present()
    }

    /// The accounts that are meant, of those that are not signed out.
    pub fn accounts(&self, is_meant: impl Fn(&Account) -> bool) -> Vec<Arc<Account>> {
        let entries = lock(&self.0.entries);
        let meant = entries.values().filter(|entry| is_meant(&lock(&entry.account)));
        meant.filter_map(|entry| entry.present()).collect()
    }

    /// What an account was granted, where that is in memory.
    pub fn grant(&self, id: &AccountId) -> Option<Grant> {
        let entry = lock(&self.0.entries).get(id).cloned()?;
        lock(&entry.desk).session.grant().cloned()
    }

    /// The token of a key, where one is in memory.
    pub fn held(&self, id: &AccountId, key: &SlotKey) -> Option<Arc<AccessToken>> {
        let entry = lock(&self.0.entries).get(id).cloned()?;
        lock(&entry.desk).session.held(key).cloned()
    }

    /// The moment at which a sign-in is begun, for [`Sessions::arrive`].
    pub fn stamp(&self) -> Stamp {
        Stamp(self.0.next_stamp.fetch_add(1, Ordering::Relaxed))
    }

    /// A token of an account, from memory where that is fresh enough.
    pub async fn token(&self, id: &AccountId, want: Want) -> Result<Arc<AccessToken>, Failure> {
        let ticket = self.ticket();
        match self.ask(id, ticket, Event::Asked { ticket, want }).await? {
            Outcome::Token(result) => result,
            other => Err(mismatched(&other)),
        }
    }

    /// Takes up what a sign-in brought.
    pub async fn arrive(
        &self,
        account: Account,
        begun: Stamp,
        arrival: Arrival,
    ) -> Result<(), Failure> {
        let id = account.id.clone();
        self.entry_for(account);
        let ticket = self.ticket();
        match self.ask(&id, ticket, Event::Arrived { begun, ticket, arrival }).await? {
            Outcome::SignedIn(result) => result,
            other => Err(mismatched(&other)),
        }
    }

    /// Signs an account out.
    pub async fn sign_out(
        &self,
        id: &AccountId,
        reach: SignOutReach,
    ) -> Result<SignOutReport, Failure> {
        let (ticket, stamp) = (self.ticket(), self.stamp());
        match self.ask(id, ticket, Event::SignOutAsked { ticket, stamp, reach }).await? {
            Outcome::SignedOut(report) => Ok(report),
            other => Err(mismatched(&other)),
        }
    }

    /// Steps an event and waits for the answer to its ticket.
    async fn ask(&self, id: &AccountId, ticket: Ticket, event: Event) -> Result<Outcome, Failure> {
        let entry = self.entry(id).ok_or_else(|| gone(id))?;
        let answer = {
            let mut desk = lock(&entry.desk);
            let mut effects = self.step(&entry, &mut desk, event);
            if let Some(outcome) = take_warm_answer(&mut effects, ticket) {
                self.enqueue(&entry, &mut desk, effects);
                return Ok(outcome);
            }
            let (sender, answer) = oneshot::channel();
            desk.waiting.insert(ticket, sender);
            self.enqueue(&entry, &mut desk, effects);
            answer
        };
        self.publish(&entry);
        answer.await.map_err(|_| gone(id))
    }

    /// Steps an event that nobody waits for.
    fn post(&self, entry: &Arc<Entry>, event: Event) {
        {
            let mut desk = lock(&entry.desk);
            let effects = self.step(entry, &mut desk, event);
            self.enqueue(entry, &mut desk, effects);
        }
        self.publish(entry);
        self.0.moved.notify_waiters();
    }

    /// Steps an event, and notes when the session wants to be looked at next.
    fn step(&self, entry: &Entry, desk: &mut Desk, event: Event) -> Vec<Effect> {
        let margins = self.margins(entry);
        let effects = desk.step(event, &margins);
        let tick = desk.session.next_tick(&margins);
        if tick != desk.tick {
            self.0.agenda.reschedule(&entry.id, desk.tick, tick);
            desk.tick = tick;
        }
        effects
    }

    fn margins(&self, entry: &Entry) -> Margins {
        let ahead = Duration::from_secs(self.0.ahead.load(Ordering::Relaxed));
        Margins { ahead, spread: entry.spread, ..Margins::default() }
    }

    /// Tells those who watch, if the account now stands differently.
    fn publish(&self, entry: &Entry) {
        if lock(&entry.desk).note_standing() {
            self.tell();
        }
    }

    /// Says that a list of accounts may look different to somebody.
    pub fn announce(&self) {
        self.tell();
    }

    fn tell(&self) {
        self.0.changes.send_modify(|count| *count += 1);
    }

    fn ticket(&self) -> Ticket {
        Ticket(self.0.next_ticket.fetch_add(1, Ordering::Relaxed))
    }

    fn entry(&self, id: &AccountId) -> Option<Arc<Entry>> {
        lock(&self.0.entries).get(id).cloned()
    }

    /// The account's entry: the one there is, with its newest description, or a new one.
    fn entry_for(&self, account: Account) {
        match self.entry(&account.id) {
            Some(entry) => *lock(&entry.account) = Arc::new(account),
            None => self.add(account, Session::signed_out()),
        }
    }

    fn add(&self, account: Account, session: Session) {
        let standing = (session.standing(), clock::now().boot);
        let desk = Desk {
            session,
            standing,
            renewed: None,
            tick: None,
            waiting: HashMap::new(),
            queue: VecDeque::new(),
            performer: Performer::None,
        };
        let id = account.id.clone();
        let entry = Arc::new(Entry {
            spread: id.as_str().bytes().fold(0, u8::wrapping_add),
            account: Mutex::new(Arc::new(account)),
            desk: Mutex::new(desk),
            id: id.clone(),
        });
        lock(&self.0.entries).insert(id, entry);
        self.tell();
    }
}

impl Entry {
    /// The account, unless it is signed out.
    fn present(&self) -> Option<Arc<Account>> {
        let account = Arc::clone(&lock(&self.account));
        (lock(&self.desk).standing.0 != Standing::SignedOut).then_some(account)
    }

    fn seen(&self, now: &Now) -> Seen {
        let account = Arc::clone(&lock(&self.account));
        let desk = lock(&self.desk);
        let (standing, since) = desk.standing.clone();
        let renewed = desk.renewed.map(|moment| now.wall_at(moment));
        Seen { account, standing, since: now.wall_at(since), renewed }
    }
}

impl Desk {
    fn step(&mut self, event: Event, margins: &Margins) -> Vec<Effect> {
        let now = clock::now().boot;
        if matches!(event, Event::Renewed { .. }) {
            self.renewed = Some(now);
        }
        let session = std::mem::replace(&mut self.session, Session::signed_out());
        let (session, effects) = session.step(event, now, margins);
        self.session = session;
        effects
    }

    /// Takes note of how the session stands, and tells whether that is news.
    fn note_standing(&mut self) -> bool {
        let standing = self.session.standing();
        let news = standing != self.standing.0;
        if news {
            self.standing = (standing, clock::now().boot);
        }
        news
    }
}

/// The answer to `ticket`, if it stands first: then nothing has to be done before it.
fn take_warm_answer(effects: &mut Vec<Effect>, ticket: Ticket) -> Option<Outcome> {
    match effects.first() {
        Some(Effect::Answer { ticket: to, .. }) if *to == ticket => match effects.remove(0) {
            Effect::Answer { outcome, .. } => Some(outcome),
            _ => None,
        },
        _ => None,
    }
}

fn gone(id: &AccountId) -> Failure {
    Failure::new(Code::NoSuchAccount, format!("there is no account {id}"), "brokerctl accounts")
}

fn mismatched(outcome: &Outcome) -> Failure {
    let kind = match outcome {
        Outcome::Token(_) => "token",
        Outcome::SignedIn(_) => "sign-in",
        Outcome::SignedOut(_) => "sign-out",
    };
    Failure::new(Code::Internal, format!("a {kind} answered another question"), "report this")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one is held; if it did, going on beats losing every other account.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
