//! The servers, each a process of its own on the first core.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use crate::support::keys::TestKey;

const SERVERS_CORE: &str = "0";
const LOADS_CORE: &str = "1";

/// Moves this thread, from which the load will come.
pub(crate) fn keep_off_the_servers_core() {
    let own = std::process::id().to_string();
    let mut taskset = Command::new("taskset");
    taskset.args(["--pid", "--cpu-list", LOADS_CORE, &own]).stdout(Stdio::null());
    assert!(taskset.status().unwrap().success());
}

/// A running server; it ends with this value.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// This build's own.
    pub(crate) fn private_api(issuer: &str, audience: &str) -> Self {
        let mut command = pinned(env!("CARGO_BIN_EXE_private-api"));
        command.args(["--issuer", issuer, "--audience", audience, "--listen", "127.0.0.1:0"]);
        Self::start(command)
    }

    /// The same server loop, and behind it the signature check of one key and nothing else.
    pub(crate) fn signature_alone(jwk: &Value) -> Self {
        let mut command = pinned(std::env::current_exe().unwrap());
        command.args(["signature-alone", &jwk.to_string()]);
        Self::start(command)
    }

    /// The packages that tutorials use; `None` where they cannot be installed.
    pub(crate) fn tutorial(issuer: &str, audience: &str) -> Option<Self> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/node");
        let here = install(&sources)?;
        let mut command = pinned("node");
        command.arg(sources.join("server.mjs")).args([issuer, audience]);
        command.env("NODE_ENV", "production").current_dir(here);
        Some(Self::start(command))
    }

    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let (_, address) = line.trim_end().rsplit_once("http://").expect("the server's address");
        Self { address: address.parse().unwrap(), child }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The CPU time that it has used so far.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let used = tasks.filter_map(|task| -> Option<u64> {
            let schedstat = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            schedstat.split(' ').next()?.parse().ok()
        });
        Duration::from_nanos(used.sum())
    }

    /// The memory that it holds, in MiB.
    pub(crate) fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that stays on the servers' core. The load is on the other one.
fn pinned(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", SERVERS_CORE]).arg(program);
    command
}

/// Installs the packages of the lock file below the target folder.
fn install(sources: &Path) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-node");
    std::fs::create_dir_all(&here).unwrap();
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(sources.join(name), here.join(name)).unwrap();
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
    let installed = npm.current_dir(&here).stdout(Stdio::null()).status().ok()?;
    installed.success().then_some(here)
}

type Key = Arc<(DecodingKey, Algorithm)>;

/// The server behind [`Server::signature_alone`].
pub(crate) fn serve_signature_alone(jwk: &str) {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let jwk: Jwk = serde_json::from_str(jwk).unwrap();
    let elliptic =
        matches!(jwk.algorithm, jsonwebtoken::jwk::AlgorithmParameters::EllipticCurve(_));
    let alg = if elliptic { Algorithm::ES256 } else { Algorithm::RS256 };
    let key: Key = Arc::new((DecodingKey::from_jwk(&jwk).unwrap(), alg));
    let router = Router::new().route("/private", get(signature_alone)).with_state(key);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on http://{}", listener.local_addr().unwrap());
        let _ = private_api::server::serve(listener, router, std::future::pending()).await;
    });
}

async fn signature_alone(State(key): State<Key>, headers: HeaderMap) -> (StatusCode, &'static str) {
    let header = headers.get("authorization").and_then(|header| header.to_str().ok()).unwrap();
    let token = header.strip_prefix("Bearer ").unwrap();
    if check(&key.0, key.1, token) {
        (StatusCode::OK, "Only authenticated users can read this message.")
    } else {
        (StatusCode::UNAUTHORIZED, "")
    }
}

fn check(key: &DecodingKey, alg: Algorithm, token: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    jsonwebtoken::crypto::verify(signature, signed.as_bytes(), key, alg).unwrap()
}

/// How many signature checks a core makes in a second that it does nothing else.
pub(crate) fn checks_per_second(key: &TestKey, token: &str, alg: &str) -> f64 {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let jwk: Jwk = serde_json::from_value(key.jwk()).unwrap();
    let (key, alg) = (DecodingKey::from_jwk(&jwk).unwrap(), alg.parse().unwrap());
    let begun = Instant::now();
    let mut checks = 0;
    while begun.elapsed() < Duration::from_secs(1) {
        assert!(check(&key, alg, token));
        checks += 1;
    }
    f64::from(checks) / begun.elapsed().as_secs_f64()
}
