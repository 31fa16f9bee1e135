//! `brokerctl monitor`: what happens to accounts, as it happens.

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
}

#[tokio::test]
async fn accounts_come_change_and_go_one_object_a_line() {
    let stand = Stand::new().await;
    let mut monitor = Monitor::start(&stand, &["--json"]);
    let id = stand.sign_in("alice").await;
    let come = monitor.json().await;
    assert_eq!(
        (come["event"].as_str(), come["account"]["id"].as_str()),
        (Some("account"), Some(&*id))
    );
    assert_eq!(come["account"]["state"], "ready");
    assert_eq!(stand.ctl(["logout", "--local"]).await.code, 0);
    loop {
        let event = monitor.json().await;
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
    let locked = monitor.line().await;
    assert!(locked.contains("  alice  vault-locked: "), "{locked}");
}
