//! What the details pane tells beside the account: what the broker says of the token and of this
//! app, and what went to the API.

use std::collections::VecDeque;

use authbroker_client::Account;

use super::Standing;
use crate::messages::{Facts, Sent};

/// How many requests are remembered.
const REMEMBERED: usize = 5;

/// Whether the pane is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pane {
    /// It is not.
    #[default]
    Closed,
    /// It is.
    Open,
}

impl Pane {
    pub(super) const fn turned(self) -> Self {
        match self {
            Self::Closed => Self::Open,
            Self::Open => Self::Closed,
        }
    }
}

/// What is known for the pane.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// The last requests to the API, the latest first.
    pub sent: VecDeque<Sent>,
    pub(super) pane: Pane,
    facts: Option<Box<Facts>>,
    /// The account as it was when the broker was last asked.
    asked: Option<Account>,
}

impl Details {
    /// Whether the pane is there.
    pub const fn pane(&self) -> Pane {
        self.pane
    }

    /// What the broker said about `account`, if it was heard.
    pub fn facts(&self, account: &Account) -> Option<&Facts> {
        self.facts.as_deref().filter(|facts| facts.account == account.id)
    }

    pub(super) fn heard(&mut self, facts: Box<Facts>) {
        self.facts = Some(facts);
    }

    pub(super) fn note(&mut self, sent: Sent) {
        self.sent.push_front(sent);
        self.sent.truncate(REMEMBERED);
        // Behind a request there may be a new token.
        self.asked = None;
    }

    /// Whether the broker is to be asked about `account`: it has changed, and somebody looks. While
    /// the provider is away, how long the token lasts is worth knowing without the pane, too.
    pub(super) fn wants_news_of(&mut self, account: &Account) -> bool {
        let shown = self.pane == Pane::Open || Standing::of(account) == Standing::Offline;
        let news = shown && self.asked.as_ref() != Some(account);
        if news {
            self.asked = Some(account.clone());
        }
        news
    }
}
