//! The states of the window, named for what they show, each with what exists only then.

use authbroker_client::http::Interaction;
use authbroker_client::{Account, Progress};
use url::Url;

use crate::http;
use crate::messages::{Answer, Page, Reply};
use crate::problem::Problem;

/// What the window shows.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Nothing is known yet.
    Connecting,
    /// No broker answers; it is tried again and again.
    NoBroker(Problem),
    /// The broker answers, and nobody is signed in.
    SignedOut(SignedOut),
    /// A person is at the browser.
    SigningIn(SigningIn),
    /// There is an account.
    SignedIn(SignedIn),
    /// The broker signs the account out.
    SigningOut(Account),
}

/// Nobody is signed in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SignedOut {
    /// Why the last sign-in came to nothing.
    pub problem: Option<Problem>,
}

/// A sign-in that is under way.
#[derive(Debug, Clone, PartialEq)]
pub struct SigningIn {
    /// The account that needs a new sign-in; `None` for somebody new.
    pub returning: Option<Account>,
    /// The page that the browser shows, once it is known.
    pub address: Option<Url>,
    /// The code that the person types in there, where the provider's sign-in works that way.
    pub code: Option<String>,
    /// The message to get when it is done.
    pub then: Option<Page>,
    /// How far it is.
    pub stage: Stage,
}

/// How far a sign-in is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The broker prepares it.
    Preparing,
    /// The broker asks the person whether this app may.
    Consent,
    /// The person is at the provider's page.
    InBrowser,
    /// The broker gets the tokens.
    Finishing,
}

/// An account, and how it stands with its message.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedIn {
    /// The account.
    pub account: Account,
    /// The message.
    pub message: Message,
}

/// The API's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Nobody asked for it yet.
    Unasked,
    /// It is on its way.
    Loading(Page),
    /// Here it is.
    Shown {
        /// Which one.
        page: Page,
        /// What it says.
        text: String,
    },
    /// The API refused it.
    Refused {
        /// HTTP status.
        status: u16,
        /// The API's own words.
        reason: String,
    },
    /// The API asks for another sign-in first.
    StepUp {
        /// For which message.
        page: Page,
        /// What sign-in it asks for.
        interaction: Box<Interaction>,
    },
    /// Something on the way there did not work.
    Failed(Problem),
}

/// What an account can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Everything.
    Ready,
    /// Nothing, until a person signs in again.
    SignInNeeded,
    /// What the broker still has, as long as it lasts: the provider cannot be reached.
    Offline,
    /// Nothing, until the vault is unlocked.
    VaultLocked,
    /// Nothing.
    Disabled,
}

impl State {
    pub(super) fn signed_out() -> Self {
        Self::SignedOut(SignedOut::default())
    }

    /// The account that is shown.
    pub fn account(&self) -> Option<&Account> {
        match self {
            Self::SignedIn(now) => Some(&now.account),
            Self::SigningOut(account) => Some(account),
            Self::SigningIn(now) => now.returning.as_ref(),
            Self::Connecting | Self::NoBroker(_) | Self::SignedOut(_) => None,
        }
    }
}

impl SigningIn {
    /// One that begins.
    pub const fn of(returning: Option<Account>) -> Self {
        Self { returning, address: None, code: None, then: None, stage: Stage::Preparing }
    }

    pub(super) fn after(mut self, news: &Progress) -> Self {
        let address = news.url_complete.as_deref().or(news.url.as_deref());
        if let Some(address) = address.and_then(|url| http::parse(url).ok()) {
            self.address = Some(address);
        }
        if news.user_code.is_some() {
            self.code.clone_from(&news.user_code);
        }
        self.stage = match news.phase.as_deref() {
            Some("consent") => Stage::Consent,
            Some("exchanging") => Stage::Finishing,
            Some(
                "url" | "device-code" | "browser-opened" | "browser-missing" | "rejected-answer",
            ) => Stage::InBrowser,
            _ => self.stage,
        };
        self
    }

    pub(super) fn given_up(self, problem: Option<Problem>) -> State {
        match self.returning {
            Some(account) => {
                let message = problem.map_or(Message::Unasked, Message::Failed);
                State::SignedIn(SignedIn { account, message })
            }
            None => State::SignedOut(SignedOut { problem }),
        }
    }

    /// Whether `account` has become ready without our doing, in another window perhaps. (One that
    /// was ready all along says nothing: then a stronger sign-in is what we wait for.)
    pub(super) fn is_overtaken_by(&self, account: &Account) -> bool {
        let ready = |account: &Account| Standing::of(account) == Standing::Ready;
        ready(account) && !self.returning.as_ref().is_some_and(ready)
    }
}

impl SignedIn {
    pub(super) const fn of(account: Account) -> Self {
        Self { account, message: Message::Unasked }
    }

    pub(super) const fn is_loading(&self) -> bool {
        matches!(self.message, Message::Loading(_))
    }
}

impl Message {
    /// The message on that page, as far as `reply` brings it.
    pub(super) fn from(page: Page, reply: Reply) -> Self {
        match reply {
            Reply::Message(Answer::Text { text, .. }) => Self::Shown { page, text },
            Reply::Message(Answer::Refused { status, reason }) => Self::Refused { status, reason },
            Reply::StepUp(interaction) => Self::StepUp { page, interaction },
            Reply::Failed(problem) => Self::Failed(problem),
            _ => Self::Loading(page),
        }
    }
}

impl Standing {
    /// What `account` can be used for. A state that this program does not know counts as ready:
    /// then the broker says no where it must.
    pub fn of(account: &Account) -> Self {
        match account.state.as_str() {
            "interaction-required" | "revoked" => Self::SignInNeeded,
            "offline" => Self::Offline,
            "vault-locked" => Self::VaultLocked,
            "disabled" => Self::Disabled,
            _ => Self::Ready,
        }
    }
}
