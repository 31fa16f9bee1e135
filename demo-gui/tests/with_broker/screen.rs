//! A display of its own, and the program's window on it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use image::RgbImage;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::stand::{PATIENCE, Stand};

/// A bus that is not there.
pub(crate) const NO_BUS: &str = "unix:path=/dev/null";

/// An X server without a screen. It is gone when this is dropped.
pub(crate) struct Display {
    pub(crate) name: String,
    _server: Child,
}

impl Display {
    pub(crate) async fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut numbers = BufReader::new(server.stdout.take().unwrap()).lines();
        let number = numbers.next_line().await.unwrap().unwrap();
        Self { name: format!(":{number}"), _server: server }
    }
}

/// How a window is opened.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) title: &'a str,
    pub(crate) theme: &'a str,
    /// Where on the screen its left edge is, and how large it is, in pixels.
    pub(crate) left: u16,
    pub(crate) size: (u16, u16),
    /// The session bus; none where there is none.
    pub(crate) bus: &'a str,
}

/// The program's window.
pub(crate) struct Window {
    display: String,
    id: String,
    folder: TempDir,
    _program: Child,
}

impl Window {
    pub(crate) async fn open(display: &Display, stand: &Stand, look: Look<'_>) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_demo-gui"));
        program.args(stand.args()).args(["--title", look.title]);
        Self::of(&mut program, display, look).await
    }

    /// The window of a program, once it is there.
    pub(crate) async fn of(program: &mut Command, display: &Display, look: Look<'_>) -> Self {
        let folder = TempDir::new().unwrap();
        let program = program
            .args(["--theme", look.theme])
            .env("DISPLAY", &display.name)
            .env("DBUS_SESSION_BUS_ADDRESS", look.bus)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("WAYLAND_DISPLAY")
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let id = find(&display.name, look.title).await;
        let [left, width, height] = [look.left, look.size.0, look.size.1].map(|n| n.to_string());
        xdotool(&display.name, &["windowmove", &id, &left, "0"]).await;
        xdotool(&display.name, &["windowsize", &id, &width, &height]).await;
        // Away from the buttons, which look different under the pointer.
        xdotool(&display.name, &["mousemove", "2", "990"]).await;
        Self { display: display.name.clone(), id, folder, _program: program }
    }

    pub(crate) async fn press(&self, key: &str) {
        xdotool(&self.display, &["windowfocus", "--sync", &self.id, "key", key]).await;
    }

    /// What the window shows, once it shows the same twice.
    pub(crate) async fn settled(&self) -> RgbImage {
        self.settled_unlike(&RgbImage::new(1, 1)).await
    }

    /// The same, once it is not `before` any more.
    pub(crate) async fn settled_unlike(&self, before: &RgbImage) -> RgbImage {
        let mut last = RgbImage::new(1, 1);
        self.until(|shot| {
            let settled = shot == &last && shot != before && is_painted(shot);
            last.clone_from(shot);
            settled
        })
        .await
    }

    /// What the window shows, once it is `so`. A look takes a while, which is pause enough.
    pub(crate) async fn until(&self, mut so: impl FnMut(&RgbImage) -> bool) -> RgbImage {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let shot = self.look().await;
            if so(&shot) {
                return shot;
            }
        }
        panic!("the window never came to show it");
    }

    async fn look(&self) -> RgbImage {
        let file = self.folder.path().join("shot.png");
        let taken = Command::new("import")
            .args(["-display", &self.display, "-window", &self.id])
            .arg(&file)
            .status();
        assert!(taken.await.unwrap().success());
        image::open(&file).unwrap().to_rgb8()
    }

    /// Keeps `shot` for a person to look at.
    pub(crate) fn keep(&self, name: &str, shot: &RgbImage) {
        let moved = std::env::var_os("AUTHBROKER_SCREENSHOTS").map(PathBuf::from);
        let folder = moved.as_deref().unwrap_or_else(|| Path::new(self.folder.path()));
        fs::create_dir_all(folder).unwrap();
        shot.save(folder.join(format!("{name}.png"))).unwrap();
    }
}

/// Whether there is more to see than an empty window: smooth text has many shades.
fn is_painted(shot: &RgbImage) -> bool {
    shot.pixels().collect::<HashSet<_>>().len() > 50
}

/// The window of this title, once it is there. A search ends with an error of X where a window that
/// it looks at goes meanwhile, as a starting program's first ones do; then it begins anew.
async fn find(display: &str, title: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match try_xdotool(display, &["search", "--sync", "--onlyvisible", "--name", title]).await {
            Ok(id) => return id,
            Err(error) => assert!(Instant::now() < deadline, "no window {title}: {error}"),
        }
    }
}

async fn xdotool(display: &str, args: &[&str]) -> String {
    try_xdotool(display, args).await.unwrap_or_else(|error| panic!("xdotool {args:?}: {error}"))
}

async fn try_xdotool(display: &str, args: &[&str]) -> Result<String, String> {
    let ran = Command::new("xdotool").args(args).env("DISPLAY", display).output().await.unwrap();
    let said = |text: Vec<u8>| String::from_utf8_lossy(&text).trim().to_owned();
    if ran.status.success() { Ok(said(ran.stdout)) } else { Err(said(ran.stderr)) }
}
