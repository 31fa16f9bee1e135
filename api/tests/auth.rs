//! The part that other servers use: the extractor, the layer, and the example of both.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Request, Response, StatusCode, request};
use axum::routing::get;
use private_api::auth::{Authenticated, RequireToken, Setup, Verifier};
use serde_json::json;
use support::api::{Stand, TestApi, rules};
use support::proof::Client;
use support::{claims, with};
use tower::{Layer, ServiceExt, service_fn};

/// The extractor works behind the state of any router.
#[tokio::test]
async fn a_caller_without_a_token_never_reaches_the_handler() {
    async fn unreachable(State(_): State<Arc<Verifier>>, _: Authenticated) -> &'static str {
        "reached"
    }
    let stand = Stand::start().await;
    let router = Router::new().route("/", get(unreachable)).with_state(stand.api.verifier.clone());
    let answer = stand.api.with_router(router).get("/", &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

/// A router whose handler asks for nothing, behind the layer.
fn guarded(api: &TestApi, guard: RequireToken) -> TestApi {
    api.with_router(Router::new().route("/private", get(|| async { "served" })).route_layer(guard))
}

#[tokio::test]
async fn the_layer_guards_handlers_that_ask_for_nothing() {
    let stand = Stand::start().await;
    let api = guarded(&stand.api, RequireToken::new(stand.api.verifier.clone()));
    let refused = api.get("/private", &[]).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.challenge().starts_with("Bearer realm="), "{refused:?}");
    assert_eq!(api.private(&stand.token()).await.body, "served");
}

/// R13.
#[tokio::test]
async fn the_layer_asks_for_a_scope_where_one_is_named() {
    let stand = Stand::start().await;
    let guard = RequireToken::new(stand.api.verifier.clone());
    let api = guarded(&stand.api, guard.with_scope("mail.write".parse().unwrap()));
    let refused = api.private(&stand.token()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.challenge().contains(r#"scope="mail.write""#), "{refused:?}");
    let granted = json!({ "scope": "openid mail.write" });
    let granted = stand.key.token(&with(claims(&stand.issuer.url), &granted));
    assert_eq!(api.private(&granted).await.body, "served");
}

/// R17: a proof is good once, so a second check would refuse the request.
#[tokio::test]
async fn what_the_layer_found_out_is_not_found_out_again() {
    async fn whoami(caller: Authenticated) -> String {
        caller.claims().sub().to_owned()
    }
    let client = Client::start().await;
    let verifier = &client.api.verifier;
    let router = Router::new().route("/private", get(whoami));
    let router = router.route_layer(RequireToken::new(Arc::clone(verifier)));
    let api = client.api.with_router(router.with_state(Arc::clone(verifier)));
    let client = Client { api, ..client };
    assert_eq!(client.private(&client.proof()).await.body, "alice");
}

/// R09: a token for the API around another is none for the inner one.
#[tokio::test]
async fn the_word_of_another_verifier_does_not_count() {
    async fn inner(_: Authenticated) -> &'static str {
        "reached"
    }
    let stand = Stand::start().await;
    let mut other = rules(&stand.issuer.url);
    other.audience = "urn:test:other".parse().unwrap();
    let other = TestApi::made(Setup::new(other), None).verifier;
    let router = Router::new().route("/private", get(inner)).with_state(other);
    let api = stand.api.with_router(router.layer(RequireToken::new(stand.api.verifier.clone())));
    assert_eq!(api.private(&stand.token()).await.status, StatusCode::UNAUTHORIZED);
}

/// Neither axum's router nor its body: a plain HTTP service.
#[tokio::test]
async fn the_layer_guards_services_that_are_none_of_axum() {
    let service = service_fn(async |request: Request<()>| {
        let caller = request.extensions().get::<Authenticated>().unwrap().claims().sub().to_owned();
        Ok::<_, Infallible>(Response::new(caller))
    });
    let stand = Stand::start().await;
    let service = RequireToken::new(stand.api.verifier.clone()).layer(service);
    let ask = |request: request::Builder| {
        let service = service.clone();
        async move { service.oneshot(request.body(()).unwrap()).await.unwrap() }
    };
    let refused: Response<Body> = ask(Request::get("/")).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let bearer = format!("Bearer {}", stand.token());
    let served = ask(Request::get("/").header("authorization", bearer)).await;
    assert_eq!(to_bytes(served.into_body(), 64).await.unwrap(), "alice");
}

/// Whoever copies the example has a server that lets nobody in by mistake.
#[cfg(unix)]
#[tokio::test]
async fn the_example_runs_and_serves_only_callers_with_the_scope() {
    use reqwest::StatusCode;
    use support::running::{Example, claims_now};

    let stand = Stand::start().await;
    let example = Example::start("orders", &stand.issuer.url);
    assert_eq!(example.get("garbage").await.0, StatusCode::UNAUTHORIZED);
    let token = stand.key.token(&claims_now(&stand.issuer.url));
    assert_eq!(example.get(&token).await.0, StatusCode::FORBIDDEN);
    let granted = with(claims_now(&stand.issuer.url), &json!({ "scope": "orders.read" }));
    let (status, body) = example.get(&stand.key.token(&granted)).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "The orders of alice"));
}
