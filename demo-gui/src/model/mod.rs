//! What the window knows, and what follows from a click or from news: plain data, no effects.
//!
//! There is one [`State`] at a time. [`Model::heard`] and [`Model::wanted`] move it on and give the
//! commands that this calls for. The window has at most one job under way; a reply that bears
//! another attempt's number is late and changes nothing.

mod details;
mod state;
#[cfg(test)]
mod tests;

use std::mem;

use authbroker_client::Account;
use authbroker_client::http::Interaction;

pub use self::details::{Details, Pane};
pub use self::state::{Message, SignedIn, SignedOut, SigningIn, Stage, Standing, State};
use crate::messages::{Attempt, Command, Event, Job, Page, Reply, TokenAge};

/// What the person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Sign in, or sign in again.
    SignIn,
    /// Give the sign-in up.
    CancelSignIn,
    /// Log out.
    LogOut,
    /// Get a message.
    Get(Page),
    /// Open the details, or close them.
    TurnDetails,
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
    details: Details,
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
            details: Details::default(),
            state: State::Connecting,
        }
    }

    /// What the window shows.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What the details pane shows.
    pub const fn details(&self) -> &Details {
        &self.details
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
            Event::Reply(attempt, reply) if attempt == self.attempt => self.replied(reply),
            Event::Reply(..) | Event::Picture(..) => None,
            Event::Sent(sent) => {
                self.details.note(sent);
                None
            }
            Event::Facts(facts) => {
                self.details.heard(facts);
                None
            }
        };
        command.into_iter().chain(self.new_picture()).chain(self.new_facts()).collect()
    }

    /// Takes in what the person wants.
    pub fn wanted(&mut self, intent: Intent) -> Option<Command> {
        match (self.take_state(), intent) {
            (State::SignedOut(_), Intent::SignIn) => Some(self.sign_in(None)),
            (State::SignedIn(now), Intent::SignIn) => Some(self.sign_in_again(now)),
            (State::SignedIn(now), Intent::LogOut) => Some(self.log_out(now.account)),
            (State::SignedIn(now), Intent::Get(page)) if !now.is_loading() => {
                Some(self.get_message(now.account, page))
            }
            (State::SigningIn(now), Intent::CancelSignIn) => {
                self.attempt = self.attempt.next();
                self.state = now.given_up(None);
                Some(Command::Cancel)
            }
            (state, intent) => {
                self.state = state;
                self.wanted_anywhere(intent)
            }
        }
    }

    fn wanted_anywhere(&mut self, intent: Intent) -> Option<Command> {
        match intent {
            Intent::TryNow => Some(Command::Reconnect),
            Intent::TurnDetails => {
                self.details.pane = self.details.pane.turned();
                self.new_facts()
            }
            _ => None,
        }
    }

    fn sign_in(&mut self, returning: Option<Account>) -> Command {
        let id = returning.as_ref().map(|account| account.id.clone());
        let account = id.or_else(|| self.selector.clone()).unwrap_or_default();
        self.state = State::SigningIn(SigningIn::of(returning));
        self.start(Job::SignIn { account })
    }

    /// A new sign-in; the one that the API asks for, where it does.
    fn sign_in_again(&mut self, now: SignedIn) -> Command {
        match now.message {
            Message::StepUp { page, interaction } => self.step_up(now.account, page, interaction),
            _ => self.sign_in(Some(now.account)),
        }
    }

    fn step_up(&mut self, account: Account, page: Page, asked: Box<Interaction>) -> Command {
        let now = SigningIn::of(Some(account));
        self.state = State::SigningIn(SigningIn { then: Some(page), ..now });
        self.start(Job::StepUp(asked))
    }

    fn log_out(&mut self, account: Account) -> Command {
        let id = account.id.clone();
        self.state = State::SigningOut(account);
        self.start(Job::SignOut { account: id })
    }

    fn get_message(&mut self, account: Account, page: Page) -> Command {
        let id = account.id.clone();
        self.state = State::SignedIn(SignedIn { account, message: Message::Loading(page) });
        self.start(Job::GetMessage { account: id, page, token: TokenAge::Any })
    }

    fn start(&mut self, job: Job) -> Command {
        self.attempt = self.attempt.next();
        Command::Start(self.attempt, job)
    }

    fn replied(&mut self, reply: Reply) -> Option<Command> {
        self.state = match (self.take_state(), reply) {
            (State::SigningIn(now), Reply::Progress(news)) => State::SigningIn(now.after(&news)),
            (State::SigningIn(now), Reply::SignedIn(id)) => return self.signed_in(now, id),
            (State::SigningIn(now), Reply::Failed(problem)) => now.given_up(Some(problem)),
            (State::SigningOut(_), Reply::SignedOut(id)) => self.signed_out(&id),
            (State::SigningOut(account), Reply::Failed(problem)) => {
                State::SignedIn(SignedIn { account, message: Message::Failed(problem) })
            }
            (State::SignedIn(SignedIn { account, message: Message::Loading(page) }), reply) => {
                State::SignedIn(SignedIn { account, message: Message::from(page, reply) })
            }
            (state, _) => state,
        };
        None
    }

    /// The sign-in is done. Its account shows as soon as the news of it is here too, and with it
    /// the message that the sign-in was for.
    fn signed_in(&mut self, now: SigningIn, id: String) -> Option<Command> {
        self.chosen = Some(id);
        match (self.shown(), now.then) {
            (Some(account), Some(page)) => return Some(self.get_message(account, page)),
            (Some(account), None) => self.state = State::SignedIn(SignedIn::of(account)),
            (None, _) => {
                self.state = State::SigningIn(SigningIn { stage: Stage::Finishing, ..now });
            }
        }
        None
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

    fn new_facts(&mut self) -> Option<Command> {
        let State::SignedIn(now) = &self.state else { return None };
        self.details.wants_news_of(&now.account).then(|| Command::Ask(now.account.id.clone()))
    }

    fn take_state(&mut self) -> State {
        mem::replace(&mut self.state, State::Connecting)
    }
}
