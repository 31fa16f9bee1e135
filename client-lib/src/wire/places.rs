//! Where the doors are: the folders and sockets that the broker and its clients must agree on.

use std::path::PathBuf;

use directories::ProjectDirs;

/// The broker's runtime folder, moved.
pub const RUNTIME_DIR_VARIABLE: &str = "AUTHBROKER_RUNTIME_DIR";
/// The broker's state folder, moved.
pub const STATE_DIR_VARIABLE: &str = "AUTHBROKER_STATE_DIR";
/// One particular socket to speak to.
pub const SOCKET_VARIABLE: &str = "AUTHBROKER_SOCKET";
/// The socket for apps, in the runtime folder.
pub const APP_SOCKET: &str = "broker.sock";
/// The socket for the admin tool, in the runtime folder.
pub const ADMIN_SOCKET: &str = "admin.sock";
/// The runtime folder of a broker that serves the whole system.
pub const SYSTEM_RUNTIME_DIR: &str = "/run/authbroker";

/// The user's folders for this program, where there is a home at all.
pub fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("org", "authbroker", "authbroker")
}

/// Where a user's broker keeps its state, unless it was moved.
pub fn state_dir() -> Option<PathBuf> {
    let project = project()?;
    Some(project.state_dir().unwrap_or_else(|| project.data_local_dir()).to_path_buf())
}

/// Where a user's broker has its sockets, unless they were moved: the session's runtime folder,
/// else `/run/user/UID` where it is ours, else a folder in the state folder.
pub fn runtime_dir() -> Option<PathBuf> {
    let session = project().and_then(|project| project.runtime_dir().map(PathBuf::from));
    session.or_else(own_run_user).or_else(|| Some(state_dir()?.join("run")))
}

#[cfg(unix)]
fn own_run_user() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt as _;
    let uid = rustix::process::getuid().as_raw();
    let folder = PathBuf::from(format!("/run/user/{uid}"));
    let ours = std::fs::metadata(&folder).is_ok_and(|meta| meta.is_dir() && meta.uid() == uid);
    ours.then(|| folder.join("authbroker"))
}

#[cfg(not(unix))]
fn own_run_user() -> Option<PathBuf> {
    None
}
