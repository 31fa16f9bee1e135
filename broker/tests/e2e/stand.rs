//! The world of a test: an issuer, a daemon, and the tool to speak to it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use authbroker_client::{Client, Door, Pending, Step};
use dev_issuer::user_agent::{Consent, UserAgent, Visit};
use dev_issuer::{ACCOUNTS, Issuer, Options};
use tempfile::TempDir;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};
use tokio::process::{Child, ChildStdout, Command};
use url::Url;

/// Longer than anything here takes; a test that waits this long has failed.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

pub(crate) const RESOURCE: &str = "urn:test:api";

/// What tests write that are not about who may have what: every app may.
pub(crate) const ALLOW_ALL: &str = "[policy]\nunverified = \"allow\"\n\n";

pub(crate) struct Stand {
    pub(crate) issuer: Issuer,
    pub(crate) folder: TempDir,
    pub(crate) daemon: Option<Child>,
}

/// What a run of `brokerctl` left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The one line of a good run.
    pub(crate) fn line(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        self.out.trim_end()
    }

    /// Asserts a failure as a person sees it: what happened, and what helps.
    pub(crate) fn assert_fails(&self, code: i32, words: &str, hint: &str) {
        self.assert_says(code, words, hint);
        assert_eq!(self.out, "", "no data on stdout: {self:?}");
    }

    /// The same of a command that had printed something before.
    pub(crate) fn assert_says(&self, code: i32, words: &str, hint: &str) {
        assert_eq!(self.code, code, "{self:?}");
        let lines: Vec<_> = self.err.lines().collect();
        let [.., what, help] = lines.as_slice() else { panic!("two lines at least: {self:?}") };
        assert!(what.starts_with("brokerctl: ") && what.contains(words), "{words:?} in {self:?}");
        assert!(help.starts_with("hint: ") && help.contains(hint), "{hint:?} in {self:?}");
    }
}

impl Stand {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::configured(options, "").await
    }

    /// A stand whose `[provider.dev]` has more lines.
    pub(crate) async fn configured(options: Options, extra_config: &str) -> Self {
        let mut stand = Self::prepared(options).await;
        stand.configure("desktop-broker", extra_config);
        stand.start().await;
        stand
    }

    /// A stand whose vault has its key in this place.
    pub(crate) async fn with_vault_key(place: &str) -> Self {
        let mut stand = Self::prepared(Options::default()).await;
        stand.put_vault_key(place);
        stand.start().await;
        stand
    }

    /// A stand whose daemon does not run yet.
    pub(crate) async fn prepared(options: Options) -> Self {
        let issuer = Issuer::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let stand = Self { issuer, folder, daemon: None };
        stand.configure("desktop-broker", "");
        stand
    }

    /// Writes the configuration anew, with the vault's key in another place.
    pub(crate) fn put_vault_key(&self, place: &str) {
        let text = std::fs::read_to_string(self.path("config.toml")).unwrap();
        let (rest, _) = text.split_once("[vault]").unwrap();
        let text = format!("{rest}[vault]\nkey = {place:?}\n");
        std::fs::write(self.path("config.toml"), text).unwrap();
    }

    /// The same with somebody signed in.
    pub(crate) async fn signed_in() -> Self {
        let stand = Self::new().await;
        stand.sign_in("alice").await;
        stand
    }

    /// Writes the configuration: a client, and more lines for its provider.
    pub(crate) fn configure(&self, client_id: &str, extra: &str) {
        let text = format!(
            "{ALLOW_ALL}[provider.dev]\nissuer = {:?}\nclient_id = {client_id:?}\n\
             scopes = [\"openid\", \"profile\", \"email\", \"offline_access\", \"messages.read\"]\n\
             resources = [{RESOURCE:?}]\n{extra}\n[vault]\nkey = \"file:{}\"\n",
            self.issuer.url(),
            self.path("key").display(),
        );
        std::fs::write(self.path("config.toml"), text).unwrap();
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn write_private(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
        let strict = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(self.path(name), strict).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names of the vault's records.
    pub(crate) fn records(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.path("state/vault")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter_map(|name| Some(name.strip_suffix(".record")?.to_owned())).collect()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("run/broker.sock")
    }

    /// Starts the daemon and waits until its doors are open.
    pub(crate) async fn start(&mut self) {
        self.start_as(&mut daemon(self.folder.path())).await;
    }

    /// Starts a daemon that is set up in another way.
    pub(crate) async fn start_as(&mut self, daemon: &mut Command) {
        let mut child = daemon.spawn().unwrap();
        let mut ready = child.stdout.take().unwrap();
        let mut byte = [0];
        let read = tokio::time::timeout(LIMIT, ready.read(&mut byte)).await;
        assert_eq!(read.unwrap().unwrap(), 1, "the daemon did not start: {}", self.log());
        self.daemon = Some(child);
    }

    /// Ends the daemon as a power cut would.
    pub(crate) async fn kill(&mut self) {
        let mut child = self.daemon.take().unwrap();
        child.kill().await.unwrap();
    }

    /// Ends the daemon as systemd would, and starts it again.
    pub(crate) async fn restart(&mut self) {
        self.terminate().await;
        self.start().await;
    }

    pub(crate) async fn terminate(&mut self) {
        let mut child = self.daemon.take().unwrap();
        let pid = i32::try_from(child.id().unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = tokio::time::timeout(LIMIT, child.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// The most memory that the daemon has had so far, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let pid = self.daemon.as_ref().unwrap().id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("brokerd.log")).unwrap_or_default()
    }

    /// Runs `brokerctl` to its end.
    pub(crate) async fn ctl<const N: usize>(&self, args: [&str; N]) -> Ran {
        run(self.ctl_command().args(args)).await
    }

    /// Runs `brokerctl` with `input` on its standard input.
    pub(crate) async fn ctl_with<const N: usize>(&self, args: [&str; N], input: &str) -> Ran {
        let mut command = self.ctl_command();
        command.args(args);
        self.feed(command, input).await
    }

    /// Runs the tool by another name, with `input` on its standard input.
    pub(crate) async fn program_with(&self, name: &Path, args: &[&str], input: &str) -> Ran {
        let mut command = self.told(Command::new(name));
        command.args(args);
        self.feed(command, input).await
    }

    /// Runs a command with `input` on its standard input.
    pub(crate) async fn feed(&self, mut command: Command, input: &str) -> Ran {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that ends before it reads is no failure of this.
        let _ended = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await;
        ran(&output.expect("the command ends in time").unwrap())
    }

    pub(crate) fn ctl_command(&self) -> Command {
        self.told(tool())
    }

    /// A program that is told where this broker is.
    fn told(&self, mut command: Command) -> Command {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("AUTHBROKER_CONFIG", self.path("config.toml"));
        command.env("AUTHBROKER_RUNTIME_DIR", self.path("run"));
        command.env("AUTHBROKER_STATE_DIR", self.path("state"));
        command
    }

    /// Begins `brokerctl login --no-browser`, up to the address that it prints.
    pub(crate) async fn begin_login<const N: usize>(&self, args: [&str; N]) -> Login {
        let mut command = self.ctl_command();
        command.args(["login", "--no-browser"]).args(args).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        let read = tokio::time::timeout(LIMIT, out.read_line(&mut url)).await;
        read.expect("the address comes in time").unwrap();
        Login { child, out, url: url.trim_end().to_owned() }
    }

    /// Signs one of the issuer's people in, and gives the account's id.
    pub(crate) async fn sign_in(&self, username: &str) -> String {
        let login = self.begin_login([]).await;
        let visit = login.browse(username).await;
        assert_eq!(visit.status, 200, "{visit:?}");
        let ran = login.end().await;
        ran.line().to_owned()
    }

    /// Does what a person does in the browser that the broker opened for an app.
    pub(crate) async fn browse_pending(&self, pending: &mut Pending, username: &str) {
        loop {
            let step = tokio::time::timeout(LIMIT, pending.next()).await;
            let Step::Progress(progress) = step.expect("the address comes in time").unwrap() else {
                panic!("done without a person")
            };
            if let (Some("url"), Some(url)) = (progress.phase.as_deref(), progress.url) {
                return drop(browse(&url, username).await);
            }
        }
    }

    /// An app's client on the socket for apps.
    pub(crate) async fn app(&self) -> Client {
        Client::connect_to(Door::Socket(self.socket())).await.unwrap()
    }

    /// Waits until the issuer has been asked for a renewal.
    pub(crate) async fn renewing(&self) {
        let asked = self.issuer.wait_for(1, |request| request.is_grant("refresh_token"));
        tokio::time::timeout(LIMIT, asked).await.expect("a renewal begins");
    }

    /// Waits until the issuer has answered a renewal.
    pub(crate) async fn renewed(&self) {
        let done = |request: &dev_issuer::Recorded| {
            request.is_grant("refresh_token") && request.status == Some(200)
        };
        let answered = self.issuer.wait_for(1, done);
        tokio::time::timeout(LIMIT, answered).await.expect("a renewal succeeds");
    }

    /// How many requests of a grant type the issuer has seen.
    pub(crate) fn grants(&self, grant_type: &str) -> usize {
        self.issuer.requests().iter().filter(|request| request.is_grant(grant_type)).count()
    }
}

/// A `brokerctl login` that waits for its browser.
pub(crate) struct Login {
    pub(crate) child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Login {
    /// Does what a person does in the browser.
    pub(crate) async fn browse(&self, username: &str) -> Visit {
        browse(&self.url, username).await
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = tokio::time::timeout(LIMIT, self.out.read_line(&mut line)).await;
        read.expect("the line comes in time").unwrap();
        line.trim_end().to_owned()
    }

    /// The same up to the address that the browser is sent back to, which is not visited.
    pub(crate) async fn answer(&self, username: &str) -> Url {
        let browser = UserAgent::new().unwrap();
        let answer = browser.answer(&self.url, username, password(username), Consent::Allow);
        tokio::time::timeout(LIMIT, answer).await.unwrap().unwrap()
    }

    /// A parameter of the authorization request.
    pub(crate) fn parameter(&self, name: &str) -> String {
        let url = Url::parse(&self.url).unwrap();
        url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned()
    }

    pub(crate) async fn end(mut self) -> Ran {
        let mut out = String::new();
        let read = tokio::time::timeout(LIMIT, self.out.read_to_string(&mut out)).await;
        read.expect("the command ends in time").unwrap();
        let rest = self.child.wait_with_output().await.unwrap();
        Ran { code: rest.status.code().unwrap(), out, err: String::from_utf8(rest.stderr).unwrap() }
    }
}

/// Does what a person does in a browser that has no cookies.
pub(crate) async fn browse(url: &str, username: &str) -> Visit {
    let browser = UserAgent::new().unwrap();
    let visit = browser.sign_in(url, username, password(username), Consent::Allow);
    tokio::time::timeout(LIMIT, visit).await.unwrap().unwrap()
}

/// Reads up to the first line that begins with `start`, and gives it.
pub(crate) async fn line_with(stream: &mut (impl AsyncRead + Unpin), start: &str) -> String {
    let mut lines = BufReader::new(stream).lines();
    let wanted = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with(start) {
                return line;
            }
        }
        panic!("no line begins with {start}")
    };
    tokio::time::timeout(LIMIT, wanted).await.expect("the line comes in time")
}

fn password(username: &str) -> &'static str {
    ACCOUNTS.iter().find(|account| account.username == username).unwrap().password
}

/// A `brokerctl` that knows no broker yet.
pub(crate) fn tool() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brokerctl"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["AUTHBROKER_SOCKET", "AUTHBROKER_CONFIG", "AUTHBROKER_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1").kill_on_drop(true);
    command
}

pub(crate) async fn run(command: &mut Command) -> Ran {
    let output = tokio::time::timeout(LIMIT, command.output()).await;
    ran(&output.expect("the command ends in time").unwrap())
}

fn ran(output: &std::process::Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let code = output.status.code().unwrap_or(-1);
    Ran { code, out: text(&output.stdout), err: text(&output.stderr) }
}

/// A daemon in `folder`, with its log there. Readiness is a byte on its standard output.
pub(crate) fn daemon(folder: &Path) -> Command {
    daemon_with(folder, &folder.join("run"))
}

/// The same with its sockets in another place.
pub(crate) fn daemon_with(folder: &Path, runtime_dir: &Path) -> Command {
    let log =
        std::fs::OpenOptions::new().create(true).append(true).open(folder.join("brokerd.log"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_brokerd"));
    command
        .args(["--no-dbus", "--ready-fd", "1", "--log", "trace"])
        .arg("--config")
        .arg(folder.join("config.toml"))
        .arg("--runtime-dir")
        .arg(runtime_dir)
        .arg("--state-dir")
        .arg(folder.join("state"))
        // What is installed on the machine that runs it says nothing here.
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("XDG_DATA_DIRS", folder.join("shared-data"))
        // Whatever a test asks for, no window opens on the machine that runs it.
        .env("BROWSER", "true")
        // Nor does anything reach its journal.
        .env("AUTHBROKER_JOURNAL_SOCKET", "")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log.unwrap())
        .kill_on_drop(true);
    command
}

/// The payload of a token, for looking at; nothing is verified.
pub(crate) fn claims(token: &str) -> serde_json::Value {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = token.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
