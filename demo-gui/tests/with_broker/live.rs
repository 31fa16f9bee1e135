//! What happens elsewhere, shown here: two real windows at the real broker.

use std::time::SystemTime;

use serde_json::Value;
use tokio::process::Command;

use crate::screen::{Display, Look, Window};
use crate::session::{Session, Times};
use crate::stand::{Api, RealBroker};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Xvfb, software GL, AT-SPI and brokerd beside it: ./test.sh runs it"]
async fn a_window_shows_what_another_one_or_brokerctl_does() {
    let broker = RealBroker::start("[policy]\nunverified = \"allow\"\n").await;
    let api = Api::start().await;
    let display = Display::start().await;
    let session = Session::start(&display).await;
    let reader = session.screen_reader().await;
    let open = async |title, left| {
        let look = Look { title, theme: "light", left, size: (480, 640), bus: session.address() };
        let mut program = Command::new(env!("CARGO_BIN_EXE_demo-gui"));
        program.arg("--socket").arg(broker.socket()).args(["--api", api.url(), "--title", title]);
        Window::of(&mut program, &display, look).await
    };
    let _left = open("Notes", 0).await;
    let notes = reader.newcomer(&[]).await;
    let _right = open("Mail", 500).await;
    let mail = reader.newcomer(&[&notes]).await;

    broker.sign_in().await;
    notes.until_it_says("Alice Adams").await;
    mail.until_it_says("Alice Adams").await;
    let changes = [notes.changes().await, mail.changes().await];
    broker.ctl(&["logout", "--local"]).await;
    notes.until_it_says("Welcome").await;
    mail.until_it_says("Welcome").await;
    tell(signed_out_at(&broker).await, &changes);

    broker.sign_in().await;
    notes.until_it_says("Alice Adams").await;
    mail.press("Log out").await;
    notes.until_it_says("Welcome").await;
}

/// When the record says that somebody was signed out.
async fn signed_out_at(broker: &RealBroker) -> SystemTime {
    let record = broker.ctl(&["audit", "--json"]).await;
    let mut lines = record.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let line = lines.find(|line| line["event"] == "sign-out").unwrap();
    line["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().into()
}

/// How soon each window told a screen reader that it shows something else: for whoever measures.
#[expect(clippy::print_stderr, reason = "cargo test … -- --nocapture shows it")]
fn tell(since: SystemTime, changes: &[Times]) {
    for times in changes {
        let times = times.lock().unwrap();
        let first = times.iter().find_map(|time| time.duration_since(since).ok());
        if let Some(first) = first {
            eprintln!("a window shows it after {first:?}");
        }
    }
}
