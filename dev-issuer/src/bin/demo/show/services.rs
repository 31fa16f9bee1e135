//! What runs behind the apps: a bus, the issuer, the broker, the API. Each is a process of its own
//! and says itself when it is ready.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use tokio::process::Command;

use super::bus::{self, Bus};
use super::compile::Programs;
use super::narrator::Narrator;
use super::stage::Stage;
use super::within;

/// What the API is called in token requests and in tokens.
pub(super) const RESOURCE: &str = "urn:authbroker:demo:messages";

/// The scope that the API asks for.
const SCOPE: &str = "messages.read";

/// The two apps.
pub(super) const NOTES: &str = "Notes";
pub(super) const MAIL: &str = "Mail";

/// The first words of the API.
const API_GREETING: &str = "private-api listening on ";

/// What differs between the modes.
pub(super) struct Plan {
    /// How long an access token lives.
    pub(super) access_ttl: &'static str,
    /// The command that the broker takes for the browser, instead of the system's.
    pub(super) browser: Option<&'static str>,
}

/// The services, ready.
pub(super) struct Services {
    /// The issuer's identifier, which is also its address.
    pub(super) issuer: String,
    /// The API's address.
    pub(super) api: String,
    bus: Bus,
    socket: PathBuf,
}

/// How an app reaches the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Socket,
    Bus,
}

/// What `brokerctl --json status` says, in part.
#[derive(Deserialize)]
struct Status {
    version: String,
    pid: u32,
    bus: bool,
}

impl Services {
    /// Starts them one after the other.
    pub(super) async fn start(
        plan: &Plan,
        stage: &mut Stage,
        programs: &Programs,
        say: &mut Narrator,
    ) -> anyhow::Result<Self> {
        say.title("\nStarting");
        say.starting("issuer");
        let issuer = start_issuer(plan, stage, programs).await?;
        say.ready(&format!("{issuer}, an OpenID Provider for development"));
        say.starting("API");
        let api = start_api(&issuer, stage, programs).await?;
        say.ready(&format!("{api}, called {RESOURCE}"));
        let broker = Broker { plan, programs, issuer: &issuer, api: &api };
        let bus = broker.start(stage, say).await?;
        let socket = runtime_folder(stage).join("broker.sock");
        Ok(Self { issuer, api, bus, socket })
    }

    /// The way for an app that would like D-Bus.
    pub(super) fn bus_or_socket(&self) -> Door {
        if self.bus.address().is_some() { Door::Bus } else { Door::Socket }
    }

    /// A command that runs one of the apps.
    pub(super) fn app(&self, programs: &Programs, title: &str, door: Door) -> Command {
        let mut app = programs.command("demo-gui");
        app.args(["--title", title, "--api", &self.api, "--resource", RESOURCE]);
        match door {
            Door::Socket => app.arg("--socket").arg(&self.socket),
            Door::Bus => app.arg("--bus"),
        };
        if let Some(address) = self.bus.address() {
            app.env(bus::ADDRESS, address);
        }
        app
    }
}

impl Door {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Socket => "the socket",
            Self::Bus => "D-Bus",
        }
    }
}

async fn start_issuer(
    plan: &Plan,
    stage: &mut Stage,
    programs: &Programs,
) -> anyhow::Result<String> {
    let mut command = programs.command("dev-issuer");
    command.args(["--resource", RESOURCE, "--access-ttl", plan.access_ttl]);
    // Its log is a file, where colours are noise.
    stage.start("dev-issuer", command.env("NO_COLOR", "1"))?.first_line().await
}

async fn start_api(issuer: &str, stage: &mut Stage, programs: &Programs) -> anyhow::Result<String> {
    let mut command = programs.command("private-api");
    command.args(["--issuer", issuer, "--audience", RESOURCE, "--require-scope", SCOPE]);
    command.args(["--listen", "127.0.0.1:0"]);
    let line = stage.start("private-api", &mut command)?.first_line().await?;
    let address = line.strip_prefix(API_GREETING);
    Ok(address.with_context(|| format!("private-api says {line:?}"))?.to_owned())
}

/// How the broker is started.
struct Broker<'a> {
    plan: &'a Plan,
    programs: &'a Programs,
    issuer: &'a str,
    api: &'a str,
}

impl Broker<'_> {
    async fn start(&self, stage: &mut Stage, say: &mut Narrator) -> anyhow::Result<Bus> {
        let app = self.programs.path("demo-gui")?;
        let configuration = configuration(self.issuer, self.api, &app.display().to_string());
        fs::write(stage.folder().join("config.toml"), configuration)?;
        say.starting("D-Bus");
        let mut bus = Bus::find(stage).await?;
        say.ready(bus.description());
        say.starting("broker");
        let mut status = self.start_on(&bus, stage).await?;
        if matches!(bus, Bus::Session(_)) && !status.bus {
            say.ready("another one has its name on the session bus, and is left alone");
            stage.end_last().await;
            say.starting("D-Bus");
            bus = Bus::private(stage).await?;
            say.ready(bus.description());
            say.starting("broker");
            status = self.start_on(&bus, stage).await?;
        }
        ensure!(status.bus == bus.address().is_some(), "the broker could not get on the bus");
        let Status { version, pid, .. } = status;
        say.ready(&format!("brokerd {version}, process {pid}, with its vault in memory"));
        say.line(&format!(
            "             it allows tokens to {NOTES} and {MAIL}, and asks about others"
        ));
        Ok(bus)
    }

    async fn start_on(&self, bus: &Bus, stage: &mut Stage) -> anyhow::Result<Status> {
        let mut command = self.programs.command("brokerd");
        command.args(["--config", "config.toml", "--state-dir", "state", "--runtime-dir"]);
        // Ready is one byte on stdout, which is a pipe to here.
        command.arg(runtime_folder(stage)).args(["--ready-fd", "1"]);
        match bus.address() {
            Some(address) => command.env(bus::ADDRESS, address),
            None => command.arg("--no-dbus"),
        };
        if let Some(browser) = self.plan.browser {
            command.env("BROWSER", browser);
        }
        stage.start("brokerd", &mut command)?.first_line().await?;
        self.status(stage).await
    }

    async fn status(&self, stage: &Stage) -> anyhow::Result<Status> {
        let mut command = self.programs.command("brokerctl");
        command.arg("--runtime-dir").arg(runtime_folder(stage)).args(["--json", "status"]);
        let output = command.kill_on_drop(true).output();
        let output = within("brokerctl's answer", output).await?.context("brokerctl")?;
        if !output.status.success() {
            bail!("brokerctl status: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        serde_json::from_slice(&output.stdout).context("brokerctl status has another form")
    }
}

fn runtime_folder(stage: &Stage) -> PathBuf {
    stage.folder().join("run")
}

/// The two apps are one program, and this rule is about both. Every other program of this user
/// would be asked about.
fn configuration(issuer: &str, api: &str, app: &str) -> String {
    format!(
        r#"[provider.demo]
issuer = "{issuer}"
client_id = "desktop-broker"
scopes = ["openid", "profile", "email", "offline_access", "{SCOPE}"]
resources = ["{RESOURCE}"]

[resource."{RESOURCE}"]
origins = ["{api}"]

[vault]
key = "memory"

[[rule]] # Notes and Mail
app = {{ exe = {app:?} }}
account = "demo"
resources = ["{RESOURCE}"]
decision = "allow"
"#
    )
}
