//! Minted sockets: made and closed by the broker's own user; and what holds for whoever comes in by
//! one. Rules may forbid it more, nothing allows it more than it was minted for.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use authbroker_core::account::Account;
use authbroker_core::audit::{Event, Record};
use authbroker_core::caller::{Caller, Door, Identity};
use authbroker_core::failure::{Code, Failure};
use authbroker_core::minting::{Minting, SocketName, UnitName};
use authbroker_core::request::{AccountRef, SignInRequest, TokenRequest};
use authbroker_core::resource::Resources;
use authbroker_core::scope::ScopeSet;
use authbroker_core::token::TokenType;

use super::requests::{pending, silent_request};
use super::{Broker, Given, Pending};
use crate::platform::clock;
use crate::services::mintings::Mintings;
use crate::sign_ins::Phase;

pub use crate::services::mintings::Held;

/// The longest sleep before the end of a socket's time is compared with the wall clock again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A socket to be minted.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its name.
    pub name: SocketName,
    /// The account it is for.
    pub account: AccountRef,
    /// The APIs; none for the provider's usual one.
    pub resources: Resources,
    /// The scopes; none for all that were granted.
    pub scopes: ScopeSet,
    /// The service that its token is a credential of, if it is one's.
    pub unit: Option<UnitName>,
    /// How long it lasts.
    pub lifetime: Option<Duration>,
}

impl Broker {
    /// Takes note of a socket to be minted. Whoever asked opens it.
    pub async fn mint(&self, caller: &Caller, order: Order) -> Result<Held, Failure> {
        self.admit(caller)?;
        let account = self.resolve(caller, &order.account)?;
        let resources = if order.resources.is_empty() {
            self.0.providers.get(&account.provider)?.settings().default_resources()
        } else {
            order.resources
        };
        let now = clock::now().wall;
        let minting = Minting {
            name: order.name,
            account: account.id.clone(),
            resources,
            scopes: order.scopes,
            unit: order.unit,
            created: now,
            expires: order.lifetime.map(|lifetime| now.plus(lifetime)),
        };
        let kept = minting.clone();
        let held = in_background(&self.0.mintings, move |all| all.add(kept)).await;
        let held = held.map_err(|error| not_made(&minting.name, &error))?;
        let record = Record::of(Event::Policy).by(caller).about(&minting.account);
        self.0.audit.record(record.saying(format!("the socket {} was made", minting.name)));
        Ok(held)
    }

    /// Ends a minted socket, and every connection on it.
    pub async fn close_socket(&self, caller: &Caller, name: SocketName) -> Result<(), Failure> {
        self.admit(caller)?;
        let closing = name.clone();
        let closed = in_background(&self.0.mintings, move |all| all.remove(&closing)).await;
        match closed {
            Ok(true) => {
                let record = Record::of(Event::Policy).by(caller);
                self.0.audit.record(record.saying(format!("the socket {name} was closed")));
                Ok(())
            }
            Ok(false) => {
                let message = format!("there is no socket {name}");
                Err(Failure::new(Code::InvalidArgs, message, "brokerctl socket list"))
            }
            Err(error) => {
                let message = format!(
                    "the socket {name} is closed, but would be back after a restart: {error}"
                );
                Err(Failure::new(Code::Internal, message, format!("rm STATE/sockets/{name}.json")))
            }
        }
    }

    /// The minted sockets.
    pub fn minted_sockets(&self) -> Vec<Held> {
        self.0.mintings.all()
    }

    /// Completes when a socket is good no more: it was closed, or its time is over.
    pub async fn minting_ended(&self, held: &Held) {
        loop {
            let Some(left) = held.minting.left(clock::now().wall) else {
                return held.ended.cancelled().await;
            };
            if left.is_zero() {
                break;
            }
            // The wall clock may be set, and stands while the machine sleeps.
            let pause = tokio::time::sleep(left.min(LOOK_AGAIN));
            if held.ended.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
        let name = held.minting.name.clone();
        self.0.audit.record(Record::of(Event::Policy).saying(format!("the socket {name} ended")));
        if let Err(error) = in_background(&self.0.mintings, move |all| all.remove(&name)).await {
            tracing::warn!(%error, "the file of a socket whose time is over stays");
        }
    }

    /// The account, if a token can be had: by a minted socket nobody is sent to sign in.
    pub(super) fn acquire_minted(&self, caller: &Caller, request: &SignInRequest) -> Pending {
        let (broker, caller) = (self.clone(), caller.clone());
        let request = request.clone();
        pending(move |phases| async move {
            let phase = match broker.find_token(&caller, &silent_request(&request)).await {
                Ok(given) => Phase::Done(given.account.id.clone()),
                Err(failure) => {
                    broker.record_unserved(&caller, &request, &failure);
                    Phase::Failed(failure)
                }
            };
            drop(phases.send(phase).await);
        })
    }

    /// The token of a socket that is for one service, while the system's manager starts `started`.
    /// It is one that the service can use by itself: it could prove nothing with a key of ours.
    pub async fn credential(
        &self,
        caller: &Caller,
        started: Option<&str>,
    ) -> Result<Given, Failure> {
        let bearer = SignInRequest { token_type: Some(TokenType::Bearer), ..Default::default() };
        let request = silent_request(&bearer);
        let answer = match self.is_credential_of(caller, started) {
            Ok(()) => self.find_token(caller, &request).await,
            Err(failure) => Err(failure),
        };
        self.record_token(caller, &request, answer.as_ref());
        answer
    }

    fn is_credential_of(&self, caller: &Caller, started: Option<&str>) -> Result<(), Failure> {
        match self.minting(caller)? {
            Some(minting) => minting.is_credential_of(started),
            None => Err(closed("this socket")),
        }
    }

    /// What the caller's socket was minted for; `None` for callers by other doors.
    pub(super) fn minting(&self, caller: &Caller) -> Result<Option<Arc<Minting>>, Failure> {
        if caller.door != Door::Minted {
            return Ok(None);
        }
        let Identity::Socket(name) = &caller.identity else { return Err(closed("this socket")) };
        let minting = self.0.mintings.get(name, clock::now().wall);
        minting.map(Some).ok_or_else(|| closed(&format!("the socket {name}")))
    }

    /// The request as it is meant by whoever comes in by a minted socket.
    pub(super) fn narrow(
        &self,
        caller: &Caller,
        request: &mut TokenRequest,
    ) -> Result<Option<Arc<Minting>>, Failure> {
        let minting = self.minting(caller)?;
        if let Some(minting) = &minting {
            minting.narrow(request);
        }
        Ok(minting)
    }

    /// Whether the caller's socket, if it came in by a minted one, is for such a token.
    pub(super) fn within_minting(
        &self,
        caller: &Caller,
        account: &Account,
        resources: &Resources,
        scopes: &ScopeSet,
    ) -> Result<(), Failure> {
        match self.minting(caller)? {
            Some(minting) => minting.holds(account, resources, scopes),
            None => Ok(()),
        }
    }

    /// Whether the caller's socket, if it came in by a minted one, is for this account.
    pub(super) fn is_minted_for(&self, caller: &Caller, account: &Account) -> bool {
        match self.minting(caller) {
            Ok(Some(minting)) => minting.account == account.id,
            Ok(None) => true,
            Err(_) => false,
        }
    }
}

/// Refuses what a minted socket is never for: it gives tokens, and does nothing to the account.
pub(super) fn not_by_minted(caller: &Caller, what: &str) -> Result<(), Failure> {
    if caller.door != Door::Minted {
        return Ok(());
    }
    let message = format!("a minted socket is not for {what}");
    Err(Failure::new(Code::PolicyDenied, message, "do it where you sit: brokerctl"))
}

/// Runs what writes a file where it may wait for the disk.
async fn in_background<T: Send + 'static>(
    mintings: &Mintings,
    work: impl FnOnce(&Mintings) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let mintings = mintings.clone();
    let done = tokio::task::spawn_blocking(move || work(&mintings)).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn not_made(name: &SocketName, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::AlreadyExists {
        let message = format!("there is a socket {name} already");
        let hint = format!("choose another name, or brokerctl socket close {name}");
        return Failure::new(Code::InvalidArgs, message, hint);
    }
    let message = format!("the socket {name} cannot be kept: {error}");
    Failure::new(Code::Internal, message, "brokerctl doctor")
}

fn closed(what: &str) -> Failure {
    let message = format!("{what} was closed, or its time is over");
    let hint = "ask whoever gave it to you: brokerctl socket create";
    Failure::new(Code::PolicyDenied, message, hint)
}
