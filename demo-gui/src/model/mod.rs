//! What the window knows, and what follows from a click or from news: plain data, no effects.
//!
//! There is one [`State`] at a time. [`Model::heard`] and [`Model::wanted`] move it on and give the
//! commands that this calls for. The window has at most one job under way; a reply that bears
//! another attempt's number is late and changes nothing.

mod state;
#[cfg(test)]
mod tests;

use std::mem;

use authbroker_client::Account;

pub use self::state::{Message, SignedIn, SignedOut, SigningIn, Stage, Standing, State};
use crate::messages::{Attempt, Command, Event, Job, Reply, TokenAge};

/// What the person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Sign in, or sign in again.
    SignIn,
    /// Give the sign-in up.
    CancelSignIn,
    /// Log out.
    LogOut,
    /// Get the private message.
    GetMessage,
    /// Look for the broker now.
    TryNow,
}

/// The window's mind.
#[derive(Debug)]
pub struct Model {
    /// The account that the command line names, in any of the ways that the broker takes.
    selector: Option<String>,
    /// The id of the account that was signed in here.
    chosen: Option<String>,
    accounts: Vec<Account>,
    attempt: Attempt,
    /// The address of the picture that was asked for last.
    picture: String,
    state: State,
}

impl Model {
    /// A window that knows nothing yet. It will show the account that `selector` names, or the
    /// first.
    pub fn new(selector: Option<String>) -> Self {
        Self {
            selector,
            chosen: None,
            accounts: Vec::new(),
            attempt: Attempt::default(),
            picture: String::new(),
            state: State::Connecting,
        }
    }

    /// What the window shows.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Takes in what the worker tells.
    pub fn heard(&mut self, event: Event) -> Vec<Command> {
        let command = match event {
            Event::Accounts(accounts) => {
                self.accounts = accounts;
                self.look_again()
            }
            Event::BrokerDown(problem) => {
                self.state = State::NoBroker(problem);
                None
            }
            Event::Reply(attempt, reply) if attempt == self.attempt => {
                self.replied(reply);
                None
            }
            Event::Reply(..) | Event::Picture(..) => None,
        };
        command.into_iter().chain(self.new_picture()).collect()
    }

    /// Takes in what the person wants.
    pub fn wanted(&mut self, intent: Intent) -> Option<Command> {
        match (self.take_state(), intent) {
            (State::SignedOut(_), Intent::SignIn) => Some(self.sign_in(None)),
            (State::SignedIn(now), Intent::SignIn) => Some(self.sign_in(Some(now.account))),
            (State::SignedIn(now), Intent::LogOut) => Some(self.log_out(now.account)),
            (State::SignedIn(now), Intent::GetMessage) if now.message != Message::Loading => {
                Some(self.get_message(now.account))
            }
            (State::SigningIn(now), Intent::CancelSignIn) => {
                self.attempt = self.attempt.next();
                self.state = now.given_up(None);
                Some(Command::Cancel)
            }
            (state, intent) => {
                self.state = state;
                (intent == Intent::TryNow).then_some(Command::Reconnect)
            }
        }
    }

    fn sign_in(&mut self, returning: Option<Account>) -> Command {
        let id = returning.as_ref().map(|account| account.id.clone());
        let account = id.or_else(|| self.selector.clone()).unwrap_or_default();
        self.state =
            State::SigningIn(SigningIn { returning, address: None, stage: Stage::Preparing });
        self.start(Job::SignIn { account })
    }

    fn log_out(&mut self, account: Account) -> Command {
        let id = account.id.clone();
        self.state = State::SigningOut(account);
        self.start(Job::SignOut { account: id })
    }

    fn get_message(&mut self, account: Account) -> Command {
        let id = account.id.clone();
        self.state = State::SignedIn(SignedIn { account, message: Message::Loading });
        self.start(Job::GetMessage { account: id, token: TokenAge::Any })
    }

    fn start(&mut self, job: Job) -> Command {
        self.attempt = self.attempt.next();
        Command::Start(self.attempt, job)
    }

    fn replied(&mut self, reply: Reply) {
        self.state = match (self.take_state(), reply) {
            (State::SigningIn(now), Reply::Progress(news)) => State::SigningIn(now.after(&news)),
            (State::SigningIn(now), Reply::SignedIn(id)) => self.signed_in(now, id),
            (State::SigningIn(now), Reply::Failed(problem)) => now.given_up(Some(problem)),
            (State::SigningOut(_), Reply::SignedOut(id)) => self.signed_out(&id),
            (State::SigningOut(account), Reply::Failed(problem)) => {
                State::SignedIn(SignedIn { account, message: Message::Failed(problem) })
            }
            (State::SignedIn(SignedIn { account, message: Message::Loading }), reply) => {
                State::SignedIn(SignedIn { account, message: Message::from(reply) })
            }
            (state, _) => state,
        };
    }

    /// The sign-in is done. Its account shows as soon as the news of it is here too.
    fn signed_in(&mut self, now: SigningIn, id: String) -> State {
        self.chosen = Some(id);
        match self.shown() {
            Some(account) => State::SignedIn(SignedIn::of(account)),
            None => State::SigningIn(SigningIn { stage: Stage::Finishing, ..now }),
        }
    }

    fn signed_out(&mut self, id: &str) -> State {
        self.accounts.retain(|account| account.id != id);
        self.shown()
            .map_or_else(State::signed_out, |account| State::SignedIn(SignedIn::of(account)))
    }

    /// The accounts have changed: moves on to what that means for this window.
    fn look_again(&mut self) -> Option<Command> {
        let (state, command) = match (self.take_state(), self.shown()) {
            (State::SigningIn(now), Some(account)) if now.is_overtaken_by(&account) => {
                self.attempt = self.attempt.next();
                (State::SignedIn(SignedIn::of(account)), Some(Command::Cancel))
            }
            (State::SigningIn(now), account) => {
                (State::SigningIn(SigningIn { returning: account, ..now }), None)
            }
            (State::SignedIn(now), Some(account)) if now.account.id == account.id => {
                (State::SignedIn(SignedIn { account, ..now }), None)
            }
            (State::SigningOut(now), Some(account)) if now.id == account.id => {
                (State::SigningOut(account), None)
            }
            (State::SignedOut(now), None) => (State::SignedOut(now), None),
            (_, Some(account)) => (State::SignedIn(SignedIn::of(account)), None),
            (_, None) => (State::signed_out(), None),
        };
        self.state = state;
        command
    }

    /// The account that this window shows: the one that was signed in here, else the one that the
    /// command line names, else the first.
    fn shown(&self) -> Option<Account> {
        let named = |name: &str| {
            let bears = |account: &&Account| {
                [&account.id, &account.provider, &account.username].into_iter().any(|n| n == name)
            };
            self.accounts.iter().find(bears)
        };
        let chosen = self.chosen.as_deref().and_then(named);
        let account = chosen.or_else(|| match &self.selector {
            Some(selector) => named(selector),
            None => self.accounts.first(),
        });
        account.cloned()
    }

    fn new_picture(&mut self) -> Option<Command> {
        let picture = self.state.account().map(|account| account.picture.clone())?;
        if picture.is_empty() || picture == self.picture {
            return None;
        }
        self.picture.clone_from(&picture);
        Some(Command::FetchPicture(picture))
    }

    fn take_state(&mut self) -> State {
        mem::replace(&mut self.state, State::Connecting)
    }
}
