//! Who asks, and what that caller may see.

/// How well a caller is known (the levels of the contract, §7). More levels come with policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Only the user is known.
    Uid = 0,
    /// A label for people, which proves nothing: the executable's path.
    Described = 1,
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
}

/// One peer, as the kernel or the bus describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The user the peer runs as.
    pub uid: u32,
    /// The process, where the door tells it.
    pub pid: Option<u32>,
    /// The executable, where it can be read: a label, not a proof.
    pub executable: Option<String>,
    /// Where the peer came in.
    pub door: Door,
}

impl Caller {
    /// How well this caller is known.
    pub const fn level(&self) -> Level {
        match self.executable {
            Some(_) => Level::Described,
            None => Level::Uid,
        }
    }

    /// What the level rests on, in words.
    pub const fn source(&self) -> &'static str {
        match self.level() {
            Level::Described => "the path of the executable, which the process itself chose",
            Level::Uid => "the user id that the kernel reports",
        }
    }

    /// Whether the accounts of the user `owner` are this caller's to see: the one rule that every
    /// list, property, signal and stream asks. Another user sees nothing.
    pub const fn may_see_accounts_of(&self, owner: u32) -> bool {
        self.uid == owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(uid: u32) -> Caller {
        Caller { uid, pid: Some(1), executable: None, door: Door::Socket }
    }

    #[test]
    fn another_user_sees_nothing_not_even_root() {
        assert!(caller(1000).may_see_accounts_of(1000));
        assert!(!caller(1001).may_see_accounts_of(1000));
        assert!(!caller(0).may_see_accounts_of(1000));
    }

    #[test]
    fn an_unreadable_executable_lowers_the_level() {
        assert_eq!(caller(1000).level(), Level::Uid);
        let described = Caller { executable: Some("/usr/bin/app".into()), ..caller(1000) };
        assert_eq!(described.level(), Level::Described);
    }
}
