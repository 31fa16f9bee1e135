//! What the dialog knows, and how that changes: plain data.

use std::collections::VecDeque;

use authbroker_client::wire::consent::{News, Question};

/// How long a question is on the screen before it takes an answer, in seconds.
pub const SETTLES: f64 = 0.5;

/// What a person can say, in the words of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Yes, this time.
    Once,
    /// Yes, until the session is locked.
    UntilLocked,
    /// Yes, for thirty days.
    ThirtyDays,
    /// Yes.
    Always,
    /// No.
    No,
}

impl Answer {
    /// The word of the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::UntilLocked => "until-locked",
            Self::ThirtyDays => "30-days",
            Self::Always => "always",
            Self::No => "no",
        }
    }
}

/// How it stands with the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// Nothing was heard yet.
    Connecting,
    /// Questions come.
    Listening,
    /// None come: what is wrong, and what helps.
    Lost(String, String),
}

/// The dialog.
#[derive(Debug, Clone)]
pub struct Dialog {
    connection: Connection,
    /// The first one is on the screen.
    open: VecDeque<Question>,
    /// Since when, by the clock of the frames; `None` until it was drawn.
    shown_since: Option<f64>,
}

impl Default for Dialog {
    fn default() -> Self {
        Self { connection: Connection::Connecting, open: VecDeque::new(), shown_since: None }
    }
}

impl Dialog {
    /// How it stands with the broker.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The question on the screen.
    pub fn question(&self) -> Option<&Question> {
        self.open.front()
    }

    /// How many more wait behind it.
    pub fn waiting(&self) -> usize {
        self.open.len().saturating_sub(1)
    }

    /// Takes in what the broker says.
    pub fn heard(&mut self, news: News) {
        self.connection = Connection::Listening;
        if let Some(gone) = news.withdrawn {
            self.remove(gone);
        }
        self.open.extend(news.question);
    }

    /// There is no way to the broker any more; whoever asked is told so by the broker itself.
    pub fn lost(&mut self, what: String, hint: String) {
        *self = Self { connection: Connection::Lost(what, hint), ..Self::default() };
    }

    /// How long until the question on the screen takes an answer, at this time of the frames' clock;
    /// 0 or less where it does. Each one has its own first moments, however long the window is open.
    pub fn settles_in(&mut self, time: f64) -> f64 {
        let since = *self.shown_since.get_or_insert(time);
        since + SETTLES - time
    }

    /// Takes the question off the screen, because it was answered. Gives its number.
    pub fn answered(&mut self) -> Option<u64> {
        let id = self.open.front()?.id;
        self.remove(id);
        Some(id)
    }

    fn remove(&mut self, id: u64) {
        if self.open.front().is_some_and(|question| question.id == id) {
            self.shown_since = None;
        }
        self.open.retain(|question| question.id != id);
    }
}
