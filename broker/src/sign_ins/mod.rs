//! Sign-ins under way: one browser or one code each, however many wait for it.
//!
//! 1. Whoever asks for the same sign-in at the same time joins the one that runs.
//! 2. Its phases are kept as they come, so that one who joins late hears them all.
//! 3. When the last one has lost interest, the attempt ends and its port is closed.

mod attempt;
mod device;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use authbroker_core::audit::{Event, Record};
use authbroker_core::caller::Caller;
use authbroker_core::failure::{Code, Failure, printable};
use authbroker_core::ids::{AccountId, ProviderName};
use authbroker_core::request::{AccountRef, SignInRequest, Way};
use authbroker_core::time::BootTime;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{Instrument as _, Span};
use url::Url;

use self::attempt::Attempt;
use crate::config::Flow;
use crate::services::audit::Audit;
use crate::services::oidc::Oidc;
use crate::services::oidc::device::Prompt;
use crate::services::vault::Vault;
use crate::sessions::Sessions;

/// How a request that waits for a person goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// A person is asked whether the app may have what it asks for.
    Consent,
    /// The browser is to go here.
    Url(Url),
    /// A person is to type a code somewhere.
    DeviceCode {
        /// The code, and where.
        prompt: Prompt,
        /// Until when.
        ends: BootTime,
    },
    /// It was opened.
    BrowserOpened,
    /// It could not be opened: the person may open the address by hand.
    BrowserMissing,
    /// Something came back that does not know this sign-in's state. The wait goes on.
    RejectedAnswer,
    /// The code came and is being exchanged.
    Exchanging,
    /// What the provider did when an account was signed out.
    Report(String),
    /// The browser is to go here, to end the session at the provider too.
    EndSession(Url),
    /// It is done.
    Done(AccountId),
    /// It did not work.
    Failed(Failure),
}

/// Who opens the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opener {
    /// The broker, for an app.
    Broker,
    /// The caller, from where the person sits.
    Caller,
}

/// One sign-in, as it was asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// At which provider.
    pub provider: Arc<Oidc>,
    /// What for.
    pub request: SignInRequest,
    /// The account that must come out of it, where one was named.
    pub expected: Option<AccountId>,
    /// Who opens the browser.
    pub opener: Opener,
    /// Who wished for it first.
    pub caller: Caller,
}

/// What makes two wishes the same.
type Likeness = (ProviderName, SignInRequest, Option<AccountId>, Opener);

/// The sign-ins under way.
#[derive(Debug, Clone)]
pub struct SignIns(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sessions: Sessions,
    vault: Vault,
    audit: Audit,
    // A std mutex: held to look up or enter, never across an await.
    running: Mutex<HashMap<Likeness, Weak<Running>>>,
}

#[derive(Debug)]
struct Running {
    phases: watch::Receiver<Vec<Phase>>,
    _ends_when_dropped: DropGuard,
}

/// One party to a sign-in. Dropping it gives up the interest.
#[derive(Debug)]
pub struct Participation {
    _interest: Arc<Running>,
    phases: watch::Receiver<Vec<Phase>>,
    told: usize,
}

impl Participation {
    /// Waits for the next phase. The last is [`Phase::Done`] or [`Phase::Failed`].
    pub async fn next(&mut self) -> Phase {
        loop {
            if let Some(phase) = self.phases.borrow_and_update().get(self.told) {
                self.told += 1;
                return phase.clone();
            }
            if self.phases.changed().await.is_err() {
                return Phase::Failed(Failure::new(
                    Code::Internal,
                    "the sign-in ended without a word",
                    "try again",
                ));
            }
        }
    }
}

impl SignIns {
    /// Prepares for sign-ins.
    pub fn new(sessions: Sessions, vault: Vault, audit: Audit) -> Self {
        Self(Arc::new(Shared { sessions, vault, audit, running: Mutex::default() }))
    }

    /// Joins the sign-in that is wished for, or begins it.
    pub fn join(&self, wish: Wish) -> Participation {
        let likeness = likeness(&wish);
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|_, sign_in| sign_in.strong_count() > 0);
        let known = running.get(&likeness).and_then(Weak::upgrade);
        let open = known.filter(|sign_in| !is_over(&sign_in.phases.borrow()));
        let sign_in = open.unwrap_or_else(|| {
            let started = self.start(wish);
            running.insert(likeness, Arc::downgrade(&started));
            started
        });
        let phases = sign_in.phases.clone();
        Participation { _interest: sign_in, phases, told: 0 }
    }

    fn start(&self, wish: Wish) -> Arc<Running> {
        let (sender, phases) = watch::channel(Vec::new());
        let cancel = CancellationToken::new();
        let attempt = Attempt { shared: Arc::clone(&self.0), wish, phases: sender };
        let given_up = cancel.clone();
        let (audit, record) = (self.0.audit.clone(), attempt.wish.record(Event::SignInFailed));
        let span = attempt.wish.span();
        let run = async move {
            tokio::select! {
                () = attempt.run() => {}
                () = given_up.cancelled() => {
                    tracing::info!("a sign-in was given up");
                    audit.record(record.failed(&words::given_up()));
                }
            }
        };
        tokio::spawn(run.instrument(span));
        Arc::new(Running { phases, _ends_when_dropped: cancel.drop_guard() })
    }
}

impl Wish {
    /// The beginning of a line in the record.
    pub fn record(&self, event: Event) -> Record {
        let record = Record::of(event).by(&self.caller);
        let record = Record {
            account: self.expected.clone(),
            resources: self.request.resources.clone(),
            scopes: self.request.scopes.clone(),
            correlation_id: self.request.correlation_id.clone(),
            ..record
        };
        record.saying(format!("at {}", self.provider.settings().name))
    }

    /// Where the log's lines about this sign-in belong: with the caller's own word for it, where it
    /// gave one.
    fn span(&self) -> Span {
        let provider = self.provider.settings().name.as_str();
        let correlation_id = self.request.correlation_id.as_deref().map(printable);
        tracing::warn_span!("sign-in", provider, correlation_id)
    }

    /// How the sign-in goes.
    fn flow(&self) -> Flow {
        match self.request.way {
            Way::Configured => self.provider.settings().flow,
            Way::Device => Flow::Device,
        }
    }
}

fn likeness(wish: &Wish) -> Likeness {
    let name = wish.provider.settings().name.clone();
    let way = if wish.flow() == Flow::Device { Way::Device } else { Way::Configured };
    // The target has been looked up: whatever way it was named, the sign-in is the same.
    let target = AccountRef::default();
    let request = SignInRequest { target, way, correlation_id: None, ..wish.request.clone() };
    (name, request, wish.expected.clone(), wish.opener)
}

fn is_over(phases: &[Phase]) -> bool {
    matches!(phases.last(), Some(Phase::Done(_) | Phase::Failed(_)))
}
