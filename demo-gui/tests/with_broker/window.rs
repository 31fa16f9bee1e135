//! The real window, on a display of its own: it opens, it can be used from the keyboard, and what
//! it shows is there to be looked at.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use image::RgbImage;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::stand::{PATIENCE, Person, Stand};

/// A colour that only Alice's picture has.
const MEADOW: [u8; 3] = [90, 158, 111];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Xvfb and software GL: ./test.sh runs it"]
async fn a_person_signs_in_and_reads_the_message() {
    for theme in ["light", "dark"] {
        let display = Display::start().await;
        let stand = Stand::new().await;
        let window = Window::open(&display, &stand, theme).await;
        let empty = window.settled().await;
        window.keep(&format!("{theme}-1-no-broker"), &empty);

        let broker = stand.broker();
        let signed_out = window.settled_unlike(&empty).await;
        window.keep(&format!("{theme}-2-signed-out"), &signed_out);

        window.press("Return").await;
        broker.until(|world| world.sign_ins == 1).await;
        let signing_in = window.settled_unlike(&signed_out).await;
        window.keep(&format!("{theme}-3-signing-in"), &signing_in);

        let alice = stand.alice();
        broker.change(|world| {
            world.accounts = vec![alice];
            world.person = Person::SignsIn;
        });
        let signed_in = window.until(|shot| shot.pixels().any(|pixel| pixel.0 == MEADOW)).await;
        window.keep(&format!("{theme}-4-signed-in"), &signed_in);

        window.press("Return").await;
        let message = window.settled_unlike(&signed_in).await;
        assert_eq!(stand.api.served(), 1);
        window.keep(&format!("{theme}-5-message"), &message);
    }
}

#[tokio::test]
async fn without_a_display_the_program_says_what_helps() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_demo-gui"));
    program.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    let ended = program.output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    let helps = "hint: set DISPLAY or WAYLAND_DISPLAY, or run demo-gui --terminal";
    assert_eq!(said, format!("demo-gui: no display can be reached\n{helps}\n"));
}

/// An X server without a screen. It is gone when this is dropped.
struct Display {
    name: String,
    _server: Child,
}

impl Display {
    async fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "800x700x24", "-nolisten", "tcp"])
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

/// The program's window.
struct Window {
    display: String,
    id: String,
    folder: TempDir,
    _program: Child,
}

impl Window {
    async fn open(display: &Display, stand: &Stand, theme: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let title = format!("Demo in {theme}");
        let program = Command::new(env!("CARGO_BIN_EXE_demo-gui"))
            .args(stand.args())
            .args(["--title", &title, "--theme", theme])
            .env("DISPLAY", &display.name)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("WAYLAND_DISPLAY")
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let found = ["search", "--sync", "--onlyvisible", "--name", &title];
        let id = xdotool(&display.name, &found).await;
        // Away from the buttons, which look different under the pointer.
        xdotool(&display.name, &["mousemove", "2", "2"]).await;
        Self { display: display.name.clone(), id, folder, _program: program }
    }

    async fn press(&self, key: &str) {
        xdotool(&self.display, &["windowfocus", "--sync", &self.id, "key", key]).await;
    }

    /// What the window shows, once it shows the same twice.
    async fn settled(&self) -> RgbImage {
        self.settled_unlike(&RgbImage::new(1, 1)).await
    }

    /// The same, once it is not `before` any more.
    async fn settled_unlike(&self, before: &RgbImage) -> RgbImage {
        let mut last = RgbImage::new(1, 1);
        self.until(|shot| {
            let settled = shot == &last && shot != before && is_painted(shot);
            last.clone_from(shot);
            settled
        })
        .await
    }

    /// What the window shows, once it is `so`. A look takes a while, which is pause enough.
    async fn until(&self, mut so: impl FnMut(&RgbImage) -> bool) -> RgbImage {
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
    fn keep(&self, name: &str, shot: &RgbImage) {
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

async fn xdotool(display: &str, args: &[&str]) -> String {
    let ran = Command::new("xdotool").args(args).env("DISPLAY", display).output().await.unwrap();
    assert!(ran.status.success(), "xdotool {args:?}");
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}
