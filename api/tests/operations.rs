//! What those see who run the API: health, readiness, ids, the description for machines.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use axum::http::StatusCode;
use serde_json::{Value, json};
use support::api::{Stand, TestApi};
use support::eventually;
use support::issuer::{Address, FakeIssuer};
use support::keys::TestKey;

/// R16.
#[tokio::test]
async fn without_an_issuer_the_process_is_healthy_but_not_ready() {
    let address = Address::reserve();
    let api = TestApi::new(&address.url, None);
    assert_eq!(api.get("/healthz", &[]).await.status, StatusCode::OK);
    let answer = api.get("/readyz", &[]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let issuers = json!({ address.url.as_str(): false });
    assert_eq!(answer.json(), json!({ "ready": false, "issuers": issuers }));
}

/// R16.
#[tokio::test]
async fn with_the_keys_of_one_issuer_it_is_ready_and_says_which() {
    let up = FakeIssuer::start(&[&TestKey::p256("first")]).await;
    let down = Address::reserve();
    let api = TestApi::believing(&[&up.url, &down.url]);
    api.verifier.warm_up();
    eventually(|| api.verifier.readiness()[0].1).await;
    let answer = api.get("/readyz", &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    let issuers = json!({ up.url.as_str(): true, down.url.as_str(): false });
    assert_eq!(answer.json(), json!({ "ready": true, "issuers": issuers }));
}

#[tokio::test]
async fn a_request_gets_an_id_of_its_own() {
    let api = Stand::start().await.api;
    let id = async || api.get("/public", &[]).await.header("x-request-id").to_owned();
    let (first, second) = (id().await, id().await);
    assert!(first != second && first.len() >= 16, "{first} {second}");
    let refused = api.get("/private", &[]).await;
    assert!(!refused.header("x-request-id").is_empty());
}

#[tokio::test]
async fn a_request_keeps_the_id_that_it_came_with_if_that_is_plain() {
    let api = Stand::start().await.api;
    let long = "x".repeat(65);
    for (id, kept) in [("a-1.B_2", true), ("two words", false), (&long, false), ("a\"b", false)] {
        let answer = api.get("/public", &[("x-request-id", id)]).await;
        assert_eq!(answer.header("x-request-id") == id, kept, "{id}");
    }
}

#[tokio::test]
async fn where_nobody_collects_figures_there_are_none() {
    let answer = Stand::start().await.api.get("/metrics", &[]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_description_names_every_route_and_its_answers() {
    let document = Stand::start().await.api.get("/openapi.json", &[]).await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let statuses = |path: &str| -> Vec<String> {
        let answers = document["paths"][path]["get"]["responses"].as_object().unwrap();
        answers.keys().cloned().collect()
    };
    assert_eq!(statuses("/public"), ["200"]);
    for path in ["/private", "/private/recent"] {
        assert_eq!(statuses(path), ["200", "400", "401", "403", "503"]);
        let security = &document["paths"][path]["get"]["security"];
        assert_eq!(security, &json!([{ "access_token": [] }]));
    }
    assert_eq!(statuses("/readyz"), ["200", "503"]);
    let known: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
    let routes = ["/.well-known/oauth-protected-resource", "/healthz", "/metrics", "/openapi.json"];
    assert!(routes.iter().all(|route| known.iter().any(|path| path == route)), "{known:?}");
    let scheme = &document["components"]["securitySchemes"]["access_token"];
    assert_eq!(scheme["scheme"], Value::from("bearer"));
}
