//! Questions beside a login manager, a screen saver and a desktop that shows notifications:
//! stand-ins here, on a real bus.

use std::collections::HashMap;

use authbroker_client::{AcquireRequest, Client, Door, ErrorCode};
use tokio::sync::mpsc;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, interface};

use crate::world::{Running, Session, eventually};

const SESSION: &str = "/org/freedesktop/login1/session/_31";
const SAVER: &str = "/org/freedesktop/ScreenSaver";

struct Manager;

#[interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    #[expect(clippy::unused_self, reason = "the bus calls it so")]
    fn get_session(&self, id: &str) -> OwnedObjectPath {
        assert_eq!(id, "auto", "its own, or else the one that its user sits at");
        SESSION.try_into().unwrap()
    }
}

struct LoginSession {
    locked: bool,
}

#[interface(name = "org.freedesktop.login1.Session")]
impl LoginSession {
    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        self.locked
    }
}

struct Saver;

#[interface(name = "org.freedesktop.ScreenSaver")]
impl Saver {
    #[expect(clippy::unused_self, reason = "the bus calls it so")]
    fn get_active(&self) -> bool {
        false
    }

    #[zbus(signal)]
    async fn active_changed(emitter: &SignalEmitter<'_>, active: bool) -> zbus::Result<()>;
}

/// A desk with a login manager and a screen saver, and a broker that asks before it gives.
struct Desk {
    session: Session,
    bus: Connection,
    _broker: Running,
}

impl Desk {
    async fn start() -> Self {
        let session = Session::start().await;
        let address = session.bus_address();
        let bus = zbus::connection::Builder::address(address.as_str()).build().await.unwrap();
        let objects = bus.object_server();
        objects.at("/org/freedesktop/login1", Manager).await.unwrap();
        objects.at(SESSION, LoginSession { locked: false }).await.unwrap();
        objects.at(SAVER, Saver).await.unwrap();
        bus.request_name("org.freedesktop.login1").await.unwrap();
        bus.request_name("org.freedesktop.ScreenSaver").await.unwrap();
        session.configure("http://127.0.0.1:9", "memory");
        session.add_to_configuration("unverified = \"allow\"", "unverified = \"ask\"");
        let mut command = session.command(env!("CARGO_BIN_EXE_brokerd"));
        command.args(["--ready-fd", "1", "--log", "debug"]);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", session.bus_address());
        let mut broker = session.start_program("brokerd", command).await;
        assert_eq!(broker.line().await, "", "the ready byte");
        Self { session, bus, _broker: broker }
    }

    /// Waits until an app is told this.
    async fn tells(&self, words: &str) {
        let socket = self.session.runtime_dir().join("broker.sock");
        let told = async || {
            let app = Client::connect_to(Door::Socket(socket.clone())).await.unwrap();
            let mut pending = app.acquire(AcquireRequest::new()).await.unwrap();
            let error = pending.next().await.unwrap_err().to_string();
            error.contains(words).then_some(())
        };
        eventually(words, told).await;
    }

    async fn lock_hint(&self, locked: bool) {
        let objects = self.bus.object_server();
        let session = objects.interface::<_, LoginSession>(SESSION).await.unwrap();
        session.get_mut().await.locked = locked;
        session.get().await.locked_hint_changed(session.signal_emitter()).await.unwrap();
    }

    async fn saver(&self, active: bool) {
        let saver = self.bus.object_server().interface::<_, Saver>(SAVER).await.unwrap();
        Saver::active_changed(saver.signal_emitter(), active).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs dbus-daemon: ./test.sh runs it"]
async fn nobody_is_asked_while_the_session_is_locked() {
    let desk = Desk::start().await;
    desk.tells("nobody can be asked").await;
    desk.lock_hint(true).await;
    desk.tells("the session is locked").await;
    desk.saver(true).await;
    desk.lock_hint(false).await;
    desk.saver(false).await;
    desk.tells("nobody can be asked").await;
    desk.saver(true).await;
    desk.tells("the session is locked").await;
}

/// A desktop's server that shows nothing, and tells what it would.
struct Server {
    shown: mpsc::UnboundedSender<(String, Vec<String>)>,
    closed: mpsc::UnboundedSender<u32>,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Server {
    #[expect(clippy::unused_self, reason = "the bus calls it so")]
    fn get_capabilities(&self) -> Vec<String> {
        vec!["actions".to_owned(), "body-markup".to_owned()]
    }

    #[expect(
        clippy::too_many_arguments,
        clippy::needless_pass_by_value,
        reason = "the specification has them, and the bus hands them over"
    )]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: Vec<String>,
        hints: HashMap<String, OwnedVariant>,
        expire_timeout: i32,
    ) -> u32 {
        assert_eq!((app_name, replaces_id, app_icon, expire_timeout), ("authbroker", 0, "", 0));
        assert!(summary.ends_with('?') && hints.contains_key("urgency"));
        self.shown.send((body.to_owned(), actions)).unwrap();
        7
    }

    fn close_notification(&self, id: u32) {
        self.closed.send(id).unwrap();
    }

    #[zbus(signal)]
    async fn action_invoked(
        emitter: &SignalEmitter<'_>,
        id: u32,
        action_key: &str,
    ) -> zbus::Result<()>;
}

const NOTIFICATIONS: &str = "/org/freedesktop/Notifications";

#[tokio::test]
#[ignore = "needs dbus-daemon: ./test.sh runs it"]
async fn where_no_agent_runs_a_notification_asks_and_its_button_answers() {
    let desk = Desk::start().await;
    let ((shown, mut seen), (closed, mut gone)) =
        (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    desk.bus.object_server().at(NOTIFICATIONS, Server { shown, closed }).await.unwrap();
    desk.tells("nobody can be asked").await;
    desk.bus.request_name("org.freedesktop.Notifications").await.unwrap();
    let socket = desk.session.runtime_dir().join("broker.sock");
    let app = Client::connect_to(Door::Socket(socket)).await.unwrap();
    let asked = async || {
        let mut pending = app.acquire(AcquireRequest::new()).await.unwrap();
        pending.next().await.is_ok().then_some(pending)
    };
    let mut pending = eventually("a person is asked", asked).await;
    let (body, actions) = seen.recv().await.unwrap();
    assert!(body.contains("exe:/") && body.contains("Not verified"), "{body}");
    assert_eq!(actions[..2], ["no", "Deny"]);
    let server = desk.bus.object_server().interface::<_, Server>(NOTIFICATIONS).await.unwrap();
    Server::action_invoked(server.signal_emitter(), 7, "no").await.unwrap();
    let error = pending.next().await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UserDenied), "{error}");
    assert_eq!(gone.recv().await, Some(7), "it goes when it is answered");
}
