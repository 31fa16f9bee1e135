//! The real broker, and an issuer behind it. The other one is a hundred lines and does as it is told;
//! this one has rules of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use authbroker_client::wire::admin1::SignIn;
use authbroker_client::{Admin, Client, Door, Step};
use dev_issuer::user_agent::{Consent, UserAgent};
use dev_issuer::{ACCOUNTS, Issuer, Options};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::PATIENCE;

/// `brokerd`, with nobody signed in. It is gone when this is dropped.
pub(crate) struct RealBroker {
    folder: TempDir,
    _issuer: Issuer,
    _daemon: Child,
}

impl RealBroker {
    /// Starts it with `rules` in its configuration, and waits until its doors are open.
    pub(crate) async fn start(rules: &str) -> Self {
        let issuer = Issuer::start(Options::default()).await.unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("config.toml"), config(&issuer, rules)).unwrap();
        let mut daemon = program("brokerd", folder.path())
            .args(["--no-dbus", "--ready-fd", "1"])
            .env("XDG_DATA_DIRS", folder.path())
            .env("BROWSER", "true")
            .env("AUTHBROKER_JOURNAL_SOCKET", "")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cargo test --workspace builds brokerd, too: {error}"));
        let mut ready = daemon.stdout.take().unwrap();
        timeout(PATIENCE, ready.read_exact(&mut [0])).await.unwrap().unwrap();
        Self { folder, _issuer: issuer, _daemon: daemon }
    }

    /// Where its sockets are.
    pub(crate) fn runtime_dir(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// The socket for apps.
    pub(crate) fn socket(&self) -> PathBuf {
        self.runtime_dir().join("broker.sock")
    }

    /// What an app speaks to it with.
    pub(crate) async fn app(&self) -> Client {
        Client::connect_to(Door::Socket(self.socket())).await.unwrap()
    }

    /// Alice signs in, as with `brokerctl login`.
    pub(crate) async fn sign_in(&self) {
        let alice = &ACCOUNTS[0];
        let admin = Admin::connect(Some(self.runtime_dir())).await.unwrap();
        let mut pending = admin.sign_in(&SignIn::default()).await.unwrap();
        loop {
            match timeout(PATIENCE, pending.next()).await.unwrap().unwrap() {
                Step::Progress(progress) if progress.phase.as_deref() == Some("url") => {
                    let browser = UserAgent::new().unwrap();
                    let url = progress.url.unwrap();
                    let way = browser.sign_in(&url, alice.username, alice.password, Consent::Allow);
                    way.await.unwrap();
                }
                Step::Progress(_) => {}
                Step::Done(_) => return,
            }
        }
    }

    /// Runs `brokerctl`, which must succeed, and gives what it prints.
    pub(crate) async fn ctl(&self, args: &[&str]) -> String {
        let ran = program("brokerctl", self.folder.path()).args(args).output().await.unwrap();
        assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }
}

fn config(issuer: &Issuer, rules: &str) -> String {
    format!(
        "[provider.acme]\nissuer = {:?}\nclient_id = \"desktop-broker\"\n\
         scopes = [\"openid\", \"profile\", \"email\", \"offline_access\", \"messages.read\"]\n\
         resources = [\"urn:demo\"]\n\n[vault]\nkey = \"memory\"\n\n{rules}",
        issuer.url()
    )
}

/// A program that was built beside the window.
fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_demo-gui")).with_file_name(name));
    command
        .arg("--config")
        .arg(folder.join("config.toml"))
        .arg("--runtime-dir")
        .arg(folder.join("run"))
        .arg("--state-dir")
        .arg(folder.join("state"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}
