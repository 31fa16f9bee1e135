//! Everything that must be gone at the end: a private folder and the processes that use it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;
use tokio::process::Command;

use super::process::Process;

/// How many lines of each log are shown after a failure.
const TAIL: usize = 8;

/// The folder and the processes. [`Stage::close`] ends them in order; a stage that is dropped
/// kills them.
pub(super) struct Stage {
    // Before the folder: fields are dropped in this order.
    processes: Vec<Process>,
    folder: TempDir,
}

impl Stage {
    /// Makes the folder, which nobody else can enter.
    pub(super) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("authbroker-demo-").tempdir();
        let folder = folder.context("no temporary folder can be made")?;
        fs::create_dir(folder.path().join("logs")).context("the logs need a folder")?;
        Ok(Self { processes: Vec::new(), folder })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a program in the folder. What it says on stderr goes to its log.
    pub(super) fn start(
        &mut self,
        name: &'static str,
        command: &mut Command,
    ) -> anyhow::Result<&mut Process> {
        let path = self.logs().join(format!("{name}.log"));
        let log = File::create(path).with_context(|| format!("{name} needs a log"))?;
        command.current_dir(self.folder());
        self.processes.push(Process::start(name, command, log)?);
        self.processes.last_mut().context("it was just started")
    }

    /// Ends the program that was started last.
    pub(super) async fn end_last(&mut self) {
        if let Some(process) = self.processes.pop() {
            process.end().await;
        }
    }

    pub(super) fn processes(&mut self) -> &mut [Process] {
        &mut self.processes
    }

    /// Each log's name and text, in the order of their names.
    pub(super) fn read_logs(&self) -> anyhow::Result<Vec<(String, String)>> {
        let read = |entry: std::io::Result<fs::DirEntry>| {
            let entry = entry?;
            let text = fs::read(entry.path())?;
            let name = entry.file_name().to_string_lossy().into_owned();
            anyhow::Ok((name, String::from_utf8_lossy(&text).into_owned()))
        };
        let mut logs: Vec<_> = fs::read_dir(self.logs())?.map(read).collect::<Result<_, _>>()?;
        logs.sort();
        Ok(logs)
    }

    /// Shows the end of each log, on stderr.
    pub(super) fn show_logs(&self) {
        for (name, text) in self.read_logs().unwrap_or_default() {
            let lines: Vec<_> = text.lines().collect();
            if !lines.is_empty() {
                let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n  ");
                anstream::eprintln!("\nThe end of {name}:\n  {tail}");
            }
        }
    }

    /// Ends every program, the last one first, and removes the folder.
    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        while !self.processes.is_empty() {
            self.end_last().await;
        }
        self.folder.close().context("the temporary folder cannot be removed")
    }

    fn logs(&self) -> PathBuf {
        self.folder().join("logs")
    }
}
