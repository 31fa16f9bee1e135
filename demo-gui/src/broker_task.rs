//! The way to the broker: found, followed, and found again.
//!
//! [`follow`] keeps a watch on the accounts. That one stream is how a sign-in in another window is
//! seen here, and how the broker's going away is noticed at once. While it is away, the tries come
//! at growing intervals; a person who cannot wait cuts the interval short.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authbroker_client::{
    AccessToken, AcquireRequest, Change, Client, Door, Error, Identity, Pending, Progress, Step,
    TokenRequest,
};
use tokio::sync::Notify;

use crate::messages::{Event, Outbox};
use crate::problem::Problem;

/// The wait before the second try to find the broker.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest wait between two tries: short enough for a person who has just started the broker.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// How long a token may take. The broker itself answers within 20 s.
const TOKEN_PATIENCE: Duration = Duration::from_secs(30);

/// A handle on the broker: connects when it is first needed, and again after [`Broker::lost`].
#[derive(Debug, Clone)]
pub(crate) struct Broker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    door: Door,
    // A std mutex: held to clone or to replace, never across an await.
    client: Mutex<Option<Client>>,
}

impl Broker {
    pub(crate) fn behind(door: Door) -> Self {
        Self(Arc::new(Shared { door, client: Mutex::new(None) }))
    }

    /// An access token, without asking anybody.
    pub(crate) async fn token(&self, request: TokenRequest) -> Result<AccessToken, Error> {
        let client = self.client().await?;
        let answer = tokio::time::timeout(TOKEN_PATIENCE, client.token(request)).await;
        answer.unwrap_or_else(|_| Err(Error::Connection(std::io::ErrorKind::TimedOut.into())))
    }

    /// Has a person sign in, and tells how it goes. Dropping the future withdraws the request.
    pub(crate) async fn sign_in(
        &self,
        request: AcquireRequest,
        tell: impl Fn(Progress),
    ) -> Result<String, Error> {
        until_done(self.client().await?.acquire(request).await?, tell).await
    }

    /// Signs the account out, for every app.
    pub(crate) async fn sign_out(
        &self,
        account: &str,
        tell: impl Fn(Progress),
    ) -> Result<String, Error> {
        until_done(self.client().await?.sign_out(account).await?, tell).await
    }

    /// How the broker sees this app.
    pub(crate) async fn who_am_i(&self) -> Result<Identity, Error> {
        self.client().await?.who_am_i().await
    }

    /// The connection, made where there is none.
    pub(crate) async fn client(&self) -> Result<Client, Error> {
        if let Some(client) = self.known() {
            return Ok(client);
        }
        let client = Client::connect_to(self.0.door.clone()).await?;
        self.remember(Some(client.clone()));
        Ok(client)
    }

    fn known(&self) -> Option<Client> {
        self.0.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, client: Option<Client>) {
        *self.0.client.lock().unwrap_or_else(PoisonError::into_inner) = client;
    }

    /// Forgets the connection: the next broker may be behind another door.
    fn lost(&self) {
        self.remember(None);
    }
}

async fn until_done(mut pending: Pending, tell: impl Fn(Progress)) -> Result<String, Error> {
    loop {
        match pending.next().await? {
            Step::Progress(progress) => tell(progress),
            Step::Done(account) => return Ok(account),
        }
    }
}

/// Tells every change of the accounts, for ever. `again` cuts the present pause short.
pub(crate) async fn follow(broker: Broker, outbox: Outbox, again: Arc<Notify>) {
    let mut outage = Outage::default();
    loop {
        let Err(error) = watch(&broker, &outbox, &mut outage).await;
        broker.lost();
        if let Some(news) = outage.news(error.into()) {
            outbox.send(Event::BrokerDown(news));
        }
        tokio::select! {
            () = tokio::time::sleep(outage.pause()) => {}
            () = again.notified() => {}
        }
    }
}

async fn watch(broker: &Broker, outbox: &Outbox, outage: &mut Outage) -> Result<Infallible, Error> {
    let mut watch = broker.client().await?.watch().await?;
    let mut accounts = BTreeMap::new();
    loop {
        let change = watch.next().await?;
        *outage = Outage::default();
        apply(&mut accounts, change);
        outbox.send(Event::Accounts(accounts.values().cloned().collect()));
    }
}

type Accounts = BTreeMap<String, authbroker_client::Account>;

fn apply(accounts: &mut Accounts, change: Change) {
    for id in &change.removed {
        accounts.remove(id);
    }
    accounts.extend(change.accounts.into_iter().map(|account| (account.id.clone(), account)));
}

/// The time since the broker was last heard: how often it was tried, and what was said about it.
#[derive(Debug, Default)]
struct Outage {
    tries: u32,
    told: Option<Problem>,
}

impl Outage {
    /// The problem, unless it is the one that was told last.
    fn news(&mut self, problem: Problem) -> Option<Problem> {
        let changed = self.told.as_ref() != Some(&problem);
        self.told = Some(problem.clone());
        changed.then_some(problem)
    }

    /// The wait before the next try: each time twice as long, up to a bound.
    fn pause(&mut self) -> Duration {
        let factor = 2_u32.saturating_pow(self.tries);
        self.tries = self.tries.saturating_add(1);
        FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use authbroker_client::Account;

    use super::*;
    use crate::problem::Cause;

    fn account(id: &str, state: &str) -> Account {
        Account { id: id.into(), state: state.into(), ..Account::default() }
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        let mut outage = Outage::default();
        let pauses: Vec<u128> = (0..40).map(|_| outage.pause().as_millis()).collect();
        assert_eq!(pauses[..6], [200, 400, 800, 1600, 3000, 3000]);
        assert_eq!(pauses[39], 3000);
    }

    #[test]
    fn the_same_problem_is_told_once() {
        let problem = |message: &str| Problem {
            cause: Cause::NoBroker,
            message: message.into(),
            hint: String::new(),
        };
        let mut outage = Outage::default();
        assert!(outage.news(problem("a")).is_some());
        assert!(outage.news(problem("a")).is_none());
        assert!(outage.news(problem("b")).is_some());
    }

    #[test]
    fn a_change_replaces_adds_and_removes() {
        let mut accounts = Accounts::new();
        let first = vec![account("a", "ready"), account("b", "ready")];
        apply(&mut accounts, Change { accounts: first, removed: vec![] });
        let second = vec![account("b", "offline"), account("c", "ready")];
        apply(&mut accounts, Change { accounts: second, removed: vec!["a".into()] });
        let seen: Vec<_> = accounts.values().map(|a| (a.id.as_str(), a.state.as_str())).collect();
        assert_eq!(seen, [("b", "offline"), ("c", "ready")]);
    }
}
