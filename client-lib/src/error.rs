//! What can go wrong between an app and its token, and the way out.

use std::fmt;
use std::time::Duration;

use crate::wire::broker1::{ErrorDetails, INTERFACE};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident => $exit:literal,)+) => {
        /// The broker's error names, with the exit code that `brokerctl` gives each.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum ErrorCode { $($(#[doc = $doc])+ $name,)+ }

        impl ErrorCode {
            /// The name as it stands on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The exit code of a command that fails this way.
            pub const fn exit_code(self) -> u8 {
                match self { $(Self::$name => $exit,)+ }
            }

            /// The code of that name, if there is one.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $(stringify!($name) => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

codes! {
    /// The broker has a fault.
    Internal => 1,
    /// The provider answered with an error.
    ProviderError => 1,
    /// Too much is under way already.
    Busy => 1,
    /// Asked too often.
    RateLimited => 1,
    /// This broker does not do that.
    NotSupported => 1,
    /// The request itself is wrong.
    InvalidArgs => 2,
    /// A scope is malformed or refused.
    InvalidScope => 2,
    /// A resource is malformed or refused.
    InvalidTarget => 2,
    /// A person must sign in.
    InteractionRequired => 3,
    /// A person must agree.
    ConsentRequired => 3,
    /// A stronger or more recent sign-in is needed.
    StepUpRequired => 3,
    /// Several accounts match.
    AmbiguousAccount => 3,
    /// No account matches.
    NoSuchAccount => 3,
    /// Policy says no.
    PolicyDenied => 4,
    /// The person said no.
    UserDenied => 4,
    /// The request was withdrawn.
    Cancelled => 4,
    /// Nobody acted in time.
    TimedOut => 4,
    /// The account is disabled.
    AccountDisabled => 4,
    /// The caller is not known well enough.
    IdentityUnverified => 4,
    /// The provider cannot be reached from here.
    Offline => 5,
    /// The provider cannot serve now.
    ProviderUnavailable => 5,
    /// The broker's configuration is wrong.
    ConfigInvalid => 7,
    /// The vault is locked.
    VaultLocked => 8,
    /// The vault cannot be read.
    VaultDamaged => 8,
}

/// Why a call failed. Its `Display` is one sentence; [`Error::hint`] is what helps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No broker answers. Start one.
    #[error("no broker is running ({looked})")]
    NoBroker {
        /// Where it was looked for.
        looked: String,
    },
    /// The broker answered with a failure.
    #[error("{0}")]
    Broker(Box<Refusal>),
    /// The connection broke. Trying again may help.
    #[error("the connection to the broker broke")]
    Connection(#[source] std::io::Error),
    /// The broker answered something this library does not understand.
    #[error("the broker's answer is not understood: {0}")]
    Protocol(String),
}

/// A failure in the broker's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it is called.
    pub code: ErrorCode,
    /// What happened.
    pub message: String,
    /// A command that helps.
    pub hint: String,
    /// When it is worth trying again.
    pub retry_after: Option<Duration>,
    /// The provider's own error word.
    pub oauth_error: Option<String>,
    /// The authentication contexts that a sign-in must ask for, where that is what is missing.
    pub acr_values: Vec<String>,
    /// How long ago, at most, the person may have proved who they are, where that is missing.
    pub max_age: Option<Duration>,
    /// The app's own word for the request, where it gave one.
    pub correlation_id: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error {
    /// A command or an act that helps.
    pub fn hint(&self) -> &str {
        match self {
            Self::NoBroker { .. } => "systemctl --user start authbroker.socket, or run brokerd",
            Self::Broker(refusal) => &refusal.hint,
            Self::Connection(_) => "brokerctl status",
            Self::Protocol(_) => "use the broker and the library of the same release",
        }
    }

    /// The broker's name for the failure, where the broker was reached.
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Broker(refusal) => Some(refusal.code),
            _ => None,
        }
    }

    /// The exit code of a command that fails this way.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NoBroker { .. } => 6,
            Self::Broker(refusal) => refusal.code.exit_code(),
            Self::Connection(_) | Self::Protocol(_) => 1,
        }
    }

    /// Reads a failure off the wire. `name` is the full error name of either door.
    pub(crate) fn from_wire(name: &str, details: ErrorDetails) -> Self {
        let bare = name.strip_prefix(INTERFACE).map(|rest| rest.trim_start_matches(".Error"));
        let code = bare.and_then(|rest| ErrorCode::from_name(rest.trim_start_matches('.')));
        let Some(code) = code else {
            return Self::Protocol(format!("{name} {}", details.message));
        };
        Self::Broker(Box::new(Refusal {
            code,
            message: details.message,
            hint: details.hint,
            retry_after: details.retry_after.map(Duration::from_secs),
            oauth_error: details.oauth_error,
            acr_values: details.acr_values,
            max_age: details.max_age.map(Duration::from_secs),
            correlation_id: details.correlation_id,
        }))
    }
}
