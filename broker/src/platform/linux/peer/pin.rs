//! A process held fast: numbers are used again, and the next process of a number is another one.
//!
//! What a handle itself can tell (`PIDFD_GET_INFO`, Linux 6.13) is not asked for. It would be the
//! parent, which nothing here rests on, the user as it is now, where the socket has the one that
//! connected, and a control group by its number, where names are needed: `/proc` is read for them,
//! and counts if the process is still there afterwards.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerPidfd;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{fstat, fstatfs};

use super::proc::Proc;

/// `PIDFS_MAGIC`: the file system of process handles, on which each process has a number of its own
/// for as long as the machine runs (Linux 6.9).
const PIDFS: i64 = 0x5049_4446;

/// How a process may be held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Means {
    /// The best that the kernel has.
    Best,
    /// As on a kernel without `SO_PEERPIDFD` (before 6.5).
    #[cfg_attr(not(test), expect(dead_code, reason = "tests do as old kernels do"))]
    StartTime,
}

/// One process.
#[derive(Debug)]
pub(super) struct Pinned {
    pid: u32,
    by: By,
}

#[derive(Debug)]
enum By {
    /// The kernel's handle of this very process.
    Handle(OwnedFd),
    /// The moment it started, in ticks since boot: another process of the number started later.
    /// What this cannot show is that the number had been passed on before the first look.
    Start(u64),
}

/// What tells one process from every other since the machine started.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum ProcessId {
    /// The number on the handles' file system.
    Handle(u64),
    /// Its number and when it started.
    Start(u32, u64),
}

/// Whether the kernel gives a handle of whoever connects.
pub(super) fn kernel_gives_handles() -> bool {
    let pair = std::os::unix::net::UnixStream::pair();
    pair.is_ok_and(|(ours, _theirs)| getsockopt(&ours, PeerPidfd).is_ok())
}

impl Pinned {
    /// The process that connected; `None` if it has gone.
    pub(super) fn of_socket(means: Means, socket: &impl AsFd, pid: u32) -> Option<Self> {
        match means {
            Means::Best => match getsockopt(socket, PeerPidfd) {
                Ok(handle) => Some(Self { pid, by: By::Handle(handle) }),
                Err(Errno::ENOPROTOOPT) => Self::by_start(pid),
                Err(_) => None,
            },
            Means::StartTime => Self::by_start(pid),
        }
    }

    /// The process that a bus names, with the handle where the bus has it.
    pub(super) fn of_bus(handle: Option<OwnedFd>, pid: u32) -> Option<Self> {
        match handle {
            Some(handle) => Some(Self { pid, by: By::Handle(handle) }),
            None => Self::by_start(pid),
        }
    }

    fn by_start(pid: u32) -> Option<Self> {
        let stat = Proc::default().stat(pid)?;
        Some(Self { pid, by: By::Start(stat.started) })
    }

    /// One that started at a moment of a test's choice.
    #[cfg(test)]
    pub(super) fn that_started(pid: u32, started: u64) -> Self {
        Self { pid, by: By::Start(started) }
    }

    /// Its number. It is this process's own only while [`Self::is_still_there`].
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Its handle, where there is one.
    pub(super) fn handle(&self) -> Option<BorrowedFd<'_>> {
        match &self.by {
            By::Handle(handle) => Some(handle.as_fd()),
            By::Start(_) => None,
        }
    }

    /// What nobody else is called by; `None` if it has gone.
    pub(super) fn id(&self, proc: &Proc) -> Option<ProcessId> {
        match &self.by {
            By::Start(started) => Some(ProcessId::Start(self.pid, *started)),
            By::Handle(handle) => match number(handle) {
                Some(number) => Some(ProcessId::Handle(number)),
                None => Some(ProcessId::Start(self.pid, proc.stat(self.pid)?.started)),
            },
        }
    }

    /// Whether it runs, so that what was just read under its number is about it.
    pub(super) fn is_still_there(&self, proc: &Proc) -> bool {
        match &self.by {
            By::Handle(handle) => !has_ended(handle),
            By::Start(started) => {
                proc.stat(self.pid).is_some_and(|stat| stat.started == *started && !stat.has_ended)
            }
        }
    }
}

/// A handle can be read once its process has ended.
fn has_ended(handle: &OwnedFd) -> bool {
    let mut asked = [PollFd::new(handle, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    // A handle that cannot be asked holds nothing.
    !matches!(poll(&mut asked, Some(&at_once)), Ok(0))
}

/// The number of a process on the handles' file system; before Linux 6.9, all handles share one.
fn number(handle: &OwnedFd) -> Option<u64> {
    // The kernel stays the same one while this process runs.
    static HANDLES_HAVE_NUMBERS: OnceLock<bool> = OnceLock::new();
    let on_their_own = || fstatfs(handle).is_ok_and(|system| system.f_type == PIDFS);
    if !HANDLES_HAVE_NUMBERS.get_or_init(on_their_own) {
        return None;
    }
    fstat(handle).map(|meta| meta.st_ino).ok()
}
