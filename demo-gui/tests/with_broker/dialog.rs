//! The dialog against the real broker: an app asks, the window shows it, a person answers by what a
//! screen reader says and does, and the app hears the answer.

use std::process::Stdio;

use authbroker_client::{AcquireRequest, Error, ErrorCode, Pending, Step, TokenRequest};
use tokio::process::Command;
use tokio::time::timeout;

use crate::screen::{Display, Look, Window};
use crate::session::{App, Session};
use crate::stand::{PATIENCE, RealBroker};

/// A broker with Alice, and the dialog at it.
struct Desk {
    broker: RealBroker,
    window: Window,
    dialog: App,
    // Last, because the window is on it.
    _session: Session,
    _display: Display,
}

impl Desk {
    async fn new(theme: &str) -> Self {
        let broker = RealBroker::start("").await;
        broker.sign_in().await;
        let display = Display::start().await;
        let session = Session::start(&display).await;
        let reader = session.screen_reader().await;
        let (bus, size) = (session.address(), (480, 640));
        let look = Look { title: "authbroker asks", theme, left: 0, size, bus };
        let mut program = Command::new(env!("CARGO_BIN_EXE_demo-gui"));
        program.arg("--agent").arg("--runtime-dir").arg(broker.runtime_dir());
        let window = Window::of(program.stdout(Stdio::null()), &display, look).await;
        let dialog = reader.newcomer(&[]).await;
        dialog.until_it_says("Nothing is asked").await;
        Self { broker, window, dialog, _session: session, _display: display }
    }

    /// An app asks for all that was granted.
    async fn asks(&self) -> Pending {
        self.broker.app().await.acquire(AcquireRequest::new()).await.unwrap()
    }
}

/// How a request ends.
async fn end(mut pending: Pending) -> Result<String, Error> {
    let end = async {
        loop {
            if let Step::Done(account) = pending.next().await? {
                return Ok(account);
            }
        }
    };
    timeout(PATIENCE, end).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Xvfb, software GL, AT-SPI and brokerd beside it: ./test.sh runs it"]
async fn an_app_asks_and_a_person_answers_in_the_dialog() {
    let desk = Desk::new("light").await;
    let app = desk.broker.app().await;
    let silent = app.token(TokenRequest::new()).await.unwrap_err();
    assert_eq!(silent.code(), Some(ErrorCode::ConsentRequired));

    let pending = desk.asks().await;
    desk.dialog.until_it_says("May this app use your account?").await;
    desk.dialog.until_it_takes("Allow always").await;
    desk.window.keep("agent-light", &desk.window.settled().await);
    desk.dialog.press("Allow once").await;
    end(pending).await.unwrap();
    let token = app.token(TokenRequest::new()).await.unwrap();
    assert!(token.expose().starts_with("ey"));
    desk.dialog.until_it_says("Nothing is asked").await;

    let pending = desk.asks().await;
    desk.dialog.until_it_says("May this app use your account?").await;
    desk.dialog.press("Deny").await;
    let refused = end(pending).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::UserDenied));
    let silent = app.token(TokenRequest::new()).await.unwrap_err();
    assert_eq!(silent.code(), Some(ErrorCode::PolicyDenied), "a no is remembered");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Xvfb, software GL, AT-SPI and brokerd beside it: ./test.sh runs it"]
async fn a_question_that_is_withdrawn_leaves_the_dialog() {
    let desk = Desk::new("dark").await;
    let pending = desk.asks().await;
    desk.dialog.until_it_says("May this app use your account?").await;
    desk.dialog.until_it_takes("Allow always").await;
    desk.window.keep("agent-dark", &desk.window.settled().await);
    drop(pending);
    desk.dialog.until_it_says("Nothing is asked").await;
}
