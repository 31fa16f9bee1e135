//! A service of the system asks, and the broker asks the system's manager about it: with real control
//! groups, and a manager that says what systemd would.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use zbus::{Connection, ObjectPath, OwnedObjectPath};

use crate::world::{Running, Session, run};

const UNIT: &str = "/org/freedesktop/systemd1/unit/authbroker_2dtest_2eservice";

/// A control group with the name of a service, as systemd makes them. Gone when dropped.
struct ControlGroup(PathBuf);

impl ControlGroup {
    fn of_service(name: &str) -> Self {
        let unified = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(Path::new);
        let root = unified.into_iter().find(|root| root.join("cgroup.controllers").exists());
        let path = root.expect("the unified hierarchy").join("system.slice").join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn name(&self) -> String {
        self.0.file_name().unwrap().to_str().unwrap().to_owned()
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        let _busy = fs::remove_dir(&self.0);
        // Another manager's slice is not empty, and stays.
        let _in_use = self.0.parent().map(fs::remove_dir);
    }
}

struct Manager(String);

#[zbus::interface(name = "org.freedesktop.systemd1.Manager")]
impl Manager {
    #[zbus(name = "GetUnitByPIDFD")]
    fn by_handle(&self, handle: zbus::OwnedFd) -> (OwnedObjectPath, String, Vec<u8>) {
        drop(handle);
        (ObjectPath::from_static_str_unchecked(UNIT).into(), self.0.clone(), Vec::new())
    }
}

struct Unit(String);

#[zbus::interface(name = "org.freedesktop.systemd1.Unit")]
impl Unit {
    #[zbus(property)]
    fn id(&self) -> &str {
        &self.0
    }
}

struct Service {
    bounded: bool,
}

#[zbus::interface(name = "org.freedesktop.systemd1.Service")]
impl Service {
    #[zbus(property)]
    fn no_new_privileges(&self) -> bool {
        self.bounded
    }
}

/// A manager on this session's bus, which is the system's bus here.
async fn manager(session: &Session, unit: &str) -> Connection {
    let address = session.bus_address();
    let builder = zbus::connection::Builder::address(address.as_str());
    let builder = builder.serve_at("/org/freedesktop/systemd1", Manager(unit.to_owned()));
    let builder =
        builder.serve_at(UNIT, Unit(unit.to_owned())).serve_at(UNIT, Service { bounded: true });
    builder.name("org.freedesktop.systemd1").build().await.unwrap()
}

async fn brokerd(session: &Session) -> Running {
    let mut command = session.command(env!("CARGO_BIN_EXE_brokerd"));
    command.env("DBUS_SYSTEM_BUS_ADDRESS", session.bus_address());
    command.args(["--ready-fd", "1", "--no-dbus", "--log", "debug"]);
    let mut broker = session.start_program("brokerd", command).await;
    assert_eq!(broker.line().await, "", "the ready byte");
    broker
}

/// Who the tool is, started as a service would be.
async fn who_in(session: &Session, group: &ControlGroup, before: &str) -> Value {
    let script = "echo $$ >\"$0/cgroup.procs\" && exec $1 \"$2\" whoami --json --socket \"$3\"";
    let mut service = session.command("sh");
    service.args(["-c", script]).arg(&group.0).args([before, env!("CARGO_BIN_EXE_brokerctl")]);
    service.arg(session.runtime_dir().join("broker.sock"));
    run(service).await.json()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root, dbus-daemon and setpriv: ./test.sh runs it"]
async fn a_service_of_the_system_is_attested_by_the_systems_manager() {
    if !rustix::process::getuid().is_root() {
        return;
    }
    let session = Session::start().await;
    let group =
        ControlGroup::of_service(&format!("authbroker-test-{}.service", std::process::id()));
    let _broker = brokerd(&session).await;
    let bounded = "setpriv --no-new-privs --";
    let without = who_in(&session, &group, bounded).await;
    assert_eq!(without["level"], 1, "there is no manager: {without}");

    let _manager = manager(&session, &group.name()).await;
    let who = who_in(&session, &group, bounded).await;
    assert_eq!((&who["level"], &who["level_name"]), (&3.into(), &"attested".into()), "{who}");
    assert_eq!(who["app"], format!("unit:{}", group.name()));
    let unbounded = who_in(&session, &group, "env").await;
    assert_eq!(unbounded["level"], 1, "it could gain privileges: {unbounded}");
}
