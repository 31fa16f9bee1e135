//! The label that the kernel's security module gave a peer when it connected (`SO_PEERSEC`).
//!
//! Read from the connection and not from the process: what a process executes afterwards does not
//! change it.

use std::fs;
use std::os::fd::AsFd;

use authbroker_core::caller::Identity;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::GetOsString;
use nix::{getsockopt_impl, libc, sockopt_impl};

/// The longest label that is read. SELinux's, with all its categories, are far shorter.
type Longest = [u8; 1024];

sockopt_impl!(
    /// The label of the socket's other end.
    PeerSecurity,
    GetOnly,
    libc::SOL_SOCKET,
    libc::SO_PEERSEC,
    std::ffi::OsString,
    GetOsString<Longest>
);

/// Profiles that say how a sandbox was made, and not for whom.
const OF_SANDBOXES: [&str; 4] = ["bwrap", "unpriv_bwrap", "flatpak", "unprivileged_userns"];

/// The label of a socket's peer, where a module gives one.
pub(super) fn of_socket(socket: &impl AsFd) -> Option<String> {
    let label = getsockopt(socket, PeerSecurity).ok()?;
    read(std::os::unix::ffi::OsStrExt::as_bytes(label.as_os_str()))
}

/// A label as the kernel or a bus passes it on, with a NUL at its end.
pub(super) fn read(label: &[u8]) -> Option<String> {
    let label = label.strip_suffix(b"\0").unwrap_or(label);
    let text = std::str::from_utf8(label).ok()?.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whom a label names; `None` if it confines nothing, or is of a kind that is not known here.
pub(super) fn identity(label: &str) -> Option<Identity> {
    if let Some(profile) = label.strip_suffix(" (enforce)") {
        return app_armor(profile);
    }
    selinux(label, selinux_is_enforced)
}

/// The profile of an enforced AppArmor label.
fn app_armor(profile: &str) -> Option<Identity> {
    if let Some(name) = profile.strip_prefix("snap.").and_then(|rest| rest.split('.').next()) {
        return super::sandbox::is_snap_name(name).then(|| Identity::Snap(name.into()));
    }
    let first = profile.split("//").next().unwrap_or_default();
    let names_nobody = profile.is_empty() || OF_SANDBOXES.contains(&first);
    (!names_nobody).then(|| Identity::Label(profile.into()))
}

/// A context `user:role:type:level` of SELinux. Types that it leaves unconfined name nobody.
fn selinux(label: &str, is_enforced: impl Fn() -> bool) -> Option<Identity> {
    let kind = label.split(':').nth(2)?;
    let names_nobody = !kind.ends_with("_t")
        || kind.starts_with("unconfined")
        || ["init_t", "initrc_t", "kernel_t", "unlabeled_t"].contains(&kind);
    (!names_nobody && is_enforced()).then(|| Identity::Label(label.into()))
}

fn selinux_is_enforced() -> bool {
    fs::read("/sys/fs/selinux/enforce").is_ok_and(|text| text.trim_ascii() == b"1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_in_force_is_a_label_and_nothing_else_is() {
        let label = |text| identity(text);
        assert_eq!(label("/usr/bin/man (enforce)"), Some(Identity::Label("/usr/bin/man".into())));
        for nobody in ["unconfined", "/usr/bin/man (complain)", "/usr/bin/man", "_", "User", ""] {
            assert_eq!(label(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn a_profile_that_only_tells_how_a_sandbox_was_made_names_nobody() {
        assert_eq!(identity("bwrap//&unpriv_bwrap (enforce)"), None);
        assert_eq!(identity("unprivileged_userns (enforce)"), None);
    }

    #[test]
    fn a_snap_that_is_confined_is_named_and_a_classic_one_is_not() {
        assert_eq!(identity("snap.mail.app (enforce)"), Some(Identity::Snap("mail".into())));
        assert_eq!(identity("snap.code.code (complain)"), None);
    }

    #[test]
    fn a_context_counts_where_it_confines_and_is_in_force() {
        let confined = "system_u:system_r:backup_t:s0";
        assert_eq!(selinux(confined, || true), Some(Identity::Label(confined.into())));
        assert_eq!(selinux(confined, || false), None);
        let user = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023";
        assert_eq!(selinux(user, || true), None);
    }

    #[test]
    fn a_label_ends_at_its_nul() {
        assert_eq!(read(b"unconfined\0").as_deref(), Some("unconfined"));
        assert_eq!(read(b"man (enforce)\n").as_deref(), Some("man (enforce)"));
        assert_eq!(read(b"\0"), None);
    }
}
