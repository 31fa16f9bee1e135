//! Unix: users by number, folders by mode, one owner per folder by lock.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The user that this process runs as.
pub fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Keeps memory out of core dumps and away from other processes' debuggers. Best effort: a kernel
/// that refuses leaves the broker as safe as any other program.
pub fn harden_process() {
    #[cfg(target_os = "linux")]
    let _refused =
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _refused = rustix::process::setrlimit(rustix::process::Resource::Core, none);
}

/// Asks for `wanted` open files, and tells how many this process may have: fewer, where the machine
/// allows no more.
pub fn allow_open_files(wanted: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let now = current.unwrap_or(u64::MAX);
    let raised = maximum.unwrap_or(u64::MAX).min(wanted);
    if raised <= now
        || setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }).is_err()
    {
        return now;
    }
    raised
}

/// Makes a folder that only its owner can enter, or checks that the existing one is such.
pub fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let meta = fs::metadata(path)?;
    if meta.uid() != own_uid() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} belongs to user {}", path.display(), meta.uid()),
        ));
    }
    if meta.mode() & 0o077 != 0 {
        let strict = rustix::fs::Mode::from_raw_mode(0o700);
        rustix::fs::chmod(path, strict)?;
    }
    Ok(())
}

/// Reads a file that holds a secret, if it belongs to this user and nobody else may read it.
pub fn read_private_file(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe in the file's place is not waited for.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    // Of what was opened, not of the name: a link to somebody else's file is somebody else's file.
    let meta = file.metadata()?;
    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    if !meta.is_file() {
        return refuse(format!("{} is no file", path.display()));
    }
    if meta.uid() != own_uid() {
        return refuse(format!("{} belongs to user {}", path.display(), meta.uid()));
    }
    if meta.mode() & 0o077 != 0 {
        let mode = meta.mode() & 0o777;
        return refuse(format!(
            "{} has mode {mode:04o}; others could read it (chmod 600)",
            path.display()
        ));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Why a file or folder is not its owner's alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exposure {
    /// It is this other user's.
    Owner(u32),
    /// Its mode lets others in.
    Mode(u32),
}

/// Whether others could do with `path` what the bits of `mask` stand for.
pub fn exposure(path: &Path, mask: u32) -> io::Result<Option<Exposure>> {
    let meta = fs::metadata(path)?;
    Ok(match (meta.uid(), meta.mode()) {
        (uid, _) if uid != own_uid() => Some(Exposure::Owner(uid)),
        (_, mode) if mode & mask != 0 => Some(Exposure::Mode(mode & 0o777)),
        _ => None,
    })
}

/// Makes a new file that only its owner can read, durably. Fails where one exists.
pub fn create_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Makes a new empty file that only its owner can read. Fails where one exists. It lasts from the
/// next [`sync_folder`] on.
pub fn create_empty_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

/// Makes a rename or a removal in `folder` survive a power cut.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Takes note of child processes that have ended. Until then the kernel keeps their names.
pub fn reap_children() {
    let options = rustix::process::WaitOptions::NOHANG;
    while let Ok(Some(_)) = rustix::process::wait(options) {}
}

/// One process's ownership of a folder, given up when dropped.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "held open for its lock")] File);

/// Why a folder is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another broker has it.
    #[error("another broker{} has {}", by(*pid), folder.display())]
    Held {
        /// The folder.
        folder: PathBuf,
        /// The other broker's process, where its lock tells.
        pid: Option<u32>,
    },
    /// The lock could not even be tried.
    #[error("cannot lock {}", folder.display())]
    Failed {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn by(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Takes a folder for this process alone. The kernel gives it back, however the process ends.
pub fn lock_folder(folder: &Path) -> Result<FolderLock, LockError> {
    let failed = |source| LockError::Failed { folder: folder.to_path_buf(), source };
    let (mut file, writable) = open_lock(&folder.join("brokerd.lock")).map_err(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) if writable == Writable::No => Ok(FolderLock(file)),
        Ok(()) => {
            // Who holds it is a courtesy: the lock itself does not need it, nor a full disk's room.
            let _unsigned = sign(&mut file);
            Ok(FolderLock(file))
        }
        Err(Errno::WOULDBLOCK) => {
            let mut text = String::new();
            let _unread = file.read_to_string(&mut text);
            Err(LockError::Held { folder: folder.to_path_buf(), pid: text.trim().parse().ok() })
        }
        Err(error) => Err(failed(error.into())),
    }
}

/// Whether a file can be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writable {
    Yes,
    No,
}

/// The process that has a folder, if one has it. The lock itself is not touched: whoever takes it at
/// this moment gets it.
pub fn lock_holder(folder: &Path) -> Option<u32> {
    let file = fs::metadata(folder.join("brokerd.lock")).ok()?;
    let locks = fs::read_to_string("/proc/locks").ok()?;
    // 1: FLOCK  ADVISORY  WRITE 4711 fe:01:262146 0 EOF
    locks.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, place, ..] = words.as_slice() else { return None };
        let inode = place.rsplit(':').next()?.parse::<u64>().ok()?;
        (inode == file.ino()).then(|| pid.parse().ok())?
    })
}

/// Opens a lock's file, made if missing. On a disk that cannot be written, one that is there will
/// do.
fn open_lock(path: &Path) -> io::Result<(File, Writable)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            Ok((File::open(path)?, Writable::No))
        }
        opened => Ok((opened?, Writable::Yes)),
    }
}

/// Writes who holds the lock, for whoever finds it taken.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// The signals that end or reload the daemon.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

impl Signals {
    /// Begins to listen. From here on these signals do nothing by themselves.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }
}

/// Tells whoever started the daemon, by one byte on the descriptor they named, that it is ready.
pub fn signal_ready(fd: i32) -> io::Result<()> {
    // By its path, because taking over a bare number would need unsafe code.
    let mut pipe = OpenOptions::new().write(true).open(format!("/dev/fd/{fd}"))?;
    pipe.write_all(b"\n")
}
