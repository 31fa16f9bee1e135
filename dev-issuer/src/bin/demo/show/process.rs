//! One started program: its log, its first words, its end.

use std::fs::File;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::within;

/// How long a program may take to end after it was asked to. The broker and the API give their
/// callers five seconds.
const FAREWELL: Duration = Duration::from_secs(8);

/// A running program. Dropping it kills it; [`Process::end`] is the polite way.
pub(super) struct Process {
    name: &'static str,
    child: Child,
    /// Kept open: a program whose reader has gone would fail at its next word.
    output: Option<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts a program whose stderr goes to `log`. It gets a process group of its own, so that
    /// Ctrl-C reaches the demo alone, which then ends everything in order.
    pub(super) fn start(
        name: &'static str,
        command: &mut Command,
        log: File,
    ) -> anyhow::Result<Self> {
        command.stdout(Stdio::piped()).stderr(log).process_group(0).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        let output = child.stdout.take().map(BufReader::new);
        Ok(Self { name, child, output })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn id(&self) -> anyhow::Result<u32> {
        self.child.id().with_context(|| format!("{} ended at once", self.name))
    }

    /// The first line that the program prints, by which it says that it is ready.
    pub(super) async fn first_line(&mut self) -> anyhow::Result<String> {
        let Some(output) = &mut self.output else { bail!("{} was read already", self.name) };
        let mut line = String::new();
        let read = within(format!("a first word from {}", self.name), output.read_line(&mut line));
        if read.await?? > 0 {
            return Ok(line.trim_end().to_owned());
        }
        let status = within(format!("the end of {}", self.name), self.child.wait()).await??;
        bail!("{} ended before it was ready ({status})", self.name)
    }

    /// Its stdin, which must have been asked for, and its stdout.
    pub(super) fn take_pipes(&mut self) -> anyhow::Result<(ChildStdin, BufReader<ChildStdout>)> {
        let pipes = self.child.stdin.take().zip(self.output.take());
        pipes.with_context(|| format!("{} has no pipes left", self.name))
    }

    /// Waits until it ends by itself.
    pub(super) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks it to end with SIGTERM, waits, and kills it if that was in vain.
    pub(super) async fn end(mut self) {
        let Some(id) = self.child.id().and_then(pid) else { return };
        // Fails where it has just ended, which is as good.
        let _ = kill_process(id, Signal::TERM);
        if tokio::time::timeout(FAREWELL, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(id.try_into().ok()?)
}
