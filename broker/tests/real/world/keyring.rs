//! A gnome-keyring of its own on the session's bus, and one that is deaf.

use zbus::{Connection, ObjectPath, OwnedObjectPath, OwnedVariant, Variant, proxy};

use super::process::Running;
use super::{Session, eventually};

/// What opens the keyring.
const PASSWORD: &str = "correct horse";

const SERVICE: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";

/// A running keyring daemon.
pub(crate) struct Keyring(Running);

impl Keyring {
    /// Starts it as a session does that knows the person's password: unlocked, and made if it was
    /// not there yet.
    pub(crate) async fn unlocked(session: &Session) -> Self {
        let keyring = Self::start(session, Some(PASSWORD)).await;
        let open = async || {
            let collection = session.default_collection().await?;
            let arguments = [
                "get-property",
                SERVICE,
                &collection,
                "org.freedesktop.Secret.Collection",
                "Locked",
            ];
            (session.busctl(&arguments).await.json()["data"] == false).then_some(())
        };
        eventually("an open keyring", open).await;
        keyring
    }

    /// Starts it as a session does in which nobody gave the password.
    pub(crate) async fn locked(session: &Session) -> Self {
        Self::start(session, None).await
    }

    async fn start(session: &Session, password: Option<&str>) -> Self {
        let mut command = session.command("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]);
        command.arg("--control-directory").arg(session.path("run/keyring"));
        if password.is_some() {
            command.arg("--unlock");
        }
        let log = session.path("gnome-keyring.log");
        let keyring = Running::start(command, &log, Some(password.unwrap_or_default())).await;
        session.name_owned(SERVICE).await;
        Self(keyring)
    }

    /// What happens when the person gives the password to the keyring that runs.
    pub(crate) async fn unlock(&self, session: &Session) {
        let collection = session.default_collection().await.unwrap();
        let bus = session.connect().await;
        let service = SecretServiceProxy::new(&bus).await.unwrap();
        let plain = service.open_session("plain", Variant::from("")).await;
        let (_, own_session) = plain.unwrap();
        let master = (own_session.as_ref(), &b""[..], PASSWORD.as_bytes(), "text/plain");
        let collection = ObjectPath::try_from(collection).unwrap();
        service.unlock_with_master_password(&collection, &master).await.unwrap();
    }

    /// Stops it in the middle of whatever it does.
    pub(crate) fn freeze(&self) {
        self.0.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.0.signal(rustix::process::Signal::CONT);
    }

    pub(crate) async fn end(self) {
        self.0.end().await;
    }
}

/// What a desktop's own programs say to the keyring when they know the password.
#[proxy(
    interface = "org.freedesktop.Secret.Service",
    default_service = "org.freedesktop.secrets",
    default_path = "/org/freedesktop/secrets"
)]
trait SecretService {
    fn open_session(
        &self,
        algorithm: &str,
        input: Variant<'_>,
    ) -> zbus::Result<(OwnedVariant, OwnedObjectPath)>;
}

impl SecretServiceProxy<'_> {
    async fn unlock_with_master_password(
        &self,
        collection: &ObjectPath<'_>,
        master: &(ObjectPath<'_>, &[u8], &[u8], &str),
    ) -> zbus::Result<()> {
        let interface = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface";
        let internal =
            zbus::Proxy::new(self.inner().connection(), SERVICE, ROOT, interface).await?;
        internal.call("UnlockWithMasterPassword", &(collection, master)).await
    }
}

/// A keyring that says it is open, and never answers when it is asked for a secret: as one does
/// whose own prompt nobody answers.
pub(crate) struct DeafKeyring(Connection);

impl DeafKeyring {
    pub(crate) async fn start(session: &Session) -> Self {
        let bus = session.connect().await;
        let objects = bus.object_server();
        objects.at(ROOT, DeafService).await.unwrap();
        objects.at(format!("{ROOT}/collection/deaf"), OpenCollection).await.unwrap();
        bus.request_name(SERVICE).await.unwrap();
        Self(bus)
    }

    /// Leaves the bus: whoever waits for an answer learns that there will be none.
    pub(crate) async fn end(self) {
        self.0.close().await.unwrap();
    }
}

struct DeafService;

#[zbus::interface(name = "org.freedesktop.Secret.Service")]
#[expect(clippy::unused_self, reason = "these are an object's methods")]
impl DeafService {
    fn read_alias(&self, name: &str) -> OwnedObjectPath {
        assert_eq!(name, "default");
        ObjectPath::try_from(format!("{ROOT}/collection/deaf")).unwrap().into()
    }

    async fn open_session(
        &self,
        algorithm: &str,
        input: Variant<'_>,
    ) -> (OwnedVariant, OwnedObjectPath) {
        let _unanswered = (algorithm, input);
        std::future::pending().await
    }
}

struct OpenCollection;

#[zbus::interface(name = "org.freedesktop.Secret.Collection")]
#[expect(clippy::unused_self, reason = "it is an object's property")]
impl OpenCollection {
    #[zbus(property)]
    fn locked(&self) -> bool {
        false
    }
}

impl Session {
    /// A connection to the session's bus.
    async fn connect(&self) -> Connection {
        let address = self.bus_address();
        zbus::connection::Builder::address(address.as_str()).build().await.unwrap()
    }

    /// The path of the collection that secrets are kept in, if there is one.
    async fn default_collection(&self) -> Option<String> {
        let interface = "org.freedesktop.Secret.Service";
        let call = ["call", SERVICE, ROOT, interface, "ReadAlias", "s", "default"];
        let path = self.busctl(&call).await.json()["data"][0].as_str().unwrap().to_owned();
        (path != "/").then_some(path)
    }
}
