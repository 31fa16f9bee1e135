//! A person's login session: folders, environment, browser, and the broker's programs in it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use super::process::{Done, Running, run};
use super::{API, Bus, eventually};

/// A browser that only takes note of where it was sent.
const BROWSER: &str = "\
#!/bin/sh
set -eu
folder=$(dirname \"$0\")
note=$(mktemp \"$folder/.XXXXXX\")
printf '%s' \"$1\" >\"$note\"
mv \"$note\" \"$folder/opened.$$\"
";

pub(crate) struct Session {
    // Before the folder, so that it ends before its log goes.
    bus: Option<Bus>,
    folder: TempDir,
}

impl Session {
    /// A session without a bus, as over ssh.
    pub(crate) fn without_bus() -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["home/.config/authbroker", "run", "browser"] {
            let path = folder.path().join(name);
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path).unwrap();
        }
        let session = Self { bus: None, folder };
        let browser = session.path("browser/browser");
        fs::write(&browser, BROWSER).unwrap();
        fs::set_permissions(&browser, Permissions::from_mode(0o755)).unwrap();
        session
    }

    /// A session with a bus of its own, on which nothing is activated.
    pub(crate) async fn start() -> Self {
        let mut session = Self::without_bus();
        session.bus = Some(Bus::start(&session).await);
        session
    }

    /// A file or folder of this session.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the session's bus is, or would be.
    pub(crate) fn bus_address(&self) -> String {
        format!("unix:path={}", self.path("bus").display())
    }

    /// Where the broker of this session has its sockets.
    pub(crate) fn runtime_dir(&self) -> PathBuf {
        self.path("run/authbroker")
    }

    /// The vault's records.
    pub(crate) fn records(&self) -> Vec<PathBuf> {
        let vault = self.path("home/.local/state/authbroker/vault");
        let Ok(entries) = fs::read_dir(vault) else { return Vec::new() };
        let files = entries.map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|ending| ending == "record")).collect()
    }

    /// A program with this session's environment and nothing else.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds its programs where its person does"
    )]
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("LANG", "C.UTF-8")
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("BROWSER", self.path("browser/browser"))
            // Without a session bus of its own a program must not find this machine's.
            .env("DBUS_SESSION_BUS_ADDRESS", self.bus_address())
            .current_dir(self.folder.path());
        command
    }

    /// Starts a program that runs beside the test.
    pub(crate) async fn start_program(&self, name: &str, command: Command) -> Running {
        Running::start(command, &self.path(&format!("{name}.log")), None).await
    }

    /// Writes the broker's configuration: one provider, where the vault's key is, and that every app
    /// may have tokens.
    pub(crate) fn configure(&self, issuer: &str, vault_key: &str) {
        let text = format!(
            "[policy]\n\
             unverified = \"allow\"\n\
             [provider.dev]\n\
             issuer = \"{issuer}\"\n\
             client_id = \"desktop-broker\"\n\
             scopes = [\"openid\", \"profile\", \"email\", \"offline_access\", \"messages.read\"]\n\
             resources = [\"{API}\"]\n\
             [vault]\n\
             key = \"{vault_key}\"\n"
        );
        fs::write(self.path("home/.config/authbroker/config.toml"), text).unwrap();
    }

    /// Puts something in the place of what stands in the configuration.
    pub(crate) fn add_to_configuration(&self, place: &str, text: &str) {
        let path = self.path("home/.config/authbroker/config.toml");
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, whole.replace(place, text)).unwrap();
    }

    /// Starts the broker and waits until every door is open.
    pub(crate) async fn brokerd(&self) -> Running {
        let mut command = self.command(env!("CARGO_BIN_EXE_brokerd"));
        command.args(["--ready-fd", "1", "--log", "debug"]);
        let mut broker = self.start_program("brokerd", command).await;
        assert_eq!(broker.line().await, "", "the ready byte");
        broker
    }

    /// Runs the admin tool.
    pub(crate) async fn brokerctl(&self, arguments: &[&str]) -> Done {
        let mut command = self.command(env!("CARGO_BIN_EXE_brokerctl"));
        command.args(arguments);
        run(command).await
    }

    /// Starts the admin tool beside the test.
    pub(crate) async fn start_brokerctl(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(env!("CARGO_BIN_EXE_brokerctl"));
        command.args(arguments);
        self.start_program("brokerctl", command).await
    }

    /// Every address that a browser was opened at.
    pub(crate) fn opened(&self) -> Vec<String> {
        let notes = fs::read_dir(self.path("browser")).unwrap().map(|entry| entry.unwrap().path());
        let is_note = |path: &PathBuf| {
            path.file_name().unwrap().to_str().is_some_and(|name| name.starts_with("opened."))
        };
        notes.filter(is_note).map(|note| fs::read_to_string(note).unwrap()).collect()
    }

    /// Waits until a browser was opened at an address with `part` in it.
    pub(crate) async fn opened_at(&self, part: &str) -> String {
        let found = async || self.opened().into_iter().find(|address| address.contains(part));
        eventually(&format!("a browser opened at {part}"), found).await
    }

    /// A script of `node/` with the packages that `./test.sh` installed.
    pub(crate) fn node(&self, script: &str) -> Command {
        let (folder, source) = (self.path("node"), here("node").join(script));
        fs::create_dir_all(&folder).unwrap();
        let (copy, packages) = (folder.join(script), folder.join("node_modules"));
        fs::copy(source, &copy).unwrap();
        if !packages.exists() {
            std::os::unix::fs::symlink(installed("node/node_modules"), packages).unwrap();
        }
        let mut command = self.command("node");
        command.arg(copy);
        command
    }

    /// A script of `python/` with the packages that `./test.sh` installed.
    pub(crate) fn python(&self, script: &str) -> Command {
        let mut command = self.command(installed("python/bin/python"));
        command.arg(here("python").join(script));
        command
    }
}

/// A folder beside this module.
fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real").join(name)
}

/// What `./test.sh` installed for these tests.
fn installed(name: &str) -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = project.join(".test").join(name);
    assert!(path.exists(), "{} is missing: run ./test.sh", path.display());
    path
}
