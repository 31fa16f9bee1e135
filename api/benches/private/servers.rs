//! The servers, each a process of its own on the first core.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use axum::Router;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use metrics_exporter_prometheus::PrometheusBuilder;
use private_api::clock::SystemClock;
use private_api::messages::{self, Form};
use private_api::observe::BUCKETS;
use private_api::routes::with_layers;
use serde_json::Value;

use crate::support::keys::TestKey;

/// Where the servers are, unless there are two of them.
pub(crate) const SERVERS_CORE: &str = "0";
/// Where the load is made, which is little work beside theirs.
pub(crate) const LOADS_CORE: &str = "1";

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
        Self::instance(issuer, audience, &[], SERVERS_CORE)
    }

    /// The same with more settings, on a core of its own choice.
    pub(crate) fn instance(issuer: &str, audience: &str, more: &[&str], core: &str) -> Self {
        let mut command = pinned(core, env!("CARGO_BIN_EXE_private-api"));
        command.args(["--issuer", issuer, "--audience", audience, "--listen", "127.0.0.1:0"]);
        command.args(more);
        Self::start(command)
    }

    /// The same server with the same layers, and behind them the signature check of one key and
    /// nothing else.
    pub(crate) fn signature_alone(jwk: &Value) -> Self {
        let mut command = pinned(SERVERS_CORE, std::env::current_exe().unwrap());
        command.args(["signature-alone", &jwk.to_string()]);
        Self::start(command)
    }

    /// The packages that tutorials use; `None` where they cannot be installed.
    pub(crate) fn tutorial(issuer: &str, audience: &str) -> Option<Self> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/node");
        let here = install(&sources)?;
        let mut command = pinned(SERVERS_CORE, "node");
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

/// A program that stays on one core.
fn pinned(core: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(program);
    command
}

/// Installs the packages of the lock file beside those of the tests, unless they are there.
fn install(sources: &Path) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.test/bench-node");
    std::fs::create_dir_all(&here).unwrap();
    let (wanted, installed) = (sources.join("package-lock.json"), here.join("installed"));
    if std::fs::read(&wanted).unwrap() != std::fs::read(&installed).unwrap_or_default() {
        for name in ["package.json", "package-lock.json"] {
            std::fs::copy(sources.join(name), here.join(name)).unwrap();
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
        let status = npm.current_dir(&here).stdout(Stdio::null()).status().ok()?;
        status.success().then_some(())?;
        std::fs::copy(wanted, installed).unwrap();
    }
    Some(here)
}

/// The server behind [`Server::signature_alone`], set up as `main` sets up the API.
pub(crate) fn serve_signature_alone(jwk: &str) {
    let key = Arc::new(prepared(&serde_json::from_str(jwk).unwrap()));
    tracing_subscriber::fmt().with_env_filter("info").with_writer(std::io::stderr).init();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let figures = PrometheusBuilder::new().set_buckets(&BUCKETS).unwrap();
        let figures = figures.install_recorder().unwrap();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                figures.run_upkeep();
            }
        });
        let router = Router::new().route("/private", get(signature_alone)).with_state(key);
        let router = with_layers(router, Arc::new(SystemClock::start()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on http://{}", listener.local_addr().unwrap());
        let _ = private_api::server::serve(listener, router, std::future::pending()).await;
    });
}

/// Answers as the API does.
async fn signature_alone(
    State(key): State<Arc<ParsedPublicKey>>,
    headers: HeaderMap,
    form: Form,
) -> Result<impl IntoResponse, StatusCode> {
    let header = headers.get("authorization").and_then(|header| header.to_str().ok()).unwrap();
    let token = header.strip_prefix("Bearer ").unwrap();
    if check(&key, token) {
        Ok(([(CACHE_CONTROL, "no-store")], form.of(messages::PRIVATE)))
    } else {
        Err(StatusCode::UNAUTHORIZED)
    }
}

fn check(key: &ParsedPublicKey, token: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    key.verify_sig(signed.as_bytes(), &signature).is_ok()
}

/// A key in the form in which its check costs least.
fn prepared(jwk: &Value) -> ParsedPublicKey {
    let member = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    if jwk["kty"] == "RSA" {
        let key = RsaPublicKeyComponents { n: member("n"), e: member("e") };
        return key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).unwrap();
    }
    let point = [&[4], &member("x")[..], &member("y")].concat();
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap()
}

/// How many signature checks a core makes in a second that it does nothing else.
pub(crate) fn checks_per_second(key: &TestKey, token: &str) -> f64 {
    let key = prepared(&key.jwk());
    let begun = Instant::now();
    let mut checks = 0;
    while begun.elapsed() < Duration::from_secs(1) {
        assert!(check(&key, token));
        checks += 1;
    }
    f64::from(checks) / begun.elapsed().as_secs_f64()
}
