//! What happens elsewhere, shown here: two real windows at the real broker.

use tokio::process::Command;

use crate::screen::{Display, Look, Window};
use crate::session::Session;
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
    broker.ctl(&["logout", "--local"]).await;
    notes.until_it_says("Welcome").await;
    mail.until_it_says("Welcome").await;

    broker.sign_in().await;
    notes.until_it_says("Alice Adams").await;
    mail.press("Log out").await;
    notes.until_it_says("Welcome").await;
}
