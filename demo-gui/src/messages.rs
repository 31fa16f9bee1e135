//! What the front (window or terminal) and the worker say to each other.
//!
//! Commands go to the worker, events come back. A job carries its attempt number and so does every
//! reply, so that a reply to something that was given up is known as late.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use authbroker_client::http::Interaction;
use authbroker_client::{AccessToken, Account, Door, Identity, Progress};
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use url::Url;

use crate::problem::Problem;

/// Whom to ask, fixed for the life of the program.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which way leads to the broker.
    pub door: Door,
    /// The API that has the private message.
    pub api: Url,
    /// What that API's tokens are asked for (RFC 8707); left out, the provider's first resource.
    pub resource: Option<String>,
}

/// The number of a job, to tell its replies from those of earlier ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempt(u64);

impl Attempt {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// What the worker is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Do this. Whatever job was under way is dropped, which withdraws it from the broker.
    Start(Attempt, Job),
    /// Drop the job that is under way.
    Cancel,
    /// Fetch the picture at this address.
    FetchPicture(String),
    /// Ask the broker what there is to know about this account's token, and about this app.
    Ask(String),
    /// Look for the broker now, without waiting for the next try.
    Reconnect,
}

/// One thing to do. An empty `account` stands for the broker's default or only one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Have a person sign in.
    SignIn {
        /// Account or provider.
        account: String,
    },
    /// Have a person sign in again, in the way that the API asks for.
    StepUp(Box<Interaction>),
    /// Sign the account out, for every app.
    SignOut {
        /// Account.
        account: String,
    },
    /// Get a message from the API.
    GetMessage {
        /// Account.
        account: String,
        /// Which message.
        page: Page,
        /// Which token will do.
        token: TokenAge,
    },
    /// Read what the access token says.
    ReadClaims {
        /// Account.
        account: String,
        /// Which token will do.
        token: TokenAge,
    },
}

/// A message of the API's that takes a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Page {
    /// For everybody who has signed in.
    #[default]
    Private,
    /// For those who have signed in just now (RFC 9470).
    Recent,
}

impl Page {
    /// Where it is, below the API's address.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Recent => "private/recent",
        }
    }
}

/// Which access token a job asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenAge {
    /// The one that the broker has, while it is good.
    #[default]
    Any,
    /// One that is renewed first.
    Renewed,
}

/// What the worker tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The broker answers; these are all the accounts now. Comes again at each change.
    Accounts(Vec<Account>),
    /// The broker does not answer. The worker goes on trying.
    BrokerDown(Problem),
    /// How a job goes.
    Reply(Attempt, Reply),
    /// The picture at this address, ready to be shown.
    Picture(String, Picture),
    /// A request went to the API.
    Sent(Sent),
    /// What the broker says about an account's token, and about this app.
    Facts(Box<Facts>),
}

/// How a job goes. All but `Progress` end it.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// A sign-in or sign-out has come this far.
    Progress(Progress),
    /// The account of this id is signed in.
    SignedIn(String),
    /// The account of this id is signed out.
    SignedOut(String),
    /// The API answered.
    Message(Answer),
    /// The API asks for another sign-in first.
    StepUp(Box<Interaction>),
    /// The access token says this.
    Claims(Claims),
    /// It did not work.
    Failed(Problem),
}

/// The API's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The message.
    Text {
        /// HTTP status.
        status: u16,
        /// The message itself.
        text: String,
    },
    /// The API will not give it.
    Refused {
        /// HTTP status.
        status: u16,
        /// The API's own words.
        reason: String,
    },
}

/// A request that went to the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// What was asked for.
    pub page: Page,
    /// When.
    pub at: Timestamp,
    /// The answer's status; `None` where none came.
    pub status: Option<u16>,
    /// How long the answer took.
    pub took: Duration,
}

/// What the broker says about an account's token, and about this app.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The account's id.
    pub account: String,
    /// How the broker sees this app.
    pub identity: Result<Identity, Problem>,
    /// What it says of the token.
    pub token: Result<TokenFacts, Problem>,
}

/// What the broker says about an access token, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    /// How it is presented: `Bearer` or `DPoP`.
    pub token_type: String,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The scopes it has.
    pub scopes: Vec<String>,
    /// The APIs it is for.
    pub resource: Vec<String>,
}

impl From<&AccessToken> for TokenFacts {
    fn from(token: &AccessToken) -> Self {
        Self {
            token_type: token.token_type().to_owned(),
            expires_at: Timestamp::try_from(token.expires_at()).unwrap_or_default(),
            scopes: token.scopes.clone(),
            resource: token.resource.clone(),
        }
    }
}

/// What an access token says, without the token.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// The payload; `None` where the token is opaque (RFC 6749 §1.4 allows that).
    pub payload: Option<Map<String, Value>>,
    /// When the token expires, in seconds since the epoch.
    pub expires_at: u64,
    /// The first 8 bytes of the token's SHA-256, in hex: tells two tokens apart, and no more.
    pub fingerprint: String,
}

/// A square picture of [`Picture::SIDE`] pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Red, green, blue and opacity of each pixel, not premultiplied.
    pub rgba: Vec<u8>,
}

impl Picture {
    /// Width and height in pixels: twice what a window shows, for screens of double density.
    pub const SIDE: u16 = 192;
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picture(…)")
    }
}

/// Where the worker puts its events. Each one wakes whoever reads them.
#[derive(Clone)]
pub struct Outbox {
    events: mpsc::UnboundedSender<Event>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Outbox {
    /// An outbox and its reader. `wake` is called after each event.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (events, reader) = mpsc::unbounded_channel();
        (Self { events, wake: Arc::new(wake) }, reader)
    }

    /// Tells `event`. Nobody hears it when the front is closing.
    pub fn send(&self, event: Event) {
        let _ = self.events.send(event);
        (self.wake)();
    }
}
