//! Who asks, how well that is known, and what that caller may see.

use std::fmt;
use std::sync::Arc;

/// How well a caller is known: the higher, the harder to pretend.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Only the user is known.
    Uid = 0,
    /// A label for people, which proves nothing: the executable's path.
    Described = 1,
    /// A sandbox says which app runs in it. Code outside of sandboxes can say the same.
    Sandboxed = 2,
    /// The kernel or the system's service manager says so.
    Attested = 3,
    /// The connection came in on a socket that was made for one consumer.
    Minted = 4,
}

impl Level {
    /// The level in a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uid => "uid",
            Self::Described => "described",
            Self::Sandboxed => "sandboxed",
            Self::Attested => "attested",
            Self::Minted => "minted",
        }
    }

    /// Whether something vouches for more than the user.
    pub fn is_verified(self) -> bool {
        self >= Self::Sandboxed
    }
}

/// The door a caller came in by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Door {
    /// The socket for apps.
    Socket,
    /// The socket for the admin tool.
    Admin,
    /// The session bus.
    Bus,
    /// A socket that was minted for one consumer.
    Minted,
}

/// The strongest thing that is known of a caller.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Identity {
    /// It holds the minted socket of this name.
    Socket(Arc<str>),
    /// It belongs to this system unit, which cannot gain privileges.
    Unit(Arc<str>),
    /// It runs under this label of a Linux security module.
    Label(Arc<str>),
    /// The metadata of its sandbox name this Flatpak app.
    Flatpak(Arc<str>),
    /// The metadata of its sandbox name this snap.
    Snap(Arc<str>),
    /// It runs this executable, as far as can be seen.
    Executable(Arc<str>),
    /// Nothing but its user is known.
    User,
    /// It does not let itself be seen: it has ended, or nobody can look into it. A sandboxed app
    /// might try that to be taken for one that is not, so it is given nothing.
    Hidden,
}

/// What can be seen of a caller beside its identity: words for people and records, no proof.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Description {
    /// The executable, where it can be read.
    pub executable: Option<Arc<str>>,
    /// The unit of the user's own service manager.
    pub user_unit: Option<Arc<str>>,
    /// The terminal session it was started in.
    pub terminal: Option<Terminal>,
    /// The proxy that passes its messages on: what is seen is the proxy, not who is behind it.
    pub proxy: Option<Arc<str>>,
}

/// A session on a terminal: its leader, and when that began, because numbers are used again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Terminal {
    /// The session's leader.
    pub leader: u32,
    /// When the leader started, in ticks since boot.
    pub started: u64,
}

/// One peer, as the kernel or the bus describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The user the peer runs as.
    pub uid: u32,
    /// The process, where the door tells it.
    pub pid: Option<u32>,
    /// Where the peer came in.
    pub door: Door,
    /// The strongest thing that is known of it.
    pub identity: Identity,
    /// What else can be seen.
    pub description: Description,
}

impl Caller {
    /// A caller of whom nothing but the user is known.
    pub fn of_user(uid: u32, door: Door) -> Self {
        let (identity, description) = (Identity::User, Description::default());
        Self { uid, pid: None, door, identity, description }
    }

    /// How well this caller is known.
    pub const fn level(&self) -> Level {
        self.identity.level()
    }

    /// Whom a decision about this caller is remembered for.
    pub fn app(&self) -> App {
        App { uid: self.uid, identity: self.identity.clone() }
    }

    /// Whether the accounts of the user `owner` are this caller's to see: the one rule that every
    /// list, property, signal and stream asks. Another user sees nothing, unless it came in by a
    /// socket that this user had made for it: what counts there is to hold it.
    pub const fn may_see_accounts_of(&self, owner: u32) -> bool {
        self.uid == owner || matches!(self.door, Door::Minted)
    }
}

impl Identity {
    /// How well a caller of this identity is known.
    pub const fn level(&self) -> Level {
        match self {
            Self::Socket(_) => Level::Minted,
            Self::Unit(_) | Self::Label(_) => Level::Attested,
            Self::Flatpak(_) | Self::Snap(_) => Level::Sandboxed,
            Self::Executable(_) => Level::Described,
            Self::User | Self::Hidden => Level::Uid,
        }
    }

    /// The word for its kind: the key that a rule names it by.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Socket(_) => "socket",
            Self::Unit(_) => "unit",
            Self::Label(_) => "label",
            Self::Flatpak(_) => "flatpak",
            Self::Snap(_) => "snap",
            Self::Executable(_) => "exe",
            Self::User => "uid",
            Self::Hidden => "hidden",
        }
    }

    /// What the level rests on, in words.
    pub const fn source(&self) -> &'static str {
        match self {
            Self::Socket(_) => "the socket it came in by, which was made for it",
            Self::Unit(_) => "the system's service manager, asked about this very process",
            Self::Label(_) => "the label that the kernel's security module gave it",
            Self::Flatpak(_) => "the metadata of its Flatpak sandbox",
            Self::Snap(_) => "the metadata of its snap",
            Self::Executable(_) => "the path of the executable, which the process itself chose",
            Self::User => "the user id that the kernel reports",
            Self::Hidden => {
                "the user id alone: the process has ended, or does not let itself be read"
            }
        }
    }

    /// What this proves and what it does not, in words.
    pub const fn proves(&self) -> &'static str {
        match self {
            Self::Socket(_) => "that it was given the socket: whoever can open it is this consumer",
            Self::Unit(_) => "that it is a process of this unit, not which of its programs",
            Self::Label(_) => "that the security module confines it by this label's rules",
            Self::Flatpak(_) | Self::Snap(_) => {
                "that an app inside a sandbox is not lying about itself: \
                 programs outside of sandboxes can look the same"
            }
            Self::Executable(_) | Self::User => {
                "only the user: any other program of this user can look the same"
            }
            Self::Hidden => "only the user: it may be any app, a sandboxed one, too",
        }
    }
}

/// Whom decisions and records are about: a user's app, as `flatpak:org.acme.Mail`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct App {
    /// The user that it runs as.
    pub uid: u32,
    /// Which app.
    pub identity: Identity,
}

impl fmt::Display for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.identity.kind();
        match &self.identity {
            Identity::Socket(name)
            | Identity::Unit(name)
            | Identity::Label(name)
            | Identity::Flatpak(name)
            | Identity::Snap(name)
            | Identity::Executable(name) => write!(f, "{kind}:{name}"),
            Identity::User | Identity::Hidden => write!(f, "{kind}:{}", self.uid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_user_sees_nothing_not_even_root() {
        let caller = |uid| Caller::of_user(uid, Door::Socket);
        assert!(caller(1000).may_see_accounts_of(1000));
        assert!(!caller(1001).may_see_accounts_of(1000));
        assert!(!caller(0).may_see_accounts_of(1000));
    }

    #[test]
    fn only_sandboxes_and_better_count_as_verified() {
        assert!(!Identity::User.level().is_verified());
        assert!(!Identity::Executable("/usr/bin/app".into()).level().is_verified());
        assert!(Identity::Flatpak("org.acme.Mail".into()).level().is_verified());
        assert!(Identity::Socket("ci".into()).level().is_verified());
    }

    #[test]
    fn an_app_reads_as_its_kind_and_its_name() {
        let app = |identity| App { uid: 1000, identity }.to_string();
        assert_eq!(app(Identity::Flatpak("org.acme.Mail".into())), "flatpak:org.acme.Mail");
        assert_eq!(app(Identity::Executable("/usr/bin/app".into())), "exe:/usr/bin/app");
        assert_eq!(app(Identity::User), "uid:1000");
        assert_eq!(app(Identity::Hidden), "hidden:1000");
    }
}
