//! systemd's side: the packaged units, the sockets it hands over, the readiness it waits for.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

use dev_issuer::{Fault, Recorded, Times};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::world::{Session, eventually, issuer, run, soon};

const BROKERD: &str = env!("CARGO_BIN_EXE_brokerd");

fn packaged(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/linux/systemd/user");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The packaged units with this build's broker in the place of the installed one.
fn units(session: &Session) -> Vec<std::path::PathBuf> {
    let folder = session.path("units");
    std::fs::create_dir(&folder).unwrap();
    let unit = |name| {
        let path = folder.join(name);
        std::fs::write(&path, packaged(name).replace("/usr/bin/brokerd", BROKERD)).unwrap();
        path
    };
    ["authbroker.service", "authbroker.socket"].map(unit).into()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs systemd-analyze: ./test.sh runs it"]
async fn systemd_finds_nothing_wrong_with_the_units() {
    let session = Session::without_bus();
    let mut verify = session.command("systemd-analyze");
    // man=no: the manual pages come with the package.
    verify.args(["--user", "--man=no", "--recursive-errors=yes", "verify"]).args(units(&session));
    let verdict = run(verify).await;
    assert_eq!((verdict.code, verdict.stderr.as_str()), (0, ""), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs systemd-socket-activate: ./test.sh runs it"]
async fn the_broker_takes_over_the_sockets_of_its_socket_unit() {
    let session = Session::without_bus();
    std::fs::create_dir(session.runtime_dir()).unwrap();
    // The paths are those of the packaged unit, so that their names are tested, too.
    let socket_unit =
        packaged("authbroker.socket").replace("%t", session.path("run").to_str().unwrap());
    let sockets: Vec<_> =
        socket_unit.lines().filter_map(|line| line.strip_prefix("ListenStream=")).collect();
    let mut launcher = session.command("systemd-socket-activate");
    for socket in &sockets {
        launcher.args(["--listen", socket]);
    }
    for name in ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"] {
        launcher.args(["--setenv", name]);
    }
    launcher.arg(BROKERD);
    let launcher = session.start_program("launcher", launcher).await;

    // The first connection starts the broker, in the launcher's own process.
    for socket in &sockets {
        eventually(socket, async || Path::new(socket).exists().then_some(())).await;
    }
    let status = session.brokerctl(&["status", "--json"]).await.json();
    assert_eq!(status["pid"], launcher.pid().as_raw_nonzero().get());
    let app_socket = session.runtime_dir().join("broker.sock");
    let who =
        session.brokerctl(&["whoami", "--json", "--socket", app_socket.to_str().unwrap()]).await;
    assert_eq!(who.json()["level_name"], "described");
    let refused = admin_call_on(&app_socket).await;
    assert_eq!(refused["error"], "org.varlink.service.InterfaceNotFound");

    assert!(launcher.end().await.success());
    for socket in &sockets {
        assert!(
            Path::new(socket).exists(),
            "the sockets are systemd's, and stay for the next start"
        );
    }
}

/// Asks a socket for what only the admin socket gives.
async fn admin_call_on(socket: &Path) -> Value {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    stream.write_all(b"{\"method\":\"org.authbroker.Admin1.Status\"}\0").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    serde_json::from_slice(answer.strip_suffix(b"\0").unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_hears_when_the_broker_is_ready_and_when_it_ends() {
    let session = Session::without_bus();
    let manager = UnixDatagram::bind(session.path("notify")).unwrap();
    manager.set_nonblocking(true).unwrap();
    let manager = tokio::net::UnixDatagram::from_std(manager).unwrap();
    let hears = async || {
        let mut buffer = [0; 256];
        let length = soon("a message", manager.recv(&mut buffer)).await.unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap().trim().to_owned()
    };
    let mut command = session.command(BROKERD);
    command.env("NOTIFY_SOCKET", session.path("notify"));
    let broker = session.start_program("brokerd", command).await;
    assert_eq!(hears().await, "READY=1");
    let status = session.brokerctl(&["status", "--json"]).await.json();
    assert_eq!(status["providers"], json!([]), "it is ready when it says so");
    assert!(broker.end().await.success());
    assert_eq!(hears().await, "STOPPING=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_the_answer_under_way_out_and_ends_what_only_listens() {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    let broker = session.brokerd().await;
    session.sign_in().await;
    let mut watcher = UnixStream::connect(session.runtime_dir().join("broker.sock")).await.unwrap();
    watcher
        .write_all(b"{\"method\":\"org.authbroker.Broker1.Watch\",\"more\":true}\0")
        .await
        .unwrap();
    assert_eq!(watcher.read_u8().await.unwrap(), b'{');

    // A renewal that the provider leaves open, until it goes away.
    issuer.inject(Fault::token_hang(), Times::Always);
    let caller = session.start_brokerctl(&["token", "--force", "--json"]).await;
    let refresh = |request: &Recorded| request.path == "/token";
    soon("the renewal", issuer.wait_for(2, refresh)).await;
    kill_process(broker.pid(), Signal::TERM).unwrap();
    let is_ending = async || broker.errors().contains("ending").then_some(());
    eventually("the broker's end", is_ending).await;
    issuer.stop().await;

    let mut rest = Vec::new();
    soon("the watcher's end", watcher.read_to_end(&mut rest)).await.unwrap();
    let log = session.path("brokerctl.log");
    assert_eq!(caller.ended().await.code(), Some(5));
    let told = std::fs::read_to_string(log).unwrap();
    assert!(told.contains("\"error\":\"Offline\""), "{told}");
    assert!(broker.ended().await.success());
}
