//! Rules as a person writes them: which app, which account, what of it, and the decision.

use std::fmt;
use std::sync::Arc;

use super::{Decision, Part, Reach};
use crate::caller::{App, Caller, Identity, Level};
use crate::ids::{AccountId, ProviderName};

/// One `[[rule]]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Where it stands.
    pub place: RulePlace,
    /// Which apps it is about.
    pub app: AppMatch,
    /// Which accounts it is about.
    pub account: AccountMatch,
    /// What it is about there.
    pub reach: Reach,
    /// What it says.
    pub decision: Decision,
}

/// Where a rule stands: in which file, at which line.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RulePlace {
    /// The file.
    pub file: Arc<str>,
    /// The line of its `[[rule]]`, from 1.
    pub line: usize,
}

impl fmt::Display for RulePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The name that stands for every one.
const ANY: &str = "*";

/// Which apps a rule is about. All that is named must be true of a caller.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct AppMatch {
    /// What is known of the app; `None` for any app.
    pub identity: Option<Identity>,
    /// The user it runs as, sandboxed or not; `None` for any user.
    pub uid: Option<u32>,
}

impl AppMatch {
    /// Whether a caller is meant.
    ///
    /// Only the strongest thing that is known of a caller is compared: the path of an executable
    /// inside of a sandbox was chosen by the sandboxed app, and is no reason to trust it.
    pub fn matches(&self, caller: &Caller) -> bool {
        let same = |identity: &Identity| is(identity, &caller.identity);
        self.uid.is_none_or(|uid| uid == caller.uid) && self.identity.as_ref().is_none_or(same)
    }

    /// How well a caller is known that a rule about this matches, at least. What stands on a level
    /// that is not verified is advice: any program of the same user can make itself look like that.
    pub fn level(&self) -> Level {
        self.identity.as_ref().map_or(Level::Uid, Identity::level)
    }
}

/// Whether `actual` is what `wanted` names: the same kind, and the same name or any.
fn is(wanted: &Identity, actual: &Identity) -> bool {
    let any = name_of(wanted) == Some(ANY) && wanted.kind() == actual.kind();
    any || wanted == actual
}

fn name_of(identity: &Identity) -> Option<&str> {
    match identity {
        Identity::Socket(name)
        | Identity::Unit(name)
        | Identity::Label(name)
        | Identity::Flatpak(name)
        | Identity::Snap(name)
        | Identity::Executable(name) => Some(name),
        Identity::User | Identity::Hidden => None,
    }
}

/// Which accounts are meant.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum AccountMatch {
    /// Every one.
    #[default]
    Any,
    /// The account of this id, or those at the provider of this name. Never a username: the
    /// provider may change it, and give it to another.
    Named(String),
}

impl AccountMatch {
    /// Reads `*`, an account's id or a provider's name.
    pub fn new(text: &str) -> Self {
        if text == ANY { Self::Any } else { Self::Named(text.to_owned()) }
    }

    /// Whether this account is meant.
    pub fn matches(&self, account: &AccountId, provider: &ProviderName) -> bool {
        match self {
            Self::Any => true,
            Self::Named(name) => name == account.as_str() || name == provider.as_str(),
        }
    }
}

impl From<&AccountId> for AccountMatch {
    fn from(id: &AccountId) -> Self {
        Self::Named(id.as_str().to_owned())
    }
}

impl fmt::Display for AccountMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str(ANY),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl Rule {
    /// Whether this rule decides on a part: a rule that allows by the letter, one that does not
    /// wherever it may be about the same thing.
    pub(super) fn decides(&self, part: Part<'_>) -> bool {
        match self.decision {
            Decision::Allow => self.reach.holds(part),
            Decision::Ask | Decision::Deny => self.reach.touches(part),
        }
    }
}

/// The text names no app.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{0:?} names no app: say KIND:NAME, as flatpak:org.acme.Mail or exe:/usr/bin/curl; the kinds \
     are flatpak, snap, unit, label, exe, uid and socket"
)]
pub struct InvalidApp(String);

impl App {
    /// Reads what [`App`]'s `Display` writes; a path alone is an executable. Where the text names
    /// no user, the app runs as `uid`.
    pub fn parse(text: &str, uid: u32) -> Result<Self, InvalidApp> {
        let wrong = || InvalidApp(text.to_owned());
        if text.starts_with('/') {
            return Ok(Self { uid, identity: Identity::Executable(text.into()) });
        }
        match text.split_once(':') {
            Some((kind @ ("uid" | "hidden"), number)) => {
                let uid = number.parse().map_err(|_| wrong())?;
                let identity = if kind == "uid" { Identity::User } else { Identity::Hidden };
                Ok(Self { uid, identity })
            }
            Some((kind, name)) => {
                let identity = Identity::of_kind(kind, name).ok_or_else(wrong)?;
                Ok(Self { uid, identity })
            }
            None => Err(wrong()),
        }
    }
}

impl Identity {
    /// The identity that a rule's key and its value name; `None` where there is no such key, or no
    /// value.
    pub fn of_kind(kind: &str, name: &str) -> Option<Self> {
        if name.is_empty() {
            return None;
        }
        let name = name.into();
        Some(match kind {
            "socket" => Self::Socket(name),
            "unit" => Self::Unit(name),
            "label" => Self::Label(name),
            "flatpak" => Self::Flatpak(name),
            "snap" => Self::Snap(name),
            "exe" => Self::Executable(name),
            _ => return None,
        })
    }
}

impl From<App> for AppMatch {
    /// That app alone, of that user.
    fn from(App { uid, identity }: App) -> Self {
        let identity = (identity != Identity::User).then_some(identity);
        Self { identity, uid: Some(uid) }
    }
}
