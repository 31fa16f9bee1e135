//! The only place that reads the environment.

use std::ffi::OsString;
use std::path::PathBuf;

/// The user's configuration file, moved.
pub const CONFIG: &str = "AUTHBROKER_CONFIG";
/// The runtime folder, moved: sockets and locks.
pub const RUNTIME_DIR: &str = authbroker_client::wire::places::RUNTIME_DIR_VARIABLE;
/// The state folder, moved: the vault.
pub const STATE_DIR: &str = authbroker_client::wire::places::STATE_DIR_VARIABLE;
/// What to log, in `tracing`'s filter language.
pub const LOG: &str = "AUTHBROKER_LOG";
/// The folders for data that is not the user's own (XDG Base Directory Specification).
pub const DATA_DIRS: &str = "XDG_DATA_DIRS";
/// Set by systemd for a service that has credentials: the folder they lie in.
pub const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// Set by kubectl for whoever gives it credentials: what it is about to do, in JSON.
pub const KUBERNETES: &str = "KUBERNETES_EXEC_INFO";
/// Set by systemd for a service whose output goes to the journal.
const JOURNAL_STREAM: &str = "JOURNAL_STREAM";

/// Where the journal listens that has a copy of the audit record, moved; empty for none.
pub const JOURNAL_SOCKET: &str = "AUTHBROKER_JOURNAL_SOCKET";
/// Where systemd's journal listens.
const SYSTEMD_JOURNAL: &str = "/run/systemd/journal/socket";

/// Where the journal listens, if there is to be one.
pub fn journal_socket() -> Option<PathBuf> {
    match read(JOURNAL_SOCKET) {
        Some(moved) => Some(PathBuf::from(moved)).filter(|path| !path.as_os_str().is_empty()),
        None => Some(PathBuf::from(SYSTEMD_JOURNAL)),
    }
}

/// A path from the environment.
pub fn path(name: &str) -> Option<PathBuf> {
    read(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Whether standard error is the journal, which adds the time itself.
pub fn logs_to_journal() -> bool {
    read(JOURNAL_STREAM).is_some()
}

/// A text from the environment.
pub fn text(name: &str) -> Option<String> {
    read(name)?.into_string().ok()
}

#[expect(clippy::disallowed_methods, reason = "this is the place that may")]
fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
