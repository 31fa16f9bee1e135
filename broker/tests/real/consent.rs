//! Questions beside a login manager and a screen saver: both stand-ins here, on a real bus.

use authbroker_client::{AcquireRequest, Client, Door};
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedObjectPath, interface};

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
