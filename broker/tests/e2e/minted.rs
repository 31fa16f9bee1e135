//! Sockets that are minted for one consumer.

use std::path::{Path, PathBuf};

use authbroker_client::{AcquireRequest, Client, Door, ErrorCode, TokenRequest};
use dev_issuer::{Fault, Options, Times};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, connect};
use serde_json::json;
use tokio::net::UnixStream;

use crate::sockets::Wire;
use crate::stand::{LIMIT, RESOURCE, Stand, claims};

const OTHER: &str = "urn:test:other";

/// A stand at a provider with two APIs, where nobody has said that any app may have anything.
async fn stand() -> Stand {
    let resources = vec![RESOURCE.to_owned(), OTHER.to_owned()];
    let options = Options { resources, ..Options::default() };
    let stand = Stand::with(options).await;
    let text = std::fs::read_to_string(stand.path("config.toml")).unwrap();
    let text = text
        .replace("unverified = \"allow\"", "unverified = \"deny\"")
        .replace(&format!("[{RESOURCE:?}]"), &format!("[{RESOURCE:?}, {OTHER:?}]"));
    std::fs::write(stand.path("config.toml"), text).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    stand.sign_in("alice").await;
    stand
}

/// Makes a socket and gives its path.
async fn create<const N: usize>(stand: &Stand, more: [&str; N]) -> PathBuf {
    let mut command = stand.ctl_command();
    command.args(["socket", "create", "ci", "--account", "dev"]).args(more);
    crate::stand::run(&mut command).await.line().into()
}

/// Connects from an address that is no file.
fn connect_from(source: &[u8], path: &Path) -> UnixStream {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddrUnix::new_abstract_name(source).unwrap()).unwrap();
    connect(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    let socket = std::os::unix::net::UnixStream::from(socket);
    socket.set_nonblocking(true).unwrap();
    UnixStream::from_std(socket).unwrap()
}

async fn client(path: &Path) -> Client {
    Client::connect_to(Door::Socket(path.to_owned())).await.unwrap()
}

fn code<T>(answer: Result<T, authbroker_client::Error>) -> Option<ErrorCode> {
    answer.err().and_then(|error| error.code())
}

#[tokio::test]
async fn whoever_holds_a_minted_socket_gets_what_it_is_for_and_nothing_else() {
    let stand = stand().await;
    let path = create(&stand, ["--resource", RESOURCE, "--scope", "messages.read"]).await;
    let app = stand.app().await;
    assert_eq!(code(app.token(TokenRequest::new()).await), Some(ErrorCode::IdentityUnverified));

    let consumer = client(&path).await;
    let me = consumer.who_am_i().await.unwrap();
    assert_eq!((me.level, me.app.as_str()), (4, "socket:ci"));
    let token = consumer.token(TokenRequest::new()).await.unwrap();
    assert_eq!(claims(token.expose())["aud"], RESOURCE);
    assert_eq!(claims(token.expose())["scope"], "messages.read");
    let named = TokenRequest::new().account("alice").resource(RESOURCE).scope("messages.read");
    assert!(consumer.token(named).await.is_ok());

    let denied = Some(ErrorCode::PolicyDenied);
    for outside in [
        TokenRequest::new().resource(OTHER),
        TokenRequest::new().resource(RESOURCE).resource(OTHER),
        TokenRequest::new().scope("email"),
        TokenRequest::new().scope("messages.read").scope("email"),
    ] {
        assert_eq!(code(consumer.token(outside.clone()).await), denied, "{outside:?}");
    }
    assert_eq!(code(consumer.sign_out("dev").await.unwrap().done().await), denied);
    let mut wire = Wire(UnixStream::connect(&path).await.unwrap());
    let refused = wire.call("org.authbroker.Admin1.Status", json!({})).await;
    assert_eq!(refused["error"], "org.varlink.service.InterfaceNotFound");
    let refused =
        stand.ctl(["token", "--socket", path.to_str().unwrap(), "--scope", "email"]).await;
    refused.assert_fails(4, "was not made for the scope email", "brokerctl socket");
}

#[tokio::test]
async fn a_minted_socket_knows_of_its_account_only_and_sends_nobody_to_sign_in() {
    let stand = stand().await;
    let alice = stand.ctl(["accounts", "--json"]).await.json()[0]["id"].clone();
    let path = create(&stand, []).await;
    stand.sign_in("bob").await;
    let consumer = client(&path).await;
    let seen = consumer.accounts().await.unwrap();
    assert_eq!(seen.iter().map(|account| json!(account.id)).collect::<Vec<_>>(), [alice]);
    assert!(consumer.token(TokenRequest::new()).await.is_ok(), "it is clear which one is meant");
    let bob = consumer.token(TokenRequest::new().account("bob")).await;
    assert_eq!(code(bob), Some(ErrorCode::PolicyDenied));

    let done = consumer.acquire(AcquireRequest::new()).await.unwrap().done().await.unwrap();
    assert_eq!(json!(done), seen[0].id);
    stand.issuer.inject(Fault::refresh_invalid_grant(), Times::Once);
    assert_eq!(stand.ctl(["token", &seen[0].id, "--force"]).await.code, 3);
    let asked = consumer.acquire(AcquireRequest::new()).await.unwrap().done().await;
    assert_eq!(code(asked), Some(ErrorCode::InteractionRequired));
}

#[tokio::test]
async fn sockets_are_listed_and_outlive_a_restart() {
    let mut stand = stand().await;
    let path = create(&stand, ["--resource", OTHER, "--expires", "8h"]).await;
    assert_eq!(path, stand.path("run/sockets/ci/broker.sock"));
    let listed = stand.ctl(["socket", "list", "--json"]).await.json();
    let socket = &listed[0];
    assert_eq!((&socket["name"], &socket["resource"]), (&json!("ci"), &json!([OTHER])));
    let lifetime = socket["expires_at"].as_u64().unwrap() - socket["created"].as_u64().unwrap();
    assert_eq!(lifetime, 8 * 3600);
    let again = stand.ctl(["socket", "create", "ci"]).await;
    again.assert_fails(2, "there is a socket ci already", "choose another name");
    let nonsense = stand.ctl(["socket", "create", "../ci"]).await;
    nonsense.assert_fails(2, "is no name for a socket", "brokerctl socket create --help");

    for restart in ["as it should be", "after a crash"] {
        if restart == "after a crash" {
            stand.kill().await;
            stand.start().await;
        } else {
            stand.restart().await;
        }
        assert_eq!(stand.ctl(["socket", "list", "--json"]).await.json(), listed, "{restart}");
        let token = client(&path).await.token(TokenRequest::new()).await.unwrap();
        assert_eq!(claims(token.expose())["aud"], OTHER, "{restart}");
    }
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o600, "for its owner and root alone");
}

#[tokio::test]
async fn closing_a_socket_ends_who_is_on_it_at_once_and_for_good() {
    let mut stand = stand().await;
    let path = create(&stand, []).await;
    let mut idle = Wire(UnixStream::connect(&path).await.unwrap());
    idle.call("org.authbroker.Broker1.WhoAmI", json!({})).await;
    let mut watching = Wire(UnixStream::connect(&path).await.unwrap());
    let watch = "{\"method\":\"org.authbroker.Broker1.Watch\",\"more\":true}\0";
    watching.send(watch.as_bytes()).await;
    watching.receive().await.unwrap();
    // One that waits for the provider when the socket is closed.
    stand.issuer.inject(Fault::refresh_hang(), Times::Once);
    let waiting = client(&path).await;
    let waiting = tokio::spawn(async move { waiting.token(TokenRequest::new().force()).await });
    stand.renewing().await;

    assert_eq!(stand.ctl(["socket", "close", "ci"]).await.code, 0);
    assert!(idle.receive().await.is_none());
    assert!(watching.receive().await.is_none());
    let gone = async {
        while UnixStream::connect(&path).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.expect("the socket is gone");
    assert!(waiting.await.unwrap().is_err(), "what comes too late is not given");
    assert_eq!(stand.ctl(["socket", "list", "--json"]).await.json(), json!([]));
    stand.restart().await;
    assert!(UnixStream::connect(&path).await.is_err(), "nor is it back after a restart");
    let none = stand.ctl(["socket", "close", "ci"]).await;
    none.assert_fails(2, "there is no socket ci", "brokerctl socket list");
    create(&stand, []).await;
}

#[tokio::test]
async fn a_socket_ends_by_itself_when_its_time_is_over() {
    let stand = stand().await;
    let path = create(&stand, ["--expires", "2s"]).await;
    let mut wire = Wire(UnixStream::connect(&path).await.unwrap());
    let me = wire.call("org.authbroker.Broker1.WhoAmI", json!({})).await;
    assert_eq!(me["parameters"]["level_name"], "minted");
    assert!(wire.receive().await.is_none(), "ended by the broker");
    let gone = async {
        while path.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.expect("its folder goes");
    let forgotten = async {
        while stand.path("state/sockets/ci.json").exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, forgotten).await.expect("its file goes");
    assert_eq!(stand.ctl(["socket", "list", "--json"]).await.json(), json!([]));
}

#[tokio::test]
async fn a_socket_that_is_for_a_service_gives_nothing_to_whoever_else_opens_it() {
    let mut stand = stand().await;
    let wrong = stand.ctl(["socket", "create", "ci", "--unit", "backup"]).await;
    wrong.assert_fails(2, "is no name of a service", "brokerctl socket create --help");
    let path = create(&stand, ["--unit", "backup.service"]).await;
    // What systemd's own address looks like is known to everybody, and anybody can take one.
    let forged = connect_from(b"adf9d86b6eda275e/unit/backup.service/token", &path);
    for peer in [forged, UnixStream::connect(&path).await.unwrap()] {
        let mut wire = Wire(peer);
        assert!(wire.receive().await.is_none(), "it hangs up and has said nothing");
    }
    let listed = stand.ctl(["socket", "list", "--json"]).await.json();
    assert_eq!(listed[0]["unit"], "backup.service");
    stand.restart().await;
    assert_eq!(stand.ctl(["socket", "list", "--json"]).await.json(), listed);
}
