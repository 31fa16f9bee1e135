//! A tool of containers at a registry that checks what it is given. It asks as docker does: it reads
//! docker's own configuration and runs the helper that is named there.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::net::TcpListener;

use crate::world::{Done, Session, issuer, run};

/// The credentials that it was given, in their order.
type Taken = Arc<Mutex<Vec<String>>>;

/// A registry with one image, for whoever brings any name and password. Gives where it is.
async fn registry() -> (String, Taken) {
    let taken = Taken::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let router = Router::new()
        .route("/v2/", get(begin))
        .route("/v2/app/tags/list", get(tags))
        .with_state(Arc::clone(&taken));
    tokio::spawn(async { axum::serve(listener, router).await });
    (host, taken)
}

async fn begin(State(taken): State<Taken>, request: Request) -> Response {
    admit(&taken, &request).unwrap_or_else(|| json!({}).to_string().into_response())
}

async fn tags(State(taken): State<Taken>, request: Request) -> Response {
    let tags = || json!({"name": "app", "tags": ["1.0", "1.1"]}).to_string().into_response();
    admit(&taken, &request).unwrap_or_else(tags)
}

/// Turns away who brings nothing, and takes note of what the others bring.
fn admit(taken: &Taken, request: &Request) -> Option<Response> {
    let brought = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let words = brought.and_then(|value| STANDARD.decode(value.strip_prefix("Basic ")?).ok());
    let Some(words) = words.and_then(|words| String::from_utf8(words).ok()) else {
        let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"images\"")];
        return Some((StatusCode::UNAUTHORIZED, challenge).into_response());
    };
    taken.lock().unwrap().push(words);
    None
}

impl Session {
    /// Has docker's tools ask the broker at one registry, as the guide says.
    fn ask_broker_for(&self, host: &str) {
        let credential = format!("[credential.\"http://{host}\"]\naccount = \"dev\"\n[vault]");
        self.add_to_configuration("[vault]", &credential);
        fs::create_dir_all(self.path("home/.docker")).unwrap();
        fs::create_dir_all(self.path("bin")).unwrap();
        let config = json!({"credHelpers": {host: "authbroker"}}).to_string();
        fs::write(self.path("home/.docker/config.json"), config).unwrap();
        let helper = self.path("bin/docker-credential-authbroker");
        symlink(env!("CARGO_BIN_EXE_brokerctl"), helper).unwrap();
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds its programs where its person does"
    )]
    async fn list_tags(&self, host: &str) -> Done {
        let mut command = self.command("skopeo");
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.path("bin").display()));
        let image = format!("docker://{host}/app");
        command.args(["list-tags", "--tls-verify=false", &image]);
        run(command).await
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs skopeo: ./test.sh runs it"]
async fn a_tool_that_reads_dockers_configuration_has_its_token_of_the_broker() {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    let (host, brought) = registry().await;
    session.ask_broker_for(&host);
    let _broker = session.brokerd().await;

    let early = session.list_tags(&host).await;
    assert_ne!(early.code, 0);
    assert!(early.stderr.contains("brokerctl login dev"), "it says what helps: {early:?}");

    session.sign_in().await;
    let tags = session.list_tags(&host).await.json();
    assert_eq!(tags["Tags"], json!(["1.0", "1.1"]));
    let token = session.brokerctl(&["token", "dev"]).await.good();
    let brought = brought.lock().unwrap();
    assert!(!brought.is_empty() && brought.iter().all(|words| *words == format!("oauth2:{token}")));
}
