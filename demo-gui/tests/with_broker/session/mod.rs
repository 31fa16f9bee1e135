//! A desktop's session, as far as a window sees it: a bus of its own, the accessibility bus behind
//! it, and, where a test says so, the portal that knows the desktop's colours.

pub(crate) mod portal;
mod tree;

use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use zbus::Connection;

pub(crate) use self::tree::{App, Times, Tree};
use crate::screen::Display;

/// The session. Its bus is gone when this is dropped, and what lives on it goes, too.
pub(crate) struct Session {
    address: String,
    bus: Connection,
    _daemon: Child,
    _folder: TempDir,
}

impl Session {
    pub(crate) async fn start(display: &Display) -> Self {
        let folder = TempDir::new().unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address=1"])
            // What the bus starts has its surroundings from here.
            .env("DISPLAY", &display.name)
            .env("XDG_RUNTIME_DIR", folder.path())
            .env("HOME", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(daemon.stdout.take().unwrap()).lines();
        let address = lines.next_line().await.unwrap().unwrap();
        let bus = zbus::connection::Builder::address(address.as_str());
        let bus = bus.build().await.unwrap();
        Self { address, bus, _daemon: daemon, _folder: folder }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) const fn bus(&self) -> &Connection {
        &self.bus
    }

    /// Says that a screen reader runs, and listens like one.
    pub(crate) async fn screen_reader(&self) -> Tree {
        Tree::behind(&self.bus).await
    }
}
