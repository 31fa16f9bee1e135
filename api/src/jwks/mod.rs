//! The issuer's keys, kept close at hand.
//!
//! 1. Every request asks [`Jwks::current`]. While the keys are fresh that is a lock and a clone of
//!    a pointer.
//! 2. As they age, the first to notice starts a fetch behind its own answer. Once they are past
//!    their time, callers wait for the fetch.
//! 3. A token signed by a key that is not there asks [`Jwks::newest`]: the issuer may have rotated.
//!    Anybody can invent key ids, so this causes at most one fetch in [`Pace::refetch_floor`],
//!    whatever the load.
//! 4. There is never more than one fetch. It is a task of its own, so a caller who leaves does not
//!    take it along; who needs its result waits for it to land.
//! 5. A keeper, once started, does not wait for callers: it fetches at once, ahead of the keys' end,
//!    and again and again while the issuer is down. So an API that nobody calls is ready all the
//!    same, and finds by itself an issuer that was not there when it started.
//! 6. A fetch that fails changes nothing but the pace: the keys known before stay in use for up to
//!    a day past their time, and without any the caller gets [`Unavailable`] until a later
//!    fetch succeeds.

mod keys;
mod source;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use metrics::counter;
use tokio::sync::watch;

pub use self::keys::{InvalidKeySet, KeySet};
use self::source::{Fetched, Source};
use crate::clock::Clock;
use crate::error::chain;
use crate::issuer::Issuer;
use crate::observe::FETCHES;
pub use crate::provider::NoClient;

/// How long keys are fresh when the issuer does not say.
const DEFAULT_TTL: Duration = Duration::from_mins(10);

/// Below this an issuer would be asked all the time, above it a withdrawn key would live too long.
const TTL_BOUNDS: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(24));

/// How long past their time keys are believed while the issuer cannot be asked. Every token that it
/// signed before it fell silent has expired by then.
const MAX_STALE: Duration = Duration::from_hours(24);

/// How often the issuer may be asked out of turn.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two fetches that unknown key ids cause.
    pub refetch_floor: Duration,
    /// After a fetch that failed.
    pub retry_pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { refetch_floor: Duration::from_secs(30), retry_pause: Duration::from_secs(5) }
    }
}

/// The issuer's keys were never had, or are too old to believe.
#[derive(Debug, thiserror::Error)]
#[error("the issuer's keys are not available")]
pub struct Unavailable {
    /// When to ask again.
    pub retry_after: Duration,
}

/// A cache of one issuer's keys.
pub struct Jwks {
    shared: Arc<Shared>,
}

struct Shared {
    source: Source,
    clock: Arc<dyn Clock>,
    pace: Pace,
    /// A std mutex, because it is held for a few instructions and never across an `.await`.
    state: Mutex<State>,
}

/// All times are the clock's monotonic ones.
#[derive(Default)]
struct State {
    held: Option<Held>,
    flight: Option<Flight>,
    last_failure: Option<Duration>,
    last_refetch: Option<Duration>,
}

/// The last good answer.
struct Held {
    keys: Arc<KeySet>,
    since: Duration,
    ttl: Duration,
}

impl Held {
    /// The age at which the keys are renewed, ahead of their end.
    fn renewal_age(&self) -> Duration {
        self.ttl * 3 / 4
    }
}

/// A fetch under way. It has landed when its sender is gone, be it by success, failure or panic.
#[derive(Clone)]
struct Flight(watch::Receiver<()>);

/// What a caller must do before using the keys.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    FetchBehind,
    FetchFirst,
}

/// Keys, or what to wait for before there may be some.
enum Ready {
    Now(Arc<KeySet>),
    After(Option<Flight>),
}

impl Jwks {
    /// A cache that has not asked yet.
    pub fn new(issuer: Issuer, clock: Arc<dyn Clock>, pace: Pace) -> Result<Self, NoClient> {
        let source = Source::new(issuer)?;
        Ok(Self { shared: Arc::new(Shared { source, clock, pace, state: Mutex::default() }) })
    }

    /// Whose keys these are.
    pub fn issuer(&self) -> &Issuer {
        self.shared.source.issuer()
    }

    /// Keeps the keys fresh from now on, until this cache is gone. Must be called within a tokio
    /// runtime.
    pub fn keep_fresh(&self) {
        tokio::spawn(keep(Arc::downgrade(&self.shared)));
    }

    /// Whether there are keys that can be believed now.
    pub fn is_ready(&self) -> bool {
        self.shared.lock().usable(self.shared.clock.monotonic()).is_some()
    }

    /// The keys to verify a token with.
    pub async fn current(&self) -> Result<Arc<KeySet>, Unavailable> {
        match self.prepare() {
            Ready::Now(keys) => Ok(keys),
            Ready::After(flight) => self.after(flight).await,
        }
    }

    /// The same after one more look at the issuer, if it is time for one: for a token whose key is
    /// not among the current ones.
    pub async fn newest(&self) -> Result<Arc<KeySet>, Unavailable> {
        self.after(self.refetch()).await
    }

    async fn after(&self, flight: Option<Flight>) -> Result<Arc<KeySet>, Unavailable> {
        if let Some(flight) = flight {
            flight.landed().await;
        }
        let keys = self.shared.lock().usable(self.shared.clock.monotonic());
        keys.ok_or(Unavailable { retry_after: self.shared.pace.retry_pause })
    }

    /// Starts what [`State::need`] asks for, under one lock: this is the way of every request.
    fn prepare(&self) -> Ready {
        let now = self.shared.clock.monotonic();
        let mut state = self.shared.lock();
        let flight = match state.need(now) {
            Need::Nothing => None,
            Need::FetchBehind => {
                self.shared.fetch(&mut state);
                None
            }
            Need::FetchFirst => self.shared.fetch(&mut state),
        };
        match (flight, state.usable(now)) {
            (None, Some(keys)) => Ready::Now(keys),
            (flight, _) => Ready::After(flight),
        }
    }

    /// The same for a key that is missing: the keys at hand may be fresh and still not the latest.
    fn refetch(&self) -> Option<Flight> {
        let now = self.shared.clock.monotonic();
        let mut state = self.shared.lock();
        if let Some(flight) = state.flight() {
            return Some(flight);
        }
        if within(self.shared.pace.refetch_floor, state.last_refetch, now) {
            return None;
        }
        let flight = self.shared.fetch(&mut state)?;
        state.last_refetch = Some(now);
        Some(flight)
    }
}

/// The keeper: renews the keys whenever it is time, without anybody asking.
async fn keep(cache: Weak<Shared>) {
    while let Some(shared) = cache.upgrade() {
        if let Some(flight) = shared.renew() {
            flight.landed().await;
        }
        let pause = shared.until_renewal();
        let clock = Arc::clone(&shared.clock);
        // Not held while it sleeps, or the cache would never be gone.
        drop(shared);
        clock.sleep(pause).await;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code under the lock can panic halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the fetch under way or starts one, unless the last one failed a moment ago.
    fn fetch(self: &Arc<Self>, state: &mut State) -> Option<Flight> {
        if let Some(flight) = state.flight() {
            return Some(flight);
        }
        if within(self.pace.retry_pause, state.last_failure, self.clock.monotonic()) {
            return None;
        }
        let (landing, flight) = watch::channel(());
        state.flight = Some(Flight(flight));
        tokio::spawn(Arc::clone(self).fly(landing));
        state.flight()
    }

    fn renew(self: &Arc<Self>) -> Option<Flight> {
        let mut state = self.lock();
        let is_time = state.need(self.clock.monotonic()) != Need::Nothing;
        if is_time { self.fetch(&mut state) } else { None }
    }

    /// How long the keeper may sleep: to the next renewal; after a failure, for a pause.
    fn until_renewal(&self) -> Duration {
        let state = self.lock();
        let age = |held: &Held| self.clock.monotonic().saturating_sub(held.since);
        let left = state.held.as_ref().map(|held| held.renewal_age().saturating_sub(age(held)));
        left.unwrap_or_default().max(self.pace.retry_pause)
    }

    async fn fly(self: Arc<Self>, landing: watch::Sender<()>) {
        let fetched = self.source.fetch().await;
        let now = self.clock.monotonic();
        let outcome = if fetched.is_ok() { "good" } else { "failed" };
        let issuer = self.source.issuer().to_string();
        counter!(FETCHES, "issuer" => issuer, "outcome" => outcome).increment(1);
        match fetched {
            Ok(fetched) => {
                tracing::debug!(issuer = %self.source.issuer(), "fetched the issuer's keys");
                self.lock().hold(fetched, now);
            }
            Err(error) => {
                tracing::warn!(issuer = %self.source.issuer(), error = chain(&error), "no new keys");
                self.lock().last_failure = Some(now);
            }
        }
        drop(landing);
    }
}

impl State {
    fn hold(&mut self, fetched: Fetched, now: Duration) {
        let (shortest, longest) = TTL_BOUNDS;
        let ttl = fetched.max_age.unwrap_or(DEFAULT_TTL).clamp(shortest, longest);
        // The same keys stay the same: what was verified with them need not be verified again.
        let known = self.held.take().map(|held| held.keys);
        let known = known.filter(|keys| keys.is_same(&fetched.keys));
        let keys = known.unwrap_or_else(|| Arc::new(fetched.keys));
        self.held = Some(Held { keys, since: now, ttl });
    }

    fn need(&self, now: Duration) -> Need {
        let Some(held) = &self.held else { return Need::FetchFirst };
        let age = now.saturating_sub(held.since);
        if age < held.renewal_age() {
            Need::Nothing
        } else if age < held.ttl || within(held.ttl, self.last_failure, now) {
            // An issuer that did not answer lately is asked again, but not waited for.
            Need::FetchBehind
        } else {
            Need::FetchFirst
        }
    }

    fn usable(&self, now: Duration) -> Option<Arc<KeySet>> {
        let held = self.held.as_ref()?;
        let believed = now.saturating_sub(held.since) < held.ttl + MAX_STALE;
        believed.then(|| Arc::clone(&held.keys))
    }

    fn flight(&self) -> Option<Flight> {
        self.flight.clone().filter(Flight::is_up)
    }
}

impl Flight {
    fn is_up(&self) -> bool {
        self.0.has_changed().is_ok()
    }

    async fn landed(mut self) {
        // Nothing is ever sent: this ends when the sender is dropped.
        while self.0.changed().await.is_ok() {}
    }
}

/// Whether `then` is less than `span` ago.
fn within(span: Duration, then: Option<Duration>, now: Duration) -> bool {
    then.is_some_and(|then| now.saturating_sub(then) < span)
}
