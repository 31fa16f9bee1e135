//! Whether the person's session is locked, as the login manager and the screen saver say.
//!
//! 1. `LockedHint` of the login manager's session and `ActiveChanged` of the screen saver count:
//!    while one of them says so, the session is locked.
//! 2. The login manager's `Lock` is a wish, which some lockers fulfil without ever saying when it is
//!    over. What ends at a lock ends there; the session does not stay locked for it.
//!
//! Where a machine has neither, nothing is ever heard.

use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, SelectAll, iter};
use zbus::{Connection, OwnedObjectPath, proxy};

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The session is locked now, or no longer.
    Locked(bool),
    /// Somebody wants it locked.
    LockWanted,
}

/// Who says that the session is locked.
#[derive(Debug, Clone, Copy)]
enum Sign {
    LoginManager(bool),
    ScreenSaver(bool),
    LockWanted,
}

#[proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1"
)]
trait LoginManager {
    fn get_session(&self, id: &str) -> zbus::Result<OwnedObjectPath>;
}

#[proxy(interface = "org.freedesktop.login1.Session", default_service = "org.freedesktop.login1")]
trait LoginSession {
    #[zbus(property)]
    fn locked_hint(&self) -> zbus::Result<bool>;

    #[zbus(signal)]
    fn lock(&self) -> zbus::Result<()>;
}

#[proxy(
    interface = "org.freedesktop.ScreenSaver",
    default_service = "org.freedesktop.ScreenSaver",
    default_path = "/org/freedesktop/ScreenSaver"
)]
trait ScreenSaver {
    fn get_active(&self) -> zbus::Result<bool>;

    #[zbus(signal)]
    fn active_changed(&self, active: bool) -> zbus::Result<()>;
}

/// The session's lock, listened to.
pub struct SessionLock {
    signs: SelectAll<BoxStream<'static, Sign>>,
    by_login_manager: bool,
    by_screen_saver: bool,
}

impl std::fmt::Debug for SessionLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionLock").finish_non_exhaustive()
    }
}

impl SessionLock {
    /// Begins to listen to whoever is there.
    pub async fn listen() -> Self {
        let mut signs = SelectAll::new();
        match login_manager().await {
            Ok(stream) => signs.push(stream),
            Err(error) => tracing::debug!(%error, "no login manager tells when it is locked"),
        }
        match screen_saver().await {
            Ok(stream) => signs.push(stream),
            Err(error) => tracing::debug!(%error, "no screen saver tells when it is active"),
        }
        Self { signs, by_login_manager: false, by_screen_saver: false }
    }

    /// Waits for the next thing; `None` where nobody tells anything any more.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.signs.next().await? {
            Sign::LoginManager(locked) => self.by_login_manager = locked,
            Sign::ScreenSaver(active) => self.by_screen_saver = active,
            Sign::LockWanted => return Some(Heard::LockWanted),
        }
        Some(Heard::Locked(self.by_login_manager || self.by_screen_saver))
    }
}

/// The session that this process belongs to, or else the one that its user sits at.
async fn login_manager() -> zbus::Result<BoxStream<'static, Sign>> {
    let bus = Connection::system().await?;
    let path = LoginManagerProxy::new(&bus).await?.get_session("auto").await?;
    let session = LoginSessionProxy::builder(&bus).path(path).build().await?;
    let wanted = session.receive_lock().await?.map(|_| Sign::LockWanted);
    // The first item is the value as it is now.
    let hints = session.receive_locked_hint_changed().await;
    let hints = hints.filter_map(|hint| async move { hint.get().await.ok() });
    Ok(futures_util::stream::select(wanted, hints.map(Sign::LoginManager)).boxed())
}

async fn screen_saver() -> zbus::Result<BoxStream<'static, Sign>> {
    let bus = Connection::session().await?;
    let saver = ScreenSaverProxy::new(&bus).await?;
    let changes = saver.receive_active_changed().await?;
    // It may come later: then its first change is the first thing that is heard.
    let now = saver.get_active().await.unwrap_or(false);
    let changes =
        changes.filter_map(|change| async move { change.args().ok().map(|args| *args.active()) });
    Ok(iter([now]).chain(changes).map(Sign::ScreenSaver).boxed())
}
