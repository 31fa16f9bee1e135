//! `brokerctl monitor`: what happens to accounts and what is given to whom, as it happens.

use authbroker_client::TokenRequest;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::stand::{LIMIT, Stand};

/// A `brokerctl monitor` that runs.
struct Monitor {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Monitor {
    fn start(stand: &Stand, arguments: &[&str]) -> Self {
        let mut child = stand.ctl_command().arg("monitor").args(arguments).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { lines, _child: child }
    }

    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(LIMIT, self.lines.next_line()).await;
        line.expect("the line comes in time").unwrap().expect("there is one")
    }

    async fn json(&mut self) -> Value {
        serde_json::from_str(&self.line().await).unwrap()
    }

    /// The next change of accounts: the record's lines come in between.
    async fn change(&mut self) -> Value {
        loop {
            let told = self.json().await;
            if told["event"] != "audit" {
                return told;
            }
        }
    }

    /// The next line of the record about such an event.
    async fn entry(&mut self, event: &str) -> Value {
        loop {
            let mut told = self.json().await;
            if told["entry"]["event"] == event {
                return told["entry"].take();
            }
        }
    }

    /// The next line for people with these words.
    async fn line_with(&mut self, words: &str) -> String {
        loop {
            let line = self.line().await;
            if line.contains(words) {
                return line;
            }
        }
    }
}

#[tokio::test]
async fn accounts_come_change_and_go_one_object_a_line() {
    let stand = Stand::new().await;
    let mut monitor = Monitor::start(&stand, &["--json"]);
    let id = stand.sign_in("alice").await;
    let come = monitor.change().await;
    assert_eq!(
        (come["event"].as_str(), come["account"]["id"].as_str()),
        (Some("account"), Some(&*id))
    );
    assert_eq!(come["account"]["state"], "ready");
    assert_eq!(stand.ctl(["logout", "--local"]).await.code, 0);
    loop {
        let event = monitor.change().await;
        if event["event"] == "removed" {
            assert_eq!(event["id"], *id);
            return;
        }
    }
}

#[tokio::test]
async fn a_person_reads_a_line_for_each() {
    let stand = Stand::signed_in().await;
    let mut monitor = Monitor::start(&stand, &[]);
    let line = monitor.line().await;
    assert!(line.ends_with("  alice  ready"), "{line}");
    assert_eq!(stand.ctl(["lock"]).await.code, 0);
    monitor.line_with("  alice  vault-locked: ").await;
    stand.ctl(["token"]).await;
    let refused = monitor.line_with("  refusal  ").await;
    assert!(refused.contains("  VaultLocked  "), "{refused}");
}

#[tokio::test]
async fn what_is_given_and_refused_is_told_as_it_is_written() {
    let stand = Stand::signed_in().await;
    let mut monitor = Monitor::start(&stand, &["--json"]);
    assert_eq!(monitor.json().await["event"], "account");
    let token = stand.app().await.token(TokenRequest::new()).await.unwrap();
    let given = monitor.entry("token").await;
    assert_eq!((&given["decision"], &given["caller"]["door"]), (&"allow".into(), &"socket".into()));
    assert!(!given.to_string().contains(token.expose()), "never the token: {given}");
    stand.app().await.token(TokenRequest::new().account("nobody")).await.unwrap_err();
    assert_eq!(monitor.entry("refusal").await["error"], "NoSuchAccount");
}

#[tokio::test]
async fn an_app_that_watches_hears_of_accounts_alone() {
    let stand = Stand::signed_in().await;
    let socket = stand.socket();
    let mut monitor = Monitor::start(&stand, &["--json", "--socket", socket.to_str().unwrap()]);
    assert_eq!(monitor.json().await["event"], "account");
    stand.app().await.token(TokenRequest::new()).await.unwrap();
    stand.ctl(["logout", "--local"]).await;
    loop {
        match monitor.json().await["event"].as_str() {
            Some("account") => {}
            end => return assert_eq!(end, Some("removed")),
        }
    }
}
