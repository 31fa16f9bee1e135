//! Several instances of one API that share their used proofs and their nonces in a real server.

#![cfg(all(unix, feature = "redis"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use private_api::auth::Setup;
use private_api::dpop::RedisStore;
use private_api::secret::Secret;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use support::api::{TestApi, rules};
use support::proof::Client;
use support::running::{Running, claims_now, program};
use support::{AUDIENCE, NOW, with};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

/// The servers that this machine has: Redis, Valkey, or both. Each test runs with each of them.
fn engines() -> Vec<&'static str> {
    let is_there = |name: &&str| {
        Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|it| it.success())
    };
    let engines: Vec<_> = ["redis-server", "valkey-server"].into_iter().filter(is_there).collect();
    assert!(!engines.is_empty(), "neither redis-server nor valkey-server is installed");
    engines
}

/// A server on a socket in a folder; it ends with the test.
struct Server {
    child: Child,
}

impl Server {
    fn start(engine: &str, folder: &Path) -> Self {
        Self::start_with(engine, folder, &[])
    }

    fn start_with(engine: &str, folder: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(engine);
        command.args(["--port", "0", "--save", "", "--dir"]).arg(folder);
        command.arg("--unixsocket").arg(folder.join("socket")).args(more);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        // The newer ones write it with a capital.
        let mut ready =
            lines.map_while(Result::ok).filter(|line| line.contains("eady to accept connections"));
        assert!(ready.next().is_some(), "the server did not start");
        Self { child }
    }

    /// Stops it as it stands: it keeps its connections and answers nothing, until it goes on.
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(folder: &TempDir) -> String {
    format!("unix://{}/socket", folder.path().display())
}

/// Two instances of one API with a store at an address each, and a client that goes to the first.
async fn two_instances(addresses: [&str; 2], nonces: bool) -> (Client, TestApi) {
    let change = |setup: &mut Setup, address: &str| {
        setup.store = Arc::new(RedisStore::new(address, None).unwrap());
        setup.proofs.nonces = nonces;
    };
    let client = Client::at(|setup| change(setup, addresses[0])).await;
    let mut setup = Setup::new(rules(&client.issuer.url));
    change(&mut setup, addresses[1]);
    (client, TestApi::made(setup, None))
}

/// The same client, which goes to another instance.
fn moved(client: Client, api: &TestApi) -> Client {
    Client { api: api.clone(), ..client }
}

/// R17.
#[tokio::test]
#[ignore = "needs redis-server or valkey-server: ./test.sh runs it"]
async fn a_proof_that_one_instance_took_is_refused_by_the_other() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let _server = Server::start(engine, folder.path());
        let (client, second) = two_instances([&address(&folder), &address(&folder)], false).await;
        let proof = client.proof();
        assert_eq!(client.private(&proof).await.status, StatusCode::OK);
        let client = moved(client, &second);
        let again = client.private(&proof).await;
        assert_eq!(again.status, StatusCode::UNAUTHORIZED);
        assert!(again.challenge().contains("used before"), "{again:?}");
        let other = client.proof_but(&json!({}), &json!({ "jti": "proof-2" }));
        assert_eq!(client.private(&other).await.status, StatusCode::OK);
    }
}

/// R19.
#[tokio::test]
#[ignore = "needs redis-server or valkey-server: ./test.sh runs it"]
async fn a_nonce_of_one_instance_is_good_at_the_other() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let _server = Server::start(engine, folder.path());
        let (client, second) = two_instances([&address(&folder), &address(&folder)], true).await;
        let nonce = client.private(&client.proof()).await.header("dpop-nonce").to_owned();
        let client = moved(client, &second);
        let proof = client.proof_but(&json!({}), &json!({ "nonce": nonce }));
        assert_eq!(client.private(&proof).await.status, StatusCode::OK);
    }
}

/// R19: otherwise one instance would send clients to the other with nonces that it does not take.
#[tokio::test]
#[ignore = "needs redis-server or valkey-server: ./test.sh runs it"]
async fn instances_agree_on_their_nonces_again_when_the_store_has_lost_the_key() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(engine, folder.path());
        let (client, second) = two_instances([&address(&folder), &address(&folder)], true).await;
        client.private(&client.proof()).await;
        drop(server);
        let _server = Server::start(engine, folder.path());

        // The second instance has never asked, and finds no key; the first asks again in a minute.
        let first = client.api.clone();
        let client = moved(client, &second);
        let nonce = client.private(&client.proof()).await.header("dpop-nonce").to_owned();
        first.clock.set(NOW + 60);
        let client = moved(client, &first);
        let proof = json!({ "nonce": nonce, "jti": "proof-2" });
        // The connection broke with the server; the first answer may be about that.
        client.private(&client.proof()).await;
        let answer = client.private(&client.proof_but(&json!({}), &proof)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
}

/// R17: what cannot be told is not guessed.
#[tokio::test]
#[ignore = "needs redis-server or valkey-server: ./test.sh runs it"]
async fn without_its_store_the_api_answers_503_to_proofs_and_finds_it_again() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let (client, _) = two_instances([&address(&folder), &address(&folder)], false).await;
        let answer = client.private(&client.proof()).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), "1");
        assert!(answer.challenges().is_empty(), "a new token or proof would not help: {answer:?}");

        let _server = Server::start(engine, folder.path());
        assert_eq!(client.private(&client.proof()).await.status, StatusCode::OK);
    }
}

/// R17: a store that is there and says nothing is as good as none, and nobody waits long for it.
#[tokio::test]
#[ignore = "needs redis-server or valkey-server: ./test.sh runs it"]
async fn a_store_that_hangs_is_given_up_for_a_request_in_time() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(engine, folder.path());
        let (client, _) = two_instances([&address(&folder), &address(&folder)], false).await;
        assert_eq!(client.private(&client.proof()).await.status, StatusCode::OK);

        server.signal(Signal::STOP);
        let other = client.proof_but(&json!({}), &json!({ "jti": "proof-2" }));
        let begun = Instant::now();
        assert_eq!(client.private(&other).await.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());

        server.signal(Signal::CONT);
        let third = client.proof_but(&json!({}), &json!({ "jti": "proof-3" }));
        assert_eq!(client.private(&third).await.status, StatusCode::OK);
    }
}

/// R17: the replay cache is bounded by the proof's lifetime, and never shorter.
#[tokio::test]
#[ignore = "needs redis-server or valkey-server: ./test.sh runs it"]
async fn the_store_forgets_a_proof_by_itself_after_its_time() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let _server = Server::start(engine, folder.path());
        let (client, _) = two_instances([&address(&folder), &address(&folder)], false).await;
        client.private(&client.proof()).await;
        let redis = redis::Client::open(address(&folder)).unwrap();
        let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
        let names: Vec<Vec<u8>> = redis::cmd("KEYS")
            .arg("private-api:dpop:used:*")
            .query_async(&mut redis)
            .await
            .unwrap();
        assert_eq!(names.len(), 1);
        let life: u64 = redis::cmd("TTL").arg(&names[0]).query_async(&mut redis).await.unwrap();
        assert!((60..=90).contains(&life), "a minute, and what clocks may be apart: {life}");
    }
}

/// R24.
#[tokio::test]
#[ignore = "needs redis-server or valkey-server: ./test.sh runs it"]
async fn a_store_with_a_password_is_opened_with_that_of_a_file() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let _server = Server::start_with(engine, folder.path(), &["--requirepass", "s3cret"]);
        for (password, status) in
            [("s3cret", StatusCode::OK), ("guess", StatusCode::SERVICE_UNAVAILABLE)]
        {
            let password = Secret::new(password.to_owned());
            let store = RedisStore::new(&address(&folder), Some(&password)).unwrap();
            let client = Client::at(|setup| setup.store = Arc::new(store)).await;
            assert_eq!(client.private(&client.proof()).await.status, status);
        }
    }
}

/// A TLS server before the store's socket; gives the store's address there.
async fn with_tls(socket: PathBuf) -> String {
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| Path::new(FIXTURES).join(name));
    let acceptor = private_api::tls::acceptor(&cert, &key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("rediss://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // A client that does not trust the certificate hangs up here.
            let Ok(mut client) = acceptor.accept(client).await else { continue };
            let mut server = UnixStream::connect(&socket).await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    });
    address
}

/// R24: the nonces' key comes this way, and whether a proof is new.
#[tokio::test]
#[ignore = "needs redis-server or valkey-server: ./test.sh runs it"]
async fn a_store_with_tls_is_believed_with_a_certificate_that_the_system_trusts() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let _server = Server::start(engine, folder.path());
        let store = with_tls(folder.path().join("socket")).await;
        let trusted = format!("{FIXTURES}/cert.pem");
        for (roots, status) in [(trusted.as_str(), 200), ("/dev/null", 503)] {
            let mut client = Client::start().await;
            let mut program = program(&["--issuer", &client.issuer.url, "--audience", AUDIENCE]);
            program.args(["--listen", "127.0.0.1:0", "--proof-store", &store]);
            let running = Running::spawn(program.env("SSL_CERT_FILE", roots));
            let claims = claims_now(&client.issuer.url);
            let bound = json!({ "cnf": { "jkt": client.key.thumbprint() } });
            client.token = client.issuer_key.token(&with(claims.clone(), &bound));
            let now = claims["exp"].as_u64().unwrap() - 600;
            let here = json!({ "htu": format!("{}/private", running.url), "iat": now });
            let proof = client.proof_but(&json!({}), &here);
            assert_eq!(running.proven(&client.token, &proof).await, status);
        }
    }
}

/// R24: an address is seen by everybody who lists processes.
#[test]
fn a_password_in_the_address_is_refused_and_not_repeated() {
    let base = ["--issuer", "https://issuer.test", "--audience", "urn:a", "--proof-store"];
    for address in ["redis://:s3cret@localhost", "unix:///socket?pass=s3cret"] {
        let output = program(&[&base[..], &[address]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("--proof-store-password-file") && !said.contains("s3cret"), "{said}");
    }
    let output = program(&[&base[..], &["http://s3cret"]].concat()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("redis://HOST:PORT") && !said.contains("s3cret"), "{said}");
}
