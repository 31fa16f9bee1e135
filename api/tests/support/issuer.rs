//! A tiny issuer: it publishes metadata and keys, counts who asks, and fails on demand.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;

use super::keys::TestKey;

/// The issuer's address, before and after it starts to listen there.
pub struct Address {
    socket: TcpSocket,
    pub url: String,
}

impl Address {
    /// Takes a port on which nothing listens yet: connections are refused.
    pub fn reserve() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        Self { socket, url }
    }

    /// Starts the issuer there.
    pub fn open(self, keys: &[&TestKey]) -> FakeIssuer {
        let issuer = FakeIssuer::with_keys(self.url, keys);
        serve(self.socket.listen(16).unwrap(), &issuer);
        issuer
    }
}

/// A handle to a running issuer.
#[derive(Clone)]
pub struct FakeIssuer {
    pub url: String,
    script: Arc<Mutex<Script>>,
    /// Answers to /jwks take a permit each; normally there are more than enough.
    gate: Arc<Semaphore>,
}

/// What it answers, and what it was asked.
struct Script {
    metadata: Value,
    metadata_at: &'static str,
    keys: Value,
    status: StatusCode,
    cache_control: &'static str,
    keys_at: &'static str,
    jwks_requests: usize,
    said: Value,
    questions: Vec<Question>,
}

/// What the API asked about a token.
#[derive(Clone, Debug)]
pub struct Question {
    pub authorization: String,
    pub form: String,
}

impl FakeIssuer {
    pub async fn start(keys: &[&TestKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Self::with_keys(url, keys);
        serve(listener, &issuer);
        issuer
    }

    fn with_keys(url: String, keys: &[&TestKey]) -> Self {
        let script = Script {
            metadata: json!({
                "issuer": url,
                "jwks_uri": format!("{url}/jwks"),
                "introspection_endpoint": format!("{url}/introspect"),
            }),
            metadata_at: "/.well-known/openid-configuration",
            keys: jwk_set(keys),
            status: StatusCode::OK,
            cache_control: "",
            keys_at: "/jwks",
            jwks_requests: 0,
            said: json!({ "active": false }),
            questions: Vec::new(),
        };
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { url, script: Arc::new(Mutex::new(script)), gate }
    }

    /// How often its keys were asked for.
    pub fn jwks_requests(&self) -> usize {
        self.script().jwks_requests
    }

    /// What it says of every token that it is asked about.
    pub fn say(&self, said: Value) {
        self.script().said = said;
    }

    /// What it was asked about tokens.
    pub fn questions(&self) -> Vec<Question> {
        self.script().questions.clone()
    }

    pub fn publish(&self, keys: &[&TestKey]) {
        self.script().keys = jwk_set(keys);
    }

    pub fn publish_raw(&self, keys: Value) {
        self.script().keys = keys;
    }

    pub fn set_metadata(&self, metadata: Value) {
        self.script().metadata = metadata;
    }

    pub fn move_metadata_to(&self, path: &'static str) {
        self.script().metadata_at = path;
    }

    /// Every answer has this status from now on.
    pub fn fail_with(&self, status: StatusCode) {
        self.script().status = status;
    }

    /// The keys move, and the old address says where to.
    pub fn redirect_keys(&self) {
        self.script().keys_at = "/moved";
    }

    pub fn set_cache_control(&self, value: &'static str) {
        self.script().cache_control = value;
    }

    /// Requests for the keys hang until [`FakeIssuer::release`].
    pub fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub fn release(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }
}

fn jwk_set(keys: &[&TestKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}

fn serve(listener: TcpListener, issuer: &FakeIssuer) {
    let router = Router::new()
        .route("/jwks", get(jwks))
        .route("/moved", get(jwks))
        .route("/introspect", post(introspect))
        .route("/.well-known/{document}", get(metadata))
        .with_state(issuer.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
}

async fn metadata(State(issuer): State<FakeIssuer>, uri: Uri) -> Response {
    let script = issuer.script();
    let status =
        if uri.path() == script.metadata_at { script.status } else { StatusCode::NOT_FOUND };
    (status, Json(script.metadata.clone())).into_response()
}

async fn jwks(State(issuer): State<FakeIssuer>, uri: Uri) -> Response {
    issuer.script().jwks_requests += 1;
    let _permit = issuer.gate.acquire().await.unwrap();
    let script = issuer.script();
    if uri.path() != script.keys_at {
        return Redirect::temporary(script.keys_at).into_response();
    }
    (script.status, [(CACHE_CONTROL, script.cache_control)], Json(script.keys.clone()))
        .into_response()
}

async fn introspect(
    State(issuer): State<FakeIssuer>,
    headers: HeaderMap,
    form: String,
) -> Response {
    let mut script = issuer.script();
    let authorization = headers.get(AUTHORIZATION).map_or("", |value| value.to_str().unwrap());
    script.questions.push(Question { authorization: authorization.to_owned(), form });
    (script.status, Json(script.said.clone())).into_response()
}
