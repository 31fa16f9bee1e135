//! One of the two apps: a process of `demo-gui` in its terminal mode, asked one thing at a time.

use std::process::Stdio;

use anyhow::{Context as _, anyhow};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout};

use super::event::{Account, Claims, Event, Problem, Progress};
use crate::show::compile::Programs;
use crate::show::services::{Door, Services};
use crate::show::stage::Stage;
use crate::show::within;

/// What the API tells those with a good token, and only them.
pub(super) const PRIVATE: &str = "Only authenticated users can read this message.";

/// A running app.
pub(super) struct App {
    pub(super) name: &'static str,
    pub(super) process_id: u32,
    pub(super) door: Door,
    /// The accounts, as the app was last told them.
    pub(super) accounts: Vec<Account>,
    /// Everything that it said, to be searched for secrets in the end.
    pub(super) said: String,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl App {
    /// Starts the app and waits until it has found the broker.
    pub(super) async fn start(
        name: &'static str,
        door: Door,
        stage: &mut Stage,
        programs: &Programs,
        services: &Services,
    ) -> anyhow::Result<Self> {
        let mut command = services.app(programs, name, door);
        let process = stage.start(name, command.arg("--terminal").stdin(Stdio::piped()))?;
        let process_id = process.id()?;
        let (input, output) = process.take_pipes()?;
        let (accounts, said, output) = (Vec::new(), String::new(), output.lines());
        let mut app = Self { name, process_id, door, accounts, said, input, output };
        match app.event().await? {
            Event::Ready { .. } => Ok(app),
            other => Err(app.unexpected(other)),
        }
    }

    /// Asks for the private message, which must come.
    pub(super) async fn gets_message(&mut self) -> anyhow::Result<()> {
        match self.ask("message").await?.1 {
            Event::Message { status: 200, text } if text == PRIVATE => Ok(()),
            other => Err(self.unexpected(other)),
        }
    }

    /// Asks for the private message, and gives the broker's reason for there being none.
    pub(super) async fn refused_message(&mut self) -> anyhow::Result<Problem> {
        match self.ask("message").await?.1 {
            Event::Error(problem) => Ok(problem),
            other => Err(self.unexpected(other)),
        }
    }

    /// Asks what the access token says.
    pub(super) async fn claims(&mut self) -> anyhow::Result<Claims> {
        match self.ask("claims").await?.1 {
            Event::Claims(claims) => Ok(claims),
            other => Err(self.unexpected(other)),
        }
    }

    /// Signs in, and gives the account's id and how it went.
    pub(super) async fn sign_in(&mut self) -> anyhow::Result<(String, Vec<Progress>)> {
        match self.ask("sign-in").await? {
            (progress, Event::SignedIn { account }) => Ok((account, progress)),
            (_, other) => Err(self.unexpected(other)),
        }
    }

    /// Signs out, and gives the account's id and how it went.
    pub(super) async fn sign_out(&mut self) -> anyhow::Result<(String, Vec<Progress>)> {
        match self.ask("sign-out").await? {
            (progress, Event::SignedOut { account }) => Ok((account, progress)),
            (_, other) => Err(self.unexpected(other)),
        }
    }

    /// Waits until the accounts, as the app sees them, are as wanted.
    pub(super) async fn sees(&mut self, wanted: impl Fn(&[Account]) -> bool) -> anyhow::Result<()> {
        while !wanted(&self.accounts) {
            match self.event().await? {
                Event::Accounts { .. } => {}
                other => return Err(self.unexpected(other)),
            }
        }
        Ok(())
    }

    /// Has the app end itself.
    pub(super) async fn quit(&mut self) -> anyhow::Result<()> {
        self.input.write_all(b"quit\n").await?;
        while self.line().await?.is_some() {}
        Ok(())
    }

    /// Gives a command, and waits for its answer; what comes on the way is the first of the two.
    async fn ask(&mut self, command: &str) -> anyhow::Result<(Vec<Progress>, Event)> {
        self.input.write_all(format!("{command}\n").as_bytes()).await?;
        let mut progress = Vec::new();
        loop {
            match self.event().await? {
                Event::SignIn(step) | Event::SignOut(step) => progress.push(step),
                Event::Accounts { .. } => {}
                event => return Ok((progress, event)),
            }
        }
    }

    async fn event(&mut self) -> anyhow::Result<Event> {
        let line = self.line().await?.with_context(|| format!("{} ended", self.name))?;
        self.said.push_str(&line);
        self.said.push('\n');
        let event = serde_json::from_str(&line);
        let event = event.with_context(|| format!("{} says something unknown", self.name))?;
        if let Event::Ready { accounts } | Event::Accounts { accounts } = &event {
            self.accounts.clone_from(accounts);
        }
        Ok(event)
    }

    async fn line(&mut self) -> anyhow::Result<Option<String>> {
        let what = format!("an answer of {}", self.name);
        Ok(within(what, self.output.next_line()).await??)
    }

    fn unexpected(&self, event: Event) -> anyhow::Error {
        match event {
            Event::Error(Problem { code, message, hint }) => {
                anyhow!("{}: {code}: {message} (hint: {hint})", self.name)
            }
            other => anyhow!("{} says {other:?}, which was not its turn", self.name),
        }
    }
}
