//! A session bus of its own, and the two programs of other people that speak on it.

use std::fs;

use serde_json::Value;

use super::process::{Done, Running, run};
use super::{Session, eventually};

pub(crate) const NAME: &str = "org.authbroker.Broker1";
pub(crate) const ROOT: &str = "/org/authbroker/Broker1";

/// A `dbus-daemon`.
pub(crate) struct Bus {
    _daemon: Running,
}

impl Bus {
    /// Starts it for `session`. It activates what the session's folder `services` says: nothing,
    /// unless a test puts something there.
    pub(super) async fn start(session: &Session) -> Self {
        let config = session.path("bus.conf");
        let text = format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n \
              \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n\
             <busconfig>\n\
               <type>session</type>\n\
               <listen>unix:path={bus}</listen>\n\
               <auth>EXTERNAL</auth>\n\
               <servicedir>{services}</servicedir>\n\
               <policy context=\"default\">\n\
                 <allow send_destination=\"*\" eavesdrop=\"true\"/>\n\
                 <allow eavesdrop=\"true\"/>\n\
                 <allow own=\"*\"/>\n\
               </policy>\n\
             </busconfig>\n",
            bus = session.path("bus").display(),
            services = session.path("services").display(),
        );
        fs::write(&config, text).unwrap();
        let mut command = session.command("dbus-daemon");
        command.arg("--config-file").arg(config).args([
            "--nofork",
            "--nopidfile",
            "--print-address",
        ]);
        let mut daemon = session.start_program("dbus-daemon", command).await;
        assert!(daemon.line().await.starts_with("unix:path="), "the bus says where it is");
        Self { _daemon: daemon }
    }
}

impl Session {
    /// Runs `busctl` on this session's bus.
    pub(crate) async fn busctl(&self, arguments: &[&str]) -> Done {
        let mut command = self.command("busctl");
        command.args(["--user", "--json=short"]).args(arguments);
        run(command).await
    }

    /// Calls a method with `busctl` and gives the answer's body.
    pub(crate) async fn call(&self, path: &str, method: &str, arguments: &[&str]) -> Value {
        let (interface, method) = method.rsplit_once('.').unwrap();
        let call = [&["call", NAME, path, interface, method], arguments].concat();
        self.busctl(&call).await.json()["data"].take()
    }

    /// Calls a method with `gdbus`.
    pub(crate) async fn gdbus(&self, path: &str, method: &str, arguments: &[&str]) -> Done {
        let mut command = self.command("gdbus");
        command.args(["call", "--session", "--dest", NAME, "--object-path", path, "--method"]);
        command.arg(method).args(arguments);
        run(command).await
    }

    /// Asks the bus itself.
    pub(crate) async fn ask_bus(&self, method: &str, arguments: &[&str]) -> Value {
        let bus = "org.freedesktop.DBus";
        let call = [&["call", bus, "/org/freedesktop/DBus", bus, method], arguments].concat();
        self.busctl(&call).await.json()["data"].take()
    }

    /// Waits until somebody has a name.
    pub(crate) async fn name_owned(&self, name: &str) {
        let has_owner = async || {
            let answer = self.ask_bus("NameHasOwner", &["s", name]).await;
            (answer[0] == true).then_some(())
        };
        eventually(name, has_owner).await;
    }
}
