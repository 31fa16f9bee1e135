//! Which D-Bus session bus the demo uses: the session's own, a private one, or none.

use std::env;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use anyhow::Context as _;
use tokio::process::Command;

use super::stage::Stage;

/// Where D-Bus programs look for their bus.
pub(super) const ADDRESS: &str = "DBUS_SESSION_BUS_ADDRESS";

const DAEMON: &str = "dbus-daemon";

/// What a bus needs to be one, and no folders to start services from. The path is relative, since
/// every program runs in the demo's folder: so nothing in the folder's own path needs escaping.
const CONFIGURATION: &str = r#"<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=bus.sock</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A bus, or why there is none.
pub(super) enum Bus {
    /// The one that this session has.
    Session(String),
    /// One of the demo's own.
    Private(String),
    /// None: neither a session bus nor a `dbus-daemon` to start one with.
    None,
}

impl Bus {
    /// The session's bus where it answers, else a private one where it can be started.
    pub(super) async fn find(stage: &mut Stage) -> anyhow::Result<Self> {
        match session_bus() {
            // The broker is on D-Bus on Linux alone.
            _ if !cfg!(target_os = "linux") => Ok(Self::None),
            Some(address) => Ok(Self::Session(address)),
            None => Self::private(stage).await,
        }
    }

    /// A private bus, which starts no services by itself.
    pub(super) async fn private(stage: &mut Stage) -> anyhow::Result<Self> {
        let Some(daemon) = on_path(DAEMON) else { return Ok(Self::None) };
        fs::write(stage.folder().join("bus.conf"), CONFIGURATION).context("bus.conf")?;
        let mut command = Command::new(daemon);
        command.args(["--config-file", "bus.conf", "--nofork", "--print-address=1"]);
        let address = stage.start(DAEMON, &mut command)?.first_line().await?;
        Ok(Self::Private(address))
    }

    pub(super) const fn description(&self) -> &'static str {
        match self {
            Self::Session(_) => "the session bus",
            Self::Private(_) => "a bus of the demo's own, since the session has none for it",
            Self::None => "no session bus and no dbus-daemon here, so both apps use the socket",
        }
    }

    pub(super) fn address(&self) -> Option<&str> {
        match self {
            Self::Session(address) | Self::Private(address) => Some(address),
            Self::None => None,
        }
    }
}

/// The address of a session bus that takes connections.
fn session_bus() -> Option<String> {
    let addresses = env::var(ADDRESS).ok()?;
    addresses.split(';').any(answers).then_some(addresses)
}

/// Only buses on a Unix socket are tried; a session has no others.
fn answers(address: &str) -> bool {
    let Some(keys) = address.strip_prefix("unix:") else { return false };
    let value = |name: &str| keys.split(',').find_map(|pair| pair.strip_prefix(name));
    if let Some(path) = value("path=") {
        return UnixStream::connect(path).is_ok();
    }
    value("abstract=").is_some_and(connects_to_abstract)
}

#[cfg(target_os = "linux")]
fn connects_to_abstract(name: &str) -> bool {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;

    let address = SocketAddr::from_abstract_name(name);
    address.and_then(|address| UnixStream::connect_addr(&address)).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn connects_to_abstract(_name: &str) -> bool {
    false
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_that_is_not_there_does_not_answer() {
        for address in ["unix:path=/nowhere/bus,guid=1", "unix:abstract=nobody", "tcp:host=x", ""] {
            assert!(!answers(address), "{address}");
        }
    }
}
