//! A value that is fetched when it is needed, and then believed for a while.
//!
//! 1. Of several who need it at once, one fetches. The others wait, and get what comes of that, a
//!    failure included: nobody waits for one failure after the other.
//! 2. A failure is not remembered. Whoever asks later tries again.
//! 3. Where the provider is out of reach, what was fetched before does for a while longer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authbroker_core::failure::{Code, Failure};
use authbroker_core::time::BootTime;
use tokio::sync::Semaphore;

use crate::platform::clock;

/// How long a value is believed.
const LIFETIME: Duration = Duration::from_hours(1);
/// How long it is believed where no newer one can be had.
const LAST_RESORT: Duration = Duration::from_hours(24);

#[derive(Debug)]
pub(super) struct Cached<T> {
    lifetime: Duration,
    // A std mutex: held to read or to write, never across an await.
    known: Mutex<Known<T>>,
    /// Whose turn it is to fetch.
    turn: Semaphore,
}

/// What came of the last fetches, and when.
#[derive(Debug)]
struct Known<T> {
    /// The value, and when its fetch began: it is at least as new as that.
    value: Option<(Arc<T>, BootTime)>,
    /// The last failure, and when it was known.
    failure: Option<(Failure, BootTime)>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self::living(LIFETIME)
    }
}

impl<T> Cached<T> {
    fn living(lifetime: Duration) -> Self {
        let known = Mutex::new(Known { value: None, failure: None });
        Self { lifetime, known, turn: Semaphore::new(1) }
    }

    /// The value, fetched if there is none or an old one.
    pub(super) async fn get(
        &self,
        fetch: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Arc<T>, Failure> {
        let asked = clock::now().boot;
        if let Some(value) = self.known().younger_than(self.lifetime, asked) {
            return Ok(value);
        }
        match self.fetch_in_turn(asked, self.lifetime, fetch).await {
            Err(failure) if is_outage(&failure) => {
                self.known().younger_than(LAST_RESORT, asked).ok_or(failure)
            }
            outcome => outcome,
        }
    }

    /// The value as it is now. Where it cannot be had, the one at hand stays.
    pub(super) async fn newer(
        &self,
        fetch: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Arc<T>, Failure> {
        self.fetch_in_turn(clock::now().boot, Duration::ZERO, fetch).await
    }

    /// Fetches a value, unless somebody else did meanwhile.
    async fn fetch_in_turn(
        &self,
        asked: BootTime,
        oldest: Duration,
        fetch: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Arc<T>, Failure> {
        // It is never closed.
        let _turn = self.turn.acquire().await;
        if let Some(outcome) = self.known().meanwhile(asked, oldest) {
            return outcome;
        }
        let began = clock::now().boot;
        let outcome = fetch.await.map(Arc::new);
        let mut known = self.known();
        match &outcome {
            Ok(value) => known.value = Some((Arc::clone(value), began)),
            Err(failure) => known.failure = Some((failure.clone(), clock::now().boot)),
        }
        outcome
    }

    fn known(&self) -> MutexGuard<'_, Known<T>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Known<T> {
    /// The value, if it is younger than `age` at a moment, or from after it.
    fn younger_than(&self, age: Duration, now: BootTime) -> Option<Arc<T>> {
        let (value, since) = self.value.as_ref()?;
        (*since >= now || since.until(now) < age).then(|| Arc::clone(value))
    }

    /// What came of a fetch while somebody waited who takes no value older than `oldest`.
    fn meanwhile(&self, asked: BootTime, oldest: Duration) -> Option<Result<Arc<T>, Failure>> {
        let failure = self.failure.as_ref().filter(|(_, at)| *at >= asked);
        match (self.younger_than(oldest, asked), failure) {
            (Some(value), _) => Some(Ok(value)),
            (None, failure) => failure.map(|(failure, _)| Err(failure.clone())),
        }
    }
}

/// Whether the provider is out of reach or out of order, and not wrong.
fn is_outage(failure: &Failure) -> bool {
    matches!(failure.code, Code::Offline | Code::ProviderUnavailable)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;

    use super::*;

    fn failure(code: Code) -> Failure {
        Failure::new(code, "it failed", "try again")
    }

    /// A provider that counts how often it is asked, and gives the count.
    #[derive(Default)]
    struct Provider(AtomicU32);

    impl Provider {
        async fn answers(&self) -> Result<u32, Failure> {
            tokio::task::yield_now().await;
            Ok(self.0.fetch_add(1, Ordering::Relaxed) + 1)
        }

        async fn fails(&self, code: Code) -> Result<u32, Failure> {
            self.answers().await.and(Err(failure(code)))
        }
    }

    fn value(outcome: Result<Arc<u32>, Failure>) -> u32 {
        *outcome.unwrap()
    }

    #[tokio::test]
    async fn of_many_who_need_it_at_once_one_fetches() {
        let (cached, provider) = (Cached::default(), Provider::default());
        let all = join_all((0..50).map(|_| cached.get(provider.answers()))).await;
        assert!(all.into_iter().all(|outcome| value(outcome) == 1));
        assert_eq!(value(cached.get(provider.answers()).await), 1, "and it is kept");
    }

    #[tokio::test]
    async fn who_waited_shares_a_failure_and_who_comes_later_tries_again() {
        let (cached, provider) = (Cached::default(), Provider::default());
        let code = Code::ProviderUnavailable;
        let all = join_all((0..50).map(|_| cached.get(provider.fails(code)))).await;
        assert!(all.iter().all(|outcome| outcome.as_ref().unwrap_err().code == code));
        assert_eq!(value(cached.get(provider.answers()).await), 2, "one failure for all");
    }

    #[tokio::test]
    async fn what_is_old_is_fetched_again() {
        let (cached, provider) = (Cached::living(Duration::ZERO), Provider::default());
        assert_eq!(value(cached.get(provider.answers()).await), 1);
        assert_eq!(value(cached.get(provider.answers()).await), 2);
    }

    #[tokio::test]
    async fn what_is_old_does_while_the_provider_is_out_of_reach_but_not_when_it_is_wrong() {
        let (cached, provider) = (Cached::living(Duration::ZERO), Provider::default());
        assert_eq!(value(cached.get(provider.answers()).await), 1);
        for outage in [Code::Offline, Code::ProviderUnavailable] {
            assert_eq!(value(cached.get(provider.fails(outage)).await), 1);
        }
        assert!(cached.get(provider.fails(Code::ProviderError)).await.is_err());
    }

    #[tokio::test]
    async fn a_newer_one_takes_its_place_and_where_there_is_none_it_stays() {
        let (cached, provider) = (Cached::default(), Provider::default());
        assert_eq!(value(cached.get(provider.answers()).await), 1);
        assert_eq!(value(cached.newer(provider.answers()).await), 2);
        assert!(cached.newer(provider.fails(Code::ProviderUnavailable)).await.is_err());
        assert_eq!(value(cached.get(provider.answers()).await), 2);
    }
}
