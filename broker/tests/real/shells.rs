//! Completion as a person sees it: typed into a real shell, on a real terminal.

use std::path::Path;

use tokio::process::Command;

use crate::world::{Session, eventually, issuer, run};

/// A shell on a terminal that can be typed on and looked at.
struct Terminal<'a> {
    session: &'a Session,
    socket: String,
}

impl<'a> Terminal<'a> {
    async fn open(session: &'a Session, shell: &str) -> Self {
        let socket = session.path("tmux").display().to_string();
        let terminal = Self { session, socket };
        terminal.tmux(&["new-session", "-d", "-x", "100", "-y", "30", shell]).await;
        terminal
    }

    fn command(&self) -> Command {
        let mut command = self.session.command("tmux");
        let programs = Path::new(env!("CARGO_BIN_EXE_brokerctl")).parent().unwrap();
        command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display()));
        command.env("TERM", "xterm").args(["-f", "/dev/null", "-S", &self.socket]);
        command
    }

    async fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = self.command();
        command.args(arguments);
        run(command).await.good()
    }

    async fn type_in(&self, text: &str, key: &str) {
        self.tmux(&["send-keys", "-l", text]).await;
        self.tmux(&["send-keys", key]).await;
    }

    /// Takes back what was typed. An interrupt would do so too, and now and then what is typed
    /// right after it: the terminal forgets its input then.
    async fn clear_line(&self) {
        self.tmux(&["send-keys", "C-u"]).await;
    }

    /// Waits until the screen shows `text`.
    async fn shows(&self, text: &str) {
        let look = async || self.tmux(&["capture-pane", "-p"]).await.contains(text).then_some(());
        eventually(&format!("{text:?} on the screen"), look).await;
    }

    async fn close(self) {
        self.tmux(&["kill-server"]).await;
    }
}

/// Completes a command, an account by its username, and one by its id.
async fn completes(shell: &str, script: &str) {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    let id = session.sign_in().await;
    let terminal = Terminal::open(&session, shell).await;
    // What is typed has the words in two parts, so that only the answer shows them whole.
    terminal.type_in(&format!("{script}; echo re''ady"), "Enter").await;
    terminal.shows("ready").await;

    terminal.type_in("brokerctl hea", "Tab").await;
    terminal.shows("brokerctl headers").await;
    terminal.clear_line().await;
    terminal.type_in("brokerctl token al", "Tab").await;
    terminal.shows("brokerctl token alice").await;
    terminal.clear_line().await;
    terminal.type_in("brokerctl exec dev-", "Tab").await;
    terminal.shows(&format!("brokerctl exec {id}")).await;
    terminal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs bash and tmux: ./test.sh runs it"]
async fn bash_completes_commands_and_accounts() {
    completes("bash --norc", "source <(brokerctl completions bash)").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs zsh and tmux: ./test.sh runs it"]
async fn zsh_completes_commands_and_accounts() {
    let script = "autoload -U compinit; compinit -D; source <(brokerctl completions zsh)";
    completes("zsh -f", script).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs fish and tmux: ./test.sh runs it"]
async fn fish_completes_commands_and_accounts() {
    completes("fish --no-config", "brokerctl completions fish | source").await;
}
