//! One line of input, parsed.

use crate::messages::{Job, Page, TokenAge};
use crate::problem::{Cause, Problem};

/// A command and the caller's word for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) id: Option<String>,
    pub(super) order: Result<Order, Problem>,
}

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Do this.
    Job { verb: Verb, account: Option<String>, token: TokenAge },
    /// Give up what is under way.
    Cancel,
    /// End the program.
    Quit,
}

/// The commands that become jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    SignIn,
    SignOut,
    Message,
    Claims,
}

impl Line {
    /// The end of the input.
    pub(super) const fn end() -> Self {
        Self { id: None, order: Ok(Order::Quit) }
    }

    pub(super) fn parse(text: &str) -> Self {
        let id = text.split_whitespace().find_map(|word| word.strip_prefix("id="));
        Self { id: id.map(str::to_owned), order: parse_order(text) }
    }
}

fn parse_order(text: &str) -> Result<Order, Problem> {
    let mut words = text.split_whitespace();
    let verb = match words.next() {
        Some("sign-in") => Verb::SignIn,
        Some("sign-out") => Verb::SignOut,
        Some("message") => Verb::Message,
        Some("claims") => Verb::Claims,
        Some("cancel") => return only_id(words, Order::Cancel),
        Some("quit") => return only_id(words, Order::Quit),
        _ => return Err(unknown("command")),
    };
    let (mut account, mut token) = (None, TokenAge::Any);
    for word in words {
        match word.split_once('=') {
            Some(("account", name)) => account = Some(name.to_owned()),
            Some(("id", _)) => {}
            None if word == "force" && verb.takes_token() => token = TokenAge::Renewed,
            _ => return Err(unknown("word after the command")),
        }
    }
    Ok(Order::Job { verb, account, token })
}

fn only_id<'a>(mut words: impl Iterator<Item = &'a str>, order: Order) -> Result<Order, Problem> {
    let known = words.all(|word| word.starts_with("id="));
    if known { Ok(order) } else { Err(unknown("word after the command")) }
}

impl Verb {
    pub(super) fn job(self, account: String, token: TokenAge) -> Job {
        match self {
            Self::SignIn => Job::SignIn { account },
            Self::SignOut => Job::SignOut { account },
            Self::Message => Job::GetMessage { account, page: Page::Private, token },
            Self::Claims => Job::ReadClaims { account, token },
        }
    }

    const fn takes_token(self) -> bool {
        matches!(self, Self::Message | Self::Claims)
    }
}

/// What the person typed is not repeated: it could be anything, a token too.
fn unknown(what: &str) -> Problem {
    usage(&format!("Unknown {what}"))
}

/// A command that cannot be done as it stands.
pub(super) fn usage(message: &str) -> Problem {
    let hint = "sign-in, message [force], claims [force], sign-out, cancel or quit; \
                each with account=ACCOUNT or id=WORD";
    Problem { cause: Cause::Usage, message: message.to_owned(), hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_follow_a_command() {
        let line = Line::parse("message force account=bob id=7");
        assert_eq!(line.id.as_deref(), Some("7"));
        let account = Some("bob".to_owned());
        let order = Order::Job { verb: Verb::Message, account, token: TokenAge::Renewed };
        assert_eq!(line.order, Ok(order));
    }

    #[test]
    fn what_is_not_known_is_refused_and_keeps_its_id() {
        for text in ["", "dance id=7", "sign-in force id=7", "quit now id=7", "message x=y id=7"] {
            let line = Line::parse(text);
            assert!(line.order.is_err(), "{text}");
            assert_eq!(line.id.is_some(), !text.is_empty());
        }
    }
}
