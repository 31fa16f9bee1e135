//! What the kernel shows of a process, under its number: read, and never believed on its own,
//! because the number may be passed on meanwhile (`pin`).

use std::fs;
use std::path::PathBuf;

use authbroker_core::caller::Terminal;

use super::cgroup::Group;

/// The kernel's folder of processes.
#[derive(Debug, Clone)]
pub(super) struct Proc(PathBuf);

impl Default for Proc {
    fn default() -> Self {
        Self(PathBuf::from("/proc"))
    }
}

/// What `stat` tells of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stat {
    /// When it started, in ticks since boot.
    pub(super) started: u64,
    /// Whether it is dead and only its number is left.
    pub(super) has_ended: bool,
    session: u32,
    has_terminal: bool,
}

impl Proc {
    /// Another folder in its place.
    #[cfg(test)]
    pub(super) fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// One of a process's files.
    pub(super) fn path(&self, pid: u32, name: &str) -> PathBuf {
        self.0.join(pid.to_string()).join(name)
    }

    fn text(&self, pid: u32, name: &str) -> Option<String> {
        let bytes = fs::read(self.path(pid, name)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The path of the program that a process runs, as the process's own file system has it.
    pub(super) fn executable(&self, pid: u32) -> Option<String> {
        let path = fs::read_link(self.path(pid, "exe")).ok()?;
        Some(path.to_string_lossy().into_owned())
    }

    /// Whether a process sees other mounts than this one; so it counts, too, if that cannot be told.
    pub(super) fn has_own_mounts(&self, pid: u32) -> bool {
        let theirs = fs::read_link(self.path(pid, "ns/mnt"));
        let ours = fs::read_link(self.0.join("self/ns/mnt"));
        !matches!((theirs, ours), (Ok(theirs), Ok(ours)) if theirs == ours)
    }

    /// What the names of its control group say.
    pub(super) fn group(&self, pid: u32) -> Group {
        self.text(pid, "cgroup").map(|text| Group::read(&text)).unwrap_or_default()
    }

    /// Whether neither it nor what it executes can gain privileges.
    pub(super) fn has_no_new_privileges(&self, pid: u32) -> bool {
        self.status(pid, "NoNewPrivs:").as_deref() == Some("1")
    }

    /// Whether its system calls are filtered.
    pub(super) fn has_filtered_calls(&self, pid: u32) -> bool {
        self.status(pid, "Seccomp:").as_deref() == Some("2")
    }

    fn status(&self, pid: u32, key: &str) -> Option<String> {
        let text = self.text(pid, "status")?;
        let value = text.lines().find_map(|line| line.strip_prefix(key))?;
        Some(value.trim().to_owned())
    }

    /// The session on a terminal that it belongs to.
    pub(super) fn terminal(&self, pid: u32) -> Option<Terminal> {
        let stat = self.stat(pid)?;
        if !stat.has_terminal || stat.session == 0 {
            return None;
        }
        let leader = stat.session;
        // A leader that has ended has passed on its number, or will.
        self.stat(leader).map(|found| Terminal { leader, started: found.started })
    }

    /// When and where it started.
    pub(super) fn stat(&self, pid: u32) -> Option<Stat> {
        Stat::read(&self.text(pid, "stat")?)
    }
}

impl Stat {
    /// Reads `proc_pid_stat(5)`. Its second field is the name that the process gave itself, blanks
    /// and parentheses included.
    fn read(text: &str) -> Option<Self> {
        let (_, fields) = text.rsplit_once(") ")?;
        let fields: Vec<_> = fields.split_whitespace().collect();
        // Counted from 1 in the manual, and from the third here.
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Self {
            has_ended: matches!(field(3)?, "Z" | "X"),
            session: field(6)?.parse().unwrap_or(0),
            has_terminal: field(7)? != "0",
            started: field(22)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_cannot_write_its_own_stat_by_its_name() {
        let honest = "7 (sh) S 1 7 7 34816 7 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0";
        let named = "7 (x) Z 1 9 9 0 9 0 0 0 0 0 0 0 0 0 20 0 1 0 1 0) S 1 7 7 34816 7 0 0 0 0 0 \
                     0 0 0 0 20 0 1 0 4242 0";
        let stat = Stat { started: 4242, has_ended: false, session: 7, has_terminal: true };
        assert_eq!(Stat::read(honest), Some(stat));
        assert_eq!(Stat::read(named), Some(stat));
        assert_eq!(Stat::read("7 (sh"), None);
    }
}
