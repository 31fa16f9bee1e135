//! The demo from its start to its end.
//!
//! 1. `compile` has cargo build the other programs.
//! 2. `services` starts issuer, broker and API as processes of their own, in a private folder.
//! 3. With a display, `windows` opens two apps and waits for the person. Without one, `story`
//!    leads two apps in terminal mode through a whole sign-in and checks each step.
//! 4. Whatever happened, Ctrl-C included, `stage` ends what was started and removes the folder.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;

use self::compile::Programs;
use self::interrupt::{Interrupt, Interrupted};
use self::narrator::Narrator;
use self::services::{Plan, Services};
use self::stage::Stage;
use self::story::user_agent;

mod bus;
mod compile;
mod interrupt;
mod narrator;
mod process;
mod services;
mod stage;
mod story;
mod windows;

/// The longest that one thing may take: far more than any of them needs, so that a machine under
/// load is waited for and a broken program is not waited for long.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a shell reports for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Builds and starts an issuer, the broker, an API and two apps, and shows one sign-in serving
/// both apps.
#[derive(Debug, Parser)]
#[command(name = "cargo demo", version)]
struct Args {
    /// No windows: the whole journey in this terminal, with each step checked
    #[arg(long)]
    headless: bool,

    /// Plays the person and their browser, for the broker of a headless demo
    #[arg(long, hide = true, value_name = "ADDRESS", requires = "report")]
    user_agent: Option<String>,

    /// The socket where the demo hears how that went
    #[arg(long, hide = true, value_name = "SOCKET")]
    report: Option<PathBuf>,
}

/// Where the apps are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// In windows; a person does the rest.
    Windows,
    /// In this terminal, on request or for want of a display.
    Headless { asked: bool },
}

impl Mode {
    fn choose(headless: bool) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let display = cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
        if headless || !display { Self::Headless { asked: headless } } else { Self::Windows }
    }

    const fn plan(self) -> Plan {
        match self {
            Self::Windows => Plan { access_ttl: "60s", browser: None },
            Self::Headless { .. } => Plan { access_ttl: "5s", browser: Some(user_agent::COMMAND) },
        }
    }
}

// One thread: everything here waits, and the work is done by the other processes.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn main() -> ExitCode {
    let args = Args::parse();
    match (args.user_agent, args.report) {
        (Some(address), Some(report)) => user_agent::browse(&address, &report).await,
        _ => demo(Mode::choose(args.headless)).await,
    }
}

async fn demo(mode: Mode) -> ExitCode {
    let mut say = Narrator::new();
    introduce(mode, &mut say);
    let (mut interrupt, mut stage) = match prepare() {
        Ok(prepared) => prepared,
        Err(error) => return failed(&error),
    };
    let ended = perform(mode, &mut interrupt, &mut stage, &mut say).await;
    let code = conclude(ended, &stage, &mut say);
    match stage.close().await {
        Ok(()) => code,
        Err(error) => failed(&error),
    }
}

/// Signals are waited for before there is anything that they could leave behind.
fn prepare() -> anyhow::Result<(Interrupt, Stage)> {
    let interrupt = Interrupt::listen().context("signals cannot be waited for")?;
    Ok((interrupt, Stage::new()?))
}

fn introduce(mode: Mode, say: &mut Narrator) {
    say.title("authbroker: sign in once, in your browser, for every app");
    say.line(match mode {
        Mode::Windows => "An issuer, the broker, an API and two windows, on this machine alone.",
        Mode::Headless { .. } => "An issuer, the broker, an API and two apps, step by step.",
    });
    if mode == (Mode::Headless { asked: false }) {
        say.line("There is no display for windows, so it all happens in this terminal.");
    }
}

/// What the exit status is, with the reason shown while the logs are still there.
fn conclude(ended: anyhow::Result<()>, stage: &Stage, say: &mut Narrator) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            say.line("\nInterrupted.");
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            say.break_off();
            stage.show_logs();
            failed(&error)
        }
    }
}

async fn perform(
    mode: Mode,
    interrupt: &mut Interrupt,
    stage: &mut Stage,
    say: &mut Narrator,
) -> anyhow::Result<()> {
    let programs = interrupt.or(compile::build(say)).await?;
    let services = interrupt.or(Services::start(&mode.plan(), stage, &programs, say)).await?;
    let work = show(mode, stage, &programs, &services, say);
    match (mode, interrupt.or(work).await) {
        // Ctrl-C is one of the two ways to end the windows.
        (Mode::Windows, Err(error)) if error.is::<Interrupted>() => Ok(()),
        (_, ended) => ended,
    }
}

async fn show(
    mode: Mode,
    stage: &mut Stage,
    programs: &Programs,
    services: &Services,
    say: &mut Narrator,
) -> anyhow::Result<()> {
    match mode {
        Mode::Windows => windows::show(stage, programs, services, say).await,
        Mode::Headless { .. } => story::tell(stage, programs, services, say).await,
    }
}

/// Waits for something that should not take long.
async fn within<T>(what: impl fmt::Display, work: impl Future<Output = T>) -> anyhow::Result<T> {
    let done = tokio::time::timeout(PATIENCE, work).await.ok();
    done.with_context(|| format!("{what} did not come within {} s", PATIENCE.as_secs()))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    anstream::eprintln!("demo: {error:#}");
    ExitCode::FAILURE
}
