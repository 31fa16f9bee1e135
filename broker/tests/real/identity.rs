//! Who the broker takes a caller for, with real sandboxes, proxies and impostors.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;
use tokio::process::Command;

use crate::world::{NAME, ROOT, Running, Session, eventually, run};

const WHO_AM_I: &str = "org.authbroker.Broker1.Manager.WhoAmI";
/// How a proxy is named in an answer.
const PROXY: &str = "'proxy': <'/usr/bin/xdg-dbus-proxy'>";
const BROKERCTL: &str = env!("CARGO_BIN_EXE_brokerctl");
const METADATA: &str = "[Application]\nname=org.acme.Mail\n[Instance]\ninstance-id=1\n";

/// Asks on the bus at an address, through whatever stands there. The oldest proxies do not understand
/// busctl, which sends its first call ahead.
async fn asked_on_bus(session: &Session, address: &Path) -> String {
    let mut gdbus = session.command("gdbus");
    gdbus.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", address.display()));
    gdbus.args(["call", "--session", "--dest", NAME, "--object-path", ROOT, "--method", WHO_AM_I]);
    run(gdbus).await.good()
}

/// A proxy to this session's bus that lets through what is for the broker.
async fn proxy(session: &Session, mut command: Command) -> (Running, std::path::PathBuf) {
    let path = session.path("run/proxy");
    command.arg(session.bus_address()).arg(&path).args(["--filter", &format!("--talk={NAME}")]);
    let proxy = session.start_program("proxy", command).await;
    eventually("the proxy", async || path.exists().then_some(())).await;
    (proxy, path)
}

/// A sandbox as Flatpak makes them: a root of its own, with `metadata` in it or without.
fn sandbox(session: &Session, metadata: Option<&str>) -> Command {
    let file = session.path("metadata");
    let mut bwrap = session.command("sh");
    let script = match metadata {
        Some(text) => {
            fs::write(&file, text).unwrap();
            "exec bwrap --ro-bind-data 3 /.flatpak-info \"$@\" 3<\"$0\""
        }
        None => "exec bwrap \"$@\"",
    };
    bwrap.args(["-c", script]).arg(&file).args(["--ro-bind", "/usr", "/usr"]);
    for folder in ["bin", "lib", "lib64"] {
        bwrap.args(["--symlink", &format!("usr/{folder}"), &format!("/{folder}")]);
    }
    let folder = session.path(".");
    bwrap.arg("--bind").args([&folder, &folder]).args(["--proc", "/proc", "--dev", "/dev"]);
    bwrap.args(["--ro-bind", BROKERCTL, "/app-program"]);
    bwrap
}

/// Who the tool is, from inside of a sandbox.
async fn who_in(session: &Session, mut sandbox: Command) -> Value {
    let socket = session.runtime_dir().join("broker.sock");
    sandbox.args(["/app-program", "whoami", "--json", "--socket"]).arg(socket);
    run(sandbox).await.json()
}

/// One that connects and leaves the socket to a child, which asks once the file `ready` is there.
fn impostor(session: &Session) -> Command {
    let mut command = session.command("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/python/impostor.py"));
    command.arg(session.runtime_dir().join("broker.sock")).arg(session.path("ready"));
    command
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python3: ./test.sh runs it"]
async fn an_impostor_that_turns_into_another_program_is_no_more_than_described() {
    let session = Session::without_bus();
    let broker = session.brokerd().await;
    // Before the broker accepts, the one that connected is another program already.
    broker.signal(Signal::STOP);
    let mut impostor = session.start_program("impostor", impostor(&session)).await;
    let pid = impostor.pid().as_raw_nonzero().get();
    let disguised = async || {
        let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        program.to_string_lossy().contains("sleep").then_some(())
    };
    eventually("the disguise", disguised).await;
    broker.signal(Signal::CONT);
    fs::write(session.path("ready"), "").unwrap();

    let who = impostor.json().await["parameters"].take();
    assert_eq!((&who["level"], &who["level_name"]), (&1.into(), &"described".into()), "{who}");
    // It says what it saw, and that this proves nothing.
    assert_eq!((&who["pid"], who["uid"].is_u64()), (&pid.into(), true));
    assert!(who["executable"].as_str().unwrap().ends_with("/sleep"), "{who}");
    assert!(who["proves"].as_str().unwrap().contains("only the user"), "{who}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python3: ./test.sh runs it"]
async fn who_leaves_its_connection_to_another_process_hides() {
    let session = Session::without_bus();
    let broker = session.brokerd().await;
    broker.signal(Signal::STOP);
    let mut command = impostor(&session);
    command.arg("leave");
    let mut leaver = session.start_program("impostor", command).await;
    let (_child, pid) = (leaver.line().await, leaver.pid().as_raw_nonzero().get());
    // Dead is enough: until this test takes note of its end, its number is still there.
    let is_dead = async || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.contains(") Z ").then_some(())
    };
    eventually("its end", is_dead).await;
    broker.signal(Signal::CONT);
    fs::write(session.path("ready"), "").unwrap();
    let who = leaver.json().await["parameters"].take();
    let uid = rustix::process::getuid().as_raw();
    assert_eq!((&who["level"], &who["app"]), (&0.into(), &format!("hidden:{uid}").into()), "{who}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs bwrap: ./test.sh runs it"]
async fn a_sandbox_that_anybody_can_make_is_no_more_than_sandboxed() {
    let session = Session::without_bus();
    let _broker = session.brokerd().await;
    let who = who_in(&session, sandbox(&session, Some(METADATA))).await;
    assert_eq!((&who["level"], &who["app"]), (&2.into(), &"flatpak:org.acme.Mail".into()), "{who}");
    let proves = who["proves"].as_str().unwrap();
    assert!(proves.contains("programs outside of sandboxes can look the same"), "{who}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs bwrap: ./test.sh runs it"]
async fn a_sandbox_whose_metadata_names_no_app_is_known_less_than_a_program() {
    let session = Session::without_bus();
    let _broker = session.brokerd().await;
    let unnamed = "[Runtime]\nname=org.acme.Mail\n";
    for metadata in [None, Some(unnamed)] {
        let who = who_in(&session, sandbox(&session, metadata)).await;
        // The program's path is one of the sandbox's making, so it is not what the caller is called.
        assert_eq!((&who["level"], &who["executable"]), (&0.into(), &"/app-program".into()));
        let kind = if metadata.is_some() { "hidden:" } else { "uid:" };
        assert!(who["app"].as_str().unwrap().starts_with(kind), "{who}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, gdbus and xdg-dbus-proxy: ./test.sh runs it"]
async fn a_call_through_a_proxy_is_named_as_the_proxys() {
    let session = Session::start().await;
    let _broker = session.brokerd().await;
    session.name_owned(NAME).await;
    let (proxy, path) = proxy(&session, session.command("xdg-dbus-proxy")).await;
    let who = asked_on_bus(&session, &path).await;
    let pid = proxy.pid().as_raw_nonzero().get();
    assert!(who.contains(&format!("'pid': <uint32 {pid}>")), "{who}");
    assert!(who.contains("'level_name': <'described'>") && who.contains(PROXY), "{who}");
    let direct = asked_on_bus(&session, &session.path("bus")).await;
    assert!(!direct.contains("'proxy'"), "{direct}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, gdbus, bwrap and xdg-dbus-proxy: ./test.sh runs it"]
async fn the_proxy_of_a_flatpak_is_known_as_that_app_and_as_a_proxy() {
    let session = Session::start().await;
    let _broker = session.brokerd().await;
    session.name_owned(NAME).await;
    let mut inside = sandbox(&session, Some(METADATA));
    inside.arg("xdg-dbus-proxy");
    let (_proxy, path) = proxy(&session, inside).await;
    let who = asked_on_bus(&session, &path).await;
    assert!(who.contains("'app': <'flatpak:org.acme.Mail'>") && who.contains(PROXY), "{who}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and setpriv: ./test.sh runs it"]
async fn another_users_program_gets_nothing_though_every_file_lets_it_in() {
    if !rustix::process::getuid().is_root() {
        return;
    }
    let session = Session::without_bus();
    let broker = session.brokerd().await;
    let open = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    let tool = session.path("brokerctl");
    fs::copy(BROKERCTL, &tool).unwrap();
    let sockets = ["broker.sock", "admin.sock"].map(|name| session.runtime_dir().join(name));
    let folders = [session.path("."), session.path("run"), session.runtime_dir()];
    folders.iter().chain(&sockets).for_each(|path| open(path));
    for socket in &sockets {
        let mut other = session.command("setpriv");
        other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&tool);
        other.args(["whoami", "--json", "--socket"]).arg(socket);
        let done = run(other).await;
        assert_eq!((done.code == 0, done.stdout.as_str()), (false, ""), "{done:?}");
    }
    assert!(broker.errors().contains("this broker serves user 0, and you are user 65534"));
}
