//! A service of the system asks, and the broker asks the system's manager about it: with real control
//! groups, and a manager that says what systemd would.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;
use zbus::{Connection, ObjectPath, OwnedObjectPath};

use crate::world::{Running, Session, issuer, run};

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

/// A program of a service, whose arguments are still to come.
fn program_in(session: &Session, group: &ControlGroup) -> Command {
    let mut service = session.command("sh");
    service.args(["-c", "echo $$ >\"$0/cgroup.procs\" && exec \"$@\""]).arg(&group.0);
    service
}

/// Who the tool is, started as a service would be.
async fn who_in(session: &Session, group: &ControlGroup, before: &[&str]) -> Value {
    let mut service = program_in(session, group);
    service.args(before).args([env!("CARGO_BIN_EXE_brokerctl"), "whoami", "--json", "--socket"]);
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
    let bounded = &["setpriv", "--no-new-privs", "--"];
    let without = who_in(&session, &group, bounded).await;
    assert_eq!(without["level"], 1, "there is no manager: {without}");

    let _manager = manager(&session, &group.name()).await;
    let who = who_in(&session, &group, bounded).await;
    assert_eq!((&who["level"], &who["level_name"]), (&3.into(), &"attested".into()), "{who}");
    assert_eq!(who["app"], format!("unit:{}", group.name()));
    let unbounded = who_in(&session, &group, &[]).await;
    assert_eq!(unbounded["level"], 1, "it could gain privileges: {unbounded}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and python3: ./test.sh runs it"]
async fn a_credential_is_handed_over_while_its_service_starts_and_to_nobody_else() {
    if !rustix::process::getuid().is_root() {
        return;
    }
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    let mut command = session.command(env!("CARGO_BIN_EXE_brokerd"));
    command.args(["--ready-fd", "1", "--no-dbus", "--log", "debug"]);
    let mut broker = session.start_program("brokerd", command).await;
    broker.line().await;
    session.sign_in().await;
    let group = |name| ControlGroup::of_service(&format!("{name}-{}.service", std::process::id()));
    let (ours, other) = (group("authbroker-ours"), group("authbroker-other"));
    let unit = ours.name();
    let made = session.brokerctl(&["socket", "create", "backup", "--unit", &unit]).await.good();

    // The manager's own part is played: its process is in the group of the service that it starts.
    let asked = async |group: &ControlGroup, unit: &str| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/python/credential.py");
        let mut asking = program_in(&session, group);
        asking.arg("python3").arg(script).arg(made.trim());
        asking.arg(format!("adf9d86b6eda275e/unit/{unit}/token"));
        run(asking).await.good()
    };
    let token = asked(&ours, &unit).await;
    assert_eq!(token.split('.').count(), 3, "the token, and nothing else: {token:?}");
    assert_eq!(asked(&other, &unit).await, "", "it says that it starts another service");
    assert_eq!(asked(&other, &other.name()).await, "", "it is for one service");

    let record = session.brokerctl(&["audit", "--json"]).await.good();
    let last: Vec<Value> =
        record.lines().map(|line| serde_json::from_str(line).unwrap()).rev().take(3).collect();
    let [second, first, given] = last.as_slice() else { panic!("{record}") };
    assert_eq!(
        (&given["event"], &given["caller"]["identity"]),
        (&"token".into(), &"socket:backup".into())
    );
    for refused in [first, second] {
        assert_eq!(
            (&refused["event"], &refused["error"]),
            (&"refusal".into(), &"PolicyDenied".into())
        );
    }
}
