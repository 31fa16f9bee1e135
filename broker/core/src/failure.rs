//! What went wrong, in the order a reader needs it: whose fault, what, and the way out.

use std::time::Duration;

/// Whose move it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// The caller asked for something that cannot be.
    Caller,
    /// A person must act, or chose not to.
    User,
    /// The provider refused or did not answer.
    Provider,
    /// This machine: network, keyring, disk, configuration.
    Machine,
    /// The broker itself.
    Bug,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident => $fault:ident,)+) => {
        /// The error names of the contract (§4), which every door uses alike.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name as it stands on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// Whose fault it is.
            pub const fn fault(self) -> Fault {
                match self { $(Self::$name => Fault::$fault,)+ }
            }
        }
    };
}

codes! {
    /// The request itself is wrong.
    InvalidArgs => Caller,
    /// A scope is malformed, or the provider refuses it. Only that request fails.
    InvalidScope => Caller,
    /// A resource is malformed, or the provider refuses it. Only that request fails.
    InvalidTarget => Caller,
    /// No account matches. The person signs in, or names another.
    NoSuchAccount => Caller,
    /// Several accounts match. The caller names one.
    AmbiguousAccount => Caller,
    /// This broker does not do that.
    NotSupported => Caller,
    /// The caller has too much under way already.
    Busy => Caller,
    /// It was asked for too often. The caller waits for as long as it is told.
    RateLimited => Caller,
    /// This caller is not to have it.
    PolicyDenied => Caller,
    /// This caller is not to have it as long as nothing proves which app it is.
    IdentityUnverified => Caller,
    /// A person must sign in.
    InteractionRequired => User,
    /// A person must say whether this caller may have it.
    ConsentRequired => User,
    /// A person must sign in more strongly, or again. The failure says how.
    StepUpRequired => User,
    /// The person said no.
    UserDenied => User,
    /// The request was withdrawn.
    Cancelled => User,
    /// Nobody acted in time.
    TimedOut => User,
    /// The provider answered with an error. The session is kept.
    ProviderError => Provider,
    /// The provider answers that it cannot serve now. Tried again later.
    ProviderUnavailable => Provider,
    /// The provider cannot be reached from here. Tried again later.
    Offline => Machine,
    /// The configuration is wrong.
    ConfigInvalid => Machine,
    /// The vault's key is out of reach until somebody unlocks it.
    VaultLocked => Machine,
    /// What the vault holds cannot be read.
    VaultDamaged => Machine,
    /// A fault in the broker.
    Internal => Bug,
}

/// One failure, ready to be told: no secret is ever in it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What it is called.
    pub code: Code,
    /// What happened, in one sentence.
    pub message: String,
    /// A command that helps.
    pub hint: String,
    /// When it is worth trying again.
    pub retry_after: Option<Duration>,
    /// The provider's own error word (RFC 6749 §5.2), where it gave one.
    pub oauth_error: Option<String>,
    /// How a person must sign in, where that is what is missing.
    pub step_up: Option<Box<StepUp>>,
}

/// What a sign-in must be like (RFC 9470 §3).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct StepUp {
    /// The authentication contexts of which one is wanted; empty for any.
    pub acr_values: Vec<String>,
    /// How long ago, at most, the person may have proved who they are.
    pub max_age: Option<Duration>,
}

impl Failure {
    /// A failure with its way out.
    pub fn new(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let (message, hint) = (message.into(), hint.into());
        Self { code, message, hint, retry_after: None, oauth_error: None, step_up: None }
    }

    /// The same, worth trying again after `pause`.
    #[must_use]
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// The same, with the provider's own error word.
    #[must_use]
    pub fn oauth_error(mut self, word: impl Into<String>) -> Self {
        self.oauth_error = Some(word.into());
        self
    }
}

/// A stranger's text made safe for logs and terminals, and no longer than anybody reads: without
/// control characters, and without those that turn the direction of writing or take no room.
pub fn printable(text: &str) -> String {
    let is_hidden = |c: char| {
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}');
        turns || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().filter(|c| !c.is_control() && !is_hidden(*c)).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_a_stranger_says_moves_no_cursor_and_turns_no_line() {
        assert_eq!(printable("two\r\nlines\u{1b}[31m \u{9b}2J\u{7}"), "twolines[31m 2J");
        assert_eq!(printable("a\u{202e}b\u{200b}c\u{2066}d"), "abcd");
        assert_eq!(printable("Zoë 東京 👩"), "Zoë 東京 👩");
        assert_eq!(printable(&"x".repeat(1000)).len(), 300);
    }
}
