//! Lines in, events out: one command at a time, in order.

use std::collections::VecDeque;
use std::io;

use authbroker_client::http::Interaction;
use authbroker_client::{Account, ErrorCode};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc::UnboundedSender;

use super::line::{self, Line, Order, Verb};
use super::output::{Said, What, brief};
use crate::messages::{Attempt, Command, Event, Job, Reply, TokenAge};
use crate::problem::{Cause, Problem};

/// What is under way.
#[derive(Debug)]
enum Doing {
    /// The broker is looked for. Commands wait until it is known whether one is there.
    Finding,
    /// Nothing.
    Nothing,
    /// A command, which is answered before the next one begins.
    Command { verb: Verb, id: Option<String> },
    /// The program ends.
    Quitting,
}

/// Who is at the other end of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    Ended,
}

/// Whether the broker was ever heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Due,
    Said,
}

pub(super) struct Session<W> {
    /// What `account=` stands for where it is left out.
    account: Option<String>,
    signed_in: Option<String>,
    /// The sign-in that the API asked for last. The next one is like that.
    asked: Option<Box<Interaction>>,
    doing: Doing,
    input: Input,
    greeting: Greeting,
    waiting: VecDeque<Line>,
    attempt: Attempt,
    commands: UnboundedSender<Command>,
    output: W,
}

impl<W: AsyncWrite + Unpin> Session<W> {
    pub(super) fn new(
        account: Option<String>,
        commands: UnboundedSender<Command>,
        output: W,
    ) -> Self {
        Self {
            account,
            signed_in: None,
            asked: None,
            doing: Doing::Finding,
            input: Input::Open,
            greeting: Greeting::Due,
            waiting: VecDeque::new(),
            attempt: Attempt::default(),
            commands,
            output,
        }
    }

    pub(super) const fn goes_on(&self) -> bool {
        !matches!(self.doing, Doing::Quitting)
    }

    pub(super) fn listens(&self) -> bool {
        self.input == Input::Open
    }

    /// Takes a line, or the end of the input.
    pub(super) async fn read(&mut self, text: Option<String>) -> io::Result<()> {
        let line = text.as_deref().map_or_else(Line::end, Line::parse);
        if text.is_none() {
            self.input = Input::Ended;
        }
        if line.order == Ok(Order::Cancel) {
            return self.cancel(line.id).await;
        }
        self.waiting.push_back(line);
        self.go_on().await
    }

    /// Takes what the worker tells.
    pub(super) async fn heard(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Accounts(accounts) => self.accounts(&accounts).await?,
            Event::BrokerDown(problem) => self.say(What::from(&problem), None).await?,
            Event::Reply(attempt, reply) if attempt == self.attempt => {
                return self.replied(&reply).await;
            }
            Event::Reply(..) | Event::Picture(..) | Event::Sent(_) | Event::Facts(_) => {}
        }
        if matches!(self.doing, Doing::Finding) {
            self.doing = Doing::Nothing;
        }
        self.go_on().await
    }

    async fn accounts(&mut self, accounts: &[Account]) -> io::Result<()> {
        let accounts = brief(accounts);
        let what = match self.greeting {
            Greeting::Due => What::Ready { accounts },
            Greeting::Said => What::Accounts { accounts },
        };
        self.greeting = Greeting::Said;
        self.say(what, None).await
    }

    /// Starts the next command, where nothing is under way.
    async fn go_on(&mut self) -> io::Result<()> {
        while matches!(self.doing, Doing::Nothing) {
            let Some(line) = self.waiting.pop_front() else { break };
            match line.order {
                Ok(Order::Job { verb, account, token }) => {
                    self.start(verb, account, token);
                    self.doing = Doing::Command { verb, id: line.id };
                }
                Ok(Order::Quit) => self.doing = Doing::Quitting,
                Ok(Order::Cancel) => {}
                Err(problem) => self.say(What::from(&problem), line.id.as_deref()).await?,
            }
        }
        Ok(())
    }

    fn start(&mut self, verb: Verb, account: Option<String>, token: TokenAge) {
        let job = self.as_asked(verb, account.as_ref()).unwrap_or_else(|| {
            let usual = || self.account.clone().or_else(|| self.signed_in.clone());
            verb.job(account.or_else(usual).unwrap_or_default(), token)
        });
        self.attempt = self.attempt.next();
        self.send(Command::Start(self.attempt, job));
    }

    /// The sign-in that the API asked for, where this is one and names nobody else.
    fn as_asked(&mut self, verb: Verb, account: Option<&String>) -> Option<Job> {
        let asked = self.asked.take_if(|_| verb == Verb::SignIn && account.is_none());
        asked.map(Job::StepUp)
    }

    async fn cancel(&mut self, own_id: Option<String>) -> io::Result<()> {
        if !matches!(self.doing, Doing::Command { .. }) {
            let problem = line::usage("Nothing is under way");
            return self.say(What::from(&problem), own_id.as_deref()).await;
        }
        self.attempt = self.attempt.next();
        self.send(Command::Cancel);
        let problem = Problem {
            cause: Cause::Broker(ErrorCode::Cancelled),
            message: "The command was given up".to_owned(),
            hint: String::new(),
        };
        self.answer(What::from(&problem)).await
    }

    async fn replied(&mut self, reply: &Reply) -> io::Result<()> {
        let answer = match reply {
            Reply::Progress(progress) => return self.progress(progress).await,
            Reply::SignedIn(account) => {
                self.signed_in = Some(account.clone());
                What::SignedIn { account }
            }
            Reply::SignedOut(account) => {
                self.signed_in = None;
                What::SignedOut { account }
            }
            Reply::Message(answer) => What::from(answer),
            Reply::Claims(claims) => What::from(claims),
            Reply::StepUp(interaction) => {
                self.asked = Some(interaction.clone());
                let problem = Problem::of_interaction(interaction, "sign-in");
                return self.answer(What::from(&problem)).await;
            }
            Reply::Failed(problem) => What::from(problem),
        };
        self.answer(answer).await
    }

    async fn progress(&mut self, progress: &authbroker_client::Progress) -> io::Result<()> {
        match self.doing {
            Doing::Command { verb: Verb::SignIn, .. } => {
                self.say(What::SignIn(progress.into()), None).await
            }
            Doing::Command { verb: Verb::SignOut, .. } => {
                self.say(What::SignOut(progress.into()), None).await
            }
            _ => Ok(()),
        }
    }

    /// Answers the command that is under way, and goes on to the next.
    async fn answer(&mut self, what: What<'_>) -> io::Result<()> {
        if let Doing::Command { id, .. } = std::mem::replace(&mut self.doing, Doing::Nothing) {
            self.say(what, id.as_deref()).await?;
        }
        self.go_on().await
    }

    async fn say(&mut self, what: What<'_>, id: Option<&str>) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Said { what, id })?;
        line.push(b'\n');
        self.output.write_all(&line).await?;
        self.output.flush().await
    }

    fn send(&self, command: Command) {
        // Fails only when the worker has ended, and it ends with this session.
        let _ = self.commands.send(command);
    }
}
