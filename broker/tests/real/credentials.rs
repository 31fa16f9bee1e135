//! The tools that ask the broker for credentials, each at a server that checks what it is given.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::world::{API, Done, Session, issuer, run};

const TOOL: &str = env!("CARGO_BIN_EXE_brokerctl");

/// A git server that serves files, to whoever has the broker's name and a token as a password.
struct GitServer {
    address: String,
    revoked: Arc<Mutex<BTreeSet<String>>>,
    taken: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct Repository {
    folder: PathBuf,
    revoked: Arc<Mutex<BTreeSet<String>>>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl GitServer {
    async fn start(folder: &Path) -> Self {
        let (revoked, taken) = (Arc::default(), Arc::default());
        let repository = Repository {
            folder: folder.to_path_buf(),
            revoked: Arc::clone(&revoked),
            taken: Arc::clone(&taken),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(serve).with_state(repository);
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { address, revoked, taken }
    }

    /// The token that it took last.
    fn last_token(&self) -> String {
        self.taken.lock().unwrap().last().unwrap().clone()
    }
}

async fn serve(State(repository): State<Repository>, request: Request) -> Response {
    let Some(token) = password(request.headers()) else { return unauthorized() };
    if repository.revoked.lock().unwrap().contains(&token) {
        return unauthorized();
    }
    repository.taken.lock().unwrap().push(token);
    match fs::read(repository.folder.join(request.uri().path().trim_start_matches('/'))) {
        Ok(bytes) => bytes.into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

fn unauthorized() -> Response {
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Basic realm=\"code\"")]).into_response()
}

/// The password beside the expected name, if it is a token for this API.
fn password(headers: &HeaderMap) -> Option<String> {
    let words = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let words = String::from_utf8(STANDARD.decode(words).ok()?).ok()?;
    let token = words.strip_prefix("oauth2:")?.to_owned();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?);
    let claims: serde_json::Value = serde_json::from_slice(&claims.ok()?).ok()?;
    (claims["aud"] == API).then_some(token)
}

impl Session {
    async fn git(&self, arguments: &[&str]) -> Done {
        let mut command = self.command("git");
        // Nobody is there whom it could ask.
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_NOSYSTEM", "1").args(arguments);
        run(command).await
    }

    /// A repository with one commit, as a server of plain files has it.
    async fn repository(&self) {
        let who = ["-c", "user.name=Alice", "-c", "user.email=alice@acme.example"];
        self.git(&["init", "--quiet", "work"]).await.good();
        let commit = ["-C", "work", "commit", "--quiet", "--allow-empty", "-m", "Begin"];
        self.git(&[&who[..], &commit[..]].concat()).await.good();
        self.git(&["clone", "--quiet", "--bare", "work", "served/code.git"]).await.good();
        self.git(&["-C", "served/code.git", "update-server-info"]).await.good();
    }

    /// Has git ask the broker at one server.
    async fn ask_broker_at(&self, server: &GitServer) {
        self.add_to_configuration(
            "[vault]",
            &format!("[credential.\"{}\"]\n[vault]", server.address),
        );
        let key = format!("credential.{}.helper", server.address);
        let helper = format!("!{TOOL} credential git");
        self.git(&["config", "--global", &key, &helper]).await.good();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs git: ./test.sh runs it"]
async fn git_clones_and_fetches_with_the_brokers_tokens() {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    session.repository().await;
    let server = GitServer::start(&session.path("served")).await;
    session.ask_broker_at(&server).await;
    let _broker = session.brokerd().await;
    let address = format!("{}/code.git", server.address);

    let early = session.git(&["clone", &address, "early"]).await;
    assert_ne!(early.code, 0);
    assert!(early.stderr.contains("hint: brokerctl login dev"), "{early:?}");
    assert!(early.stderr.contains("told us to quit"), "no password is asked for: {early:?}");

    session.sign_in().await;
    session.git(&["clone", "--quiet", &address, "copy"]).await.good();
    let log = session.git(&["-C", "copy", "log", "--format=%s"]).await;
    assert_eq!(log.good(), "Begin");

    let first = server.last_token();
    server.revoked.lock().unwrap().insert(first.clone());
    let refused = session.git(&["-C", "copy", "fetch"]).await;
    assert!(refused.stderr.contains("Authentication failed"), "{refused:?}");
    // Git has told its helper, and that had the token renewed.
    session.git(&["-C", "copy", "fetch"]).await.good();
    assert_ne!(server.last_token(), first);
}

/// The part of an API server that kubectl asks first, with a certificate. Gives what it was sent.
async fn kubernetes() -> (String, Arc<Mutex<String>>) {
    let fixture = |name| tls_fixture().join(name);
    let acceptor = private_api::tls::acceptor(&fixture("cert.pem"), &fixture("key.pem")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(String::new()));
    let record = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 16 * 1024];
            let length = stream.read(&mut request).await.unwrap_or(0);
            record.lock().unwrap().push_str(&String::from_utf8_lossy(&request[..length]));
            let body = "{\"hello\":\"alice\"}";
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _gone = stream.write_all(answer.as_bytes()).await;
            let _gone = stream.shutdown().await;
        }
    });
    (address, heard)
}

fn tls_fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/tests/fixtures/tls")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs kubectl: ./test.sh runs it"]
async fn kubectl_speaks_to_its_server_with_a_token_of_the_brokers() {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    session.sign_in().await;
    let (server, heard) = kubernetes().await;
    // The older version is understood by every kubectl from 1.11 on.
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "dev",
        "clusters": [{"name": "dev", "cluster":
            {"server": server, "certificate-authority": tls_fixture().join("cert.pem")}}],
        "users": [{"name": "dev", "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1", "command": TOOL,
            "args": ["credential", "kubernetes", "dev"], "interactiveMode": "Never",
            "provideClusterInfo": false}}}],
        "contexts": [{"name": "dev", "context": {"cluster": "dev", "user": "dev"}}],
    });
    fs::write(session.path("kubeconfig"), config.to_string()).unwrap();

    let mut kubectl = session.command("kubectl");
    kubectl.args(["--kubeconfig", "kubeconfig", "get", "--raw", "/hello"]);
    assert_eq!(run(kubectl).await.json()["hello"], "alice");
    let token = session.brokerctl(&["token", "dev"]).await.good();
    let heard = heard.lock().unwrap().to_lowercase();
    assert!(heard.contains(&format!("authorization: bearer {}", token.to_lowercase())), "{heard}");
}
