//! The `dev-issuer` program itself.

use std::process::Stdio;

use dev_issuer::user_agent::UserAgent;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::stand::soon;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dev-issuer"));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

/// Starts the program and reads its first line.
async fn started(arguments: &[&str]) -> (Child, String) {
    let mut child = program().args(arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = soon(lines.next_line()).await.unwrap().unwrap();
    (child, line)
}

#[tokio::test]
async fn the_first_line_is_the_issuers_url() {
    let (_child, url) = started(&["--access-ttl", "5s", "--client-id", "other"]).await;
    let visit = UserAgent::new().unwrap();
    let visit = visit.visit(&format!("{url}/.well-known/openid-configuration")).await.unwrap();
    assert!(visit.text.contains(&format!("\"issuer\":\"{url}\"")));
}

#[tokio::test]
async fn a_fault_can_be_named_on_the_command_line() {
    let (_child, url) = started(&["--fault", "jwks_500"]).await;
    let visit = UserAgent::new().unwrap().visit(&format!("{url}/jwks")).await.unwrap();
    assert_eq!(visit.status, 500);
}

#[cfg(unix)]
#[tokio::test]
async fn either_signal_ends_it_cleanly() {
    use rustix::process::{Pid, Signal, kill_process};

    for signal in [Signal::TERM, Signal::INT] {
        let (mut child, _) = started(&[]).await;
        let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        assert!(soon(child.wait()).await.unwrap().success(), "{signal:?}");
    }
}

#[tokio::test]
async fn another_address_than_loopback_is_refused() {
    let status = soon(program().args(["--listen", "0.0.0.0:0"]).status()).await.unwrap();
    assert_eq!(status.code(), Some(1));
    let status = soon(program().args(["--access-ttl", "soon"]).status()).await.unwrap();
    assert_eq!(status.code(), Some(2));
}
