//! The API under test, with an issuer, a key and a clock of its own.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use private_api::auth::{Setup, Verifier};
use private_api::routes::{Api, router};
use private_api::verify::Rules;
use serde_json::Value;
use tower::ServiceExt;

use super::clock::ManualClock;
use super::issuer::FakeIssuer;
use super::keys::TestKey;
use super::{AUDIENCE, claims};

/// An API and the issuer that it believes.
pub struct Stand {
    pub issuer: FakeIssuer,
    pub key: TestKey,
    pub api: TestApi,
}

impl Stand {
    pub async fn start() -> Self {
        let key = TestKey::p256("first");
        let issuer = FakeIssuer::start(&[&key]).await;
        let api = TestApi::new(&issuer.url, None);
        Self { issuer, key, api }
    }

    /// A good token.
    pub fn token(&self) -> String {
        self.key.token(&claims(&self.issuer.url))
    }
}

/// The API alone.
#[derive(Clone)]
pub struct TestApi {
    router: Router,
    pub verifier: Arc<Verifier>,
    pub clock: Arc<ManualClock>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl TestApi {
    pub fn new(issuer: &str, required_scope: Option<&str>) -> Self {
        Self::by_rules(rules(issuer), required_scope)
    }

    /// One that accepts the tokens of several issuers.
    pub fn believing(issuers: &[&str]) -> Self {
        let issuers = issuers.iter().map(|issuer| issuer.parse().unwrap()).collect();
        Self::by_rules(Rules::several(issuers, AUDIENCE.parse().unwrap()), None)
    }

    fn by_rules(rules: Rules, required_scope: Option<&str>) -> Self {
        Self::made(Setup::new(rules), required_scope)
    }

    /// One made to order, by a clock that the test moves.
    pub fn made(mut setup: Setup, required_scope: Option<&str>) -> Self {
        let clock = Arc::new(ManualClock::default());
        setup.clock = clock.clone();
        Self::around(Verifier::set_up(setup).unwrap(), clock, required_scope)
    }

    /// By the machine's clock, for tokens that were issued just now.
    pub fn live(issuer: &str, required_scope: Option<&str>) -> Self {
        let verifier = Verifier::new(rules(issuer)).unwrap();
        Self::around(verifier, Arc::default(), required_scope)
    }

    fn around(verifier: Verifier, clock: Arc<ManualClock>, required_scope: Option<&str>) -> Self {
        let verifier = Arc::new(verifier);
        let mut api = Api::new(Arc::clone(&verifier));
        api.required_scope = required_scope.map(|scope| scope.parse().unwrap());
        Self { router: router(api), verifier, clock }
    }

    /// The same verifier and clock behind other routes.
    pub fn with_router(&self, router: Router) -> Self {
        Self { router, ..self.clone() }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// GET with these headers.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// GET /private with a token.
    pub async fn private(&self, token: &str) -> Answer {
        self.get("/private", &[("authorization", &format!("Bearer {token}"))]).await
    }
}

/// The strict rules.
pub fn rules(issuer: &str) -> Rules {
    Rules::new(issuer.parse().unwrap(), AUDIENCE.parse().unwrap())
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The first challenge, which is for the scheme that was used.
    pub fn challenge(&self) -> &str {
        self.header("www-authenticate")
    }

    pub fn challenges(&self) -> Vec<&str> {
        let values = self.headers.get_all("www-authenticate").iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }
}
