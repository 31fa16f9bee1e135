//! Why the vault could not do as asked, and what helps.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use authbroker_core::failure::{Code, Failure};

use super::VaultState;

/// Why the vault could not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key is out of reach for now. The account waits as `vault-locked`.
    #[error("the vault is locked: {why}")]
    Locked {
        /// Why.
        why: String,
        /// What brings it within reach.
        hint: &'static str,
    },
    /// The passphrase is not the one.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// Wrong passphrases were given. The next one is heard after this time.
    #[error("a wrong passphrase was given; the next one is heard in {} s", .0.as_secs().max(1))]
    TooSoon(Duration),
    /// One person at a time.
    #[error("the vault is busy: a passphrase is being tried, or its key exchanged")]
    Busy,
    /// What was asked cannot be done with this vault.
    #[error("{0}")]
    Refused(String),
    /// The key does not fit, or what it lies in is broken. Nothing is removed.
    #[error("{0}")]
    Damaged(String),
    /// One record is broken. It is left alone, and the others go on.
    #[error("{0}")]
    Record(Broken),
    /// The disk refused. What is in memory lives on, and the write is tried again.
    #[error("cannot access {}", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A record that cannot be used. It is left where it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("record {name} cannot be used: {reason}")]
pub struct Broken {
    /// The file's name, without its ending: the account's id.
    pub name: String,
    /// What is wrong.
    pub reason: String,
}

impl VaultError {
    pub(super) fn locked(why: impl Into<String>, hint: &'static str) -> Self {
        Self::Locked { why: why.into(), hint }
    }

    pub(super) fn disk(path: &Path, source: io::Error) -> Self {
        Self::Disk { path: path.to_path_buf(), source }
    }

    /// What it says about the vault, when the key was asked for: nothing, if a person made a slip.
    pub(super) fn state(&self) -> Option<VaultState> {
        match self {
            Self::Locked { why, hint } => Some(VaultState::Locked(why.clone(), hint)),
            Self::Disk { source, .. } => {
                Some(VaultState::Locked(format!("{self}: {source}"), cure(source)))
            }
            Self::Damaged(why) => Some(VaultState::Damaged(why.clone())),
            Self::Record(broken) => Some(VaultState::Damaged(broken.to_string())),
            Self::WrongPassphrase | Self::TooSoon(_) | Self::Busy | Self::Refused(_) => None,
        }
    }

    /// The same in a caller's words.
    pub fn to_failure(&self) -> Failure {
        let failure = |code, hint| Failure::new(code, self.to_string(), hint);
        match self {
            Self::Locked { hint, .. } => failure(Code::VaultLocked, *hint),
            Self::WrongPassphrase => failure(Code::VaultLocked, "brokerctl unlock"),
            Self::TooSoon(wait) => {
                failure(Code::RateLimited, "wait, then brokerctl unlock").retry_after(*wait)
            }
            Self::Busy => failure(Code::Busy, "try again in a moment"),
            Self::Refused(_) => failure(Code::InvalidArgs, "brokerctl vault status"),
            Self::Damaged(_) => failure(Code::VaultDamaged, "brokerctl vault status"),
            Self::Record(_) => failure(
                Code::VaultDamaged,
                "brokerctl vault status; a new sign-in takes the record's place: brokerctl login",
            ),
            Self::Disk { source, .. } => {
                Failure::new(Code::VaultDamaged, format!("{self}: {source}"), cure(source))
            }
        }
    }
}

/// The word for a key that is not where it should be, though records need it.
pub(super) fn missing(what: &str) -> VaultError {
    let why = format!("{what} is missing, and there are records that need it");
    VaultError::locked(why, "put the key back where it was")
}

/// What helps where the disk refuses.
fn cure(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on that disk",
        io::ErrorKind::ReadOnlyFilesystem => "make that disk writable",
        io::ErrorKind::PermissionDenied => "make that file or folder yours: chown, chmod",
        _ => "check that disk",
    }
}
