//! A gnome-keyring of its own on the session's bus.

use super::process::Running;
use super::{Session, eventually};

/// What opens the keyring.
const PASSWORD: &str = "correct horse";

const SERVICE: &str = "org.freedesktop.secrets";

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

    pub(crate) async fn end(self) {
        self.0.end().await;
    }
}

impl Session {
    /// The path of the collection that secrets are kept in, if there is one.
    async fn default_collection(&self) -> Option<String> {
        let interface = "org.freedesktop.Secret.Service";
        let call =
            ["call", SERVICE, "/org/freedesktop/secrets", interface, "ReadAlias", "s", "default"];
        let path = self.busctl(&call).await.json()["data"][0].as_str().unwrap().to_owned();
        (path != "/").then_some(path)
    }
}
