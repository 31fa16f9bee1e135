//! What a sandbox says of the app in it: `/.flatpak-info`, which Flatpak puts there and the app
//! cannot change.
//!
//! The file is read through the root of the process. That root is the peer's own making, so no file
//! system is asked anything before it is known for one that cannot make its reader wait: a root on
//! FUSE would answer when its owner likes.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::fs::{open, openat2, statx};
use rustix::io::Errno;

use super::proc::Proc;

/// The longest metadata that is read.
const LONGEST: u64 = 64 * 1024;
/// The longest list of mounts that is read. A sandbox has some dozens; its maker can have mounts by
/// the hundred thousand, and reading of them would take the broker's time.
const LONGEST_MOUNTS: u64 = 1024 * 1024;
/// File systems that answer at once. Flatpak makes each sandbox's root on the first.
const AT_ONCE: [&str; 10] =
    ["tmpfs", "ext4", "btrfs", "xfs", "f2fs", "zfs", "bcachefs", "overlay", "squashfs", "erofs"];

/// What a process with a file system of its own is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Sandbox {
    /// The sandbox of this Flatpak app.
    Flatpak(String),
    /// Something that says nothing of itself.
    Unnamed,
    /// It does not let itself be read, or what is read there is not clear.
    Closed,
}

/// Looks into the file system of a process of this user.
pub(super) fn look_into(proc: &Proc, pid: u32, uid: u32) -> Sandbox {
    match metadata(proc, pid, uid) {
        Some(Metadata::Says(text)) => app_id(&text).map_or(Sandbox::Closed, Sandbox::Flatpak),
        Some(Metadata::None) => Sandbox::Unnamed,
        None => Sandbox::Closed,
    }
}

/// What stands at the metadata's place.
enum Metadata {
    Says(String),
    None,
}

fn metadata(proc: &Proc, pid: u32, uid: u32) -> Option<Metadata> {
    let root = root_of(proc, pid)?;
    let mounts = mounts_of(proc, pid)?;
    if !answers_at_once(&mounts, &meta(&root)?) {
        return None;
    }
    let found = match info_in(&root) {
        Err(Errno::NOENT) => return Some(Metadata::None),
        found => found.ok()?,
    };
    let meta = meta(&found)?;
    let is_file = FileType::from_raw_mode(meta.stx_mode.into()).is_file();
    let is_readable = is_file && meta.stx_size <= LONGEST && answers_at_once(&mounts, &meta);
    // Its owner is who started the sandbox: somebody else's file says nothing of this user's app.
    if !is_readable || meta.stx_uid != uid {
        return None;
    }
    text(&found).map(Metadata::Says)
}

fn mounts_of(proc: &Proc, pid: u32) -> Option<String> {
    let file = File::open(proc.path(pid, "mountinfo")).ok()?;
    let mut text = String::new();
    let length = file.take(LONGEST_MOUNTS).read_to_string(&mut text).ok()?;
    (u64::try_from(length).ok()? < LONGEST_MOUNTS).then_some(text)
}

fn root_of(proc: &Proc, pid: u32) -> Option<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    open(proc.path(pid, "root"), flags, Mode::empty()).ok()
}

fn info_in(root: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    openat2(root, ".flatpak-info", flags, Mode::empty(), resolve)
}

/// What the kernel knows of a file without asking its file system.
fn meta(file: &impl AsFd) -> Option<Statx> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    statx(file, "", flags, StatxFlags::BASIC_STATS | StatxFlags::MNT_ID).ok()
}

/// Whether a file is on a file system that answers at once, by the mount it was reached through.
fn answers_at_once(mounts: &str, file: &Statx) -> bool {
    let mount = file.stx_mnt_id.to_string();
    let line = mounts.lines().find(|line| line.split(' ').next() == Some(mount.as_str()));
    // The optional fields end with a hyphen, and the kind follows (proc_pid_mountinfo(5)).
    let kind = line.and_then(|line| line.split_once(" - ")?.1.split(' ').next());
    kind.is_some_and(|kind| AT_ONCE.contains(&kind))
}

fn text(file: &OwnedFd) -> Option<String> {
    use std::os::fd::AsRawFd as _;
    // What was looked at is what is opened: by its descriptor, not by its name.
    let own = format!("/proc/self/fd/{}", file.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(open(own, flags, Mode::empty()).ok()?);
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Whether the program that a process with mounts of its own runs is the one that `path` names here:
/// else the path is the name of some file in a file system of the peer's making.
pub(super) fn is_our_file(proc: &Proc, pid: u32, path: &str) -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let theirs = open(proc.path(pid, "exe"), flags, Mode::empty());
    // A file that runs is in memory, and so is the way to it; whatever else there is, is not asked.
    let ours = openat2(CWD, path, flags | OFlags::NOFOLLOW, Mode::empty(), ResolveFlags::CACHED);
    let number = |file: &OwnedFd| meta(file).map(|m| (m.stx_dev_major, m.stx_dev_minor, m.stx_ino));
    match (theirs, ours) {
        (Ok(theirs), Ok(ours)) => number(&theirs).is_some() && number(&theirs) == number(&ours),
        _ => false,
    }
}

/// The app's id: `name` in the group `[Application]` (flatpak-metadata(5)).
pub(super) fn app_id(metadata: &str) -> Option<String> {
    let mut lines = metadata.lines().map(str::trim);
    lines.find(|line| *line == "[Application]")?;
    let group = lines.take_while(|line| !line.starts_with('['));
    let mut names = group.filter_map(|line| {
        line.split_once('=')
            .filter(|(key, _)| key.trim_end() == "name")
            .map(|(_, name)| name.trim())
    });
    let name = names.next()?;
    (names.next().is_none() && is_app_id(name)).then(|| name.to_owned())
}

/// Whether a text can be an app's id: at least three parts, as in the names on a bus.
fn is_app_id(text: &str) -> bool {
    let is_part = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        !part.is_empty() && part.chars().all(allowed)
    };
    text.len() <= 255 && text.split('.').count() >= 3 && text.split('.').all(is_part)
}

/// Whether a text can be a snap's name, with the key of a parallel instance where it has one.
pub(super) fn is_snap_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !text.is_empty() && text.len() <= 64 && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apps_id_is_the_name_in_its_group() {
        let metadata = "[Application]\nname=org.acme.Mail\nruntime=runtime/org.acme.Platform\n\n\
                        [Instance]\nname=wrong\n";
        assert_eq!(app_id(metadata).as_deref(), Some("org.acme.Mail"));
    }

    #[test]
    fn metadata_that_is_not_clear_names_nobody() {
        for unclear in [
            "",
            "name=org.acme.Mail",
            "[Runtime]\nname=org.acme.Platform",
            "[Application]\nname=org.acme.Mail\nname=org.acme.Bank",
            "[Application]\nname=Mail",
            "[Application]\nname=org.acme.Mail\u{202e}",
            "[Application]\nname=org..Mail",
            "[Application]\n[Instance]\nname=org.acme.Mail",
        ] {
            assert_eq!(app_id(unclear), None, "{unclear:?}");
        }
    }

    #[test]
    fn a_file_system_that_may_keep_its_reader_waiting_is_not_asked() {
        let file = meta(&File::open("/proc/self/exe").unwrap()).unwrap();
        let mount = file.stx_mnt_id;
        let on = |kind: &str| {
            format!("1 0 9:9 / / rw - ext4 x rw\n{mount} 1 8:1 / / rw shared:1 - {kind} x rw\n")
        };
        assert!(answers_at_once(&on("tmpfs"), &file));
        assert!(!answers_at_once(&on("fuse.evil"), &file));
        assert!(!answers_at_once(&on("nfs4"), &file));
        assert!(!answers_at_once("1 0 9:9 / / rw - tmpfs x rw\n", &file));
    }
}
