//! Routes for which a token alone is not enough: how and when its subject signed in counts too.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use private_api::auth::{Authenticated, StepUp};
use private_api::error::Rejection;
use serde_json::{Value, json};
use support::api::{Answer, Stand, TestApi};
use support::proof::{Client, TARGET};
use support::{NOW, claims, with};

const RECENT: &str = "Only users who have just signed in can read this message.";

/// GET /private/recent with a token that has these claims too.
async fn recent(more: &Value) -> Answer {
    let stand = Stand::start().await;
    let token = stand.key.token(&with(claims(&stand.issuer.url), more));
    get_as(&stand.api, "/private/recent", &token).await
}

async fn get_as(api: &TestApi, path: &str, token: &str) -> Answer {
    api.get(path, &[("authorization", &format!("Bearer {token}"))]).await
}

/// R22.
#[tokio::test]
async fn a_sign_in_of_the_last_five_minutes_reads_the_recent_message() {
    for age in [0, 1, 300] {
        let answer = recent(&json!({ "auth_time": NOW - age })).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, RECENT));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

/// R22.
#[tokio::test]
async fn an_older_sign_in_is_told_how_new_it_must_be() {
    for auth_time in [json!(NOW - 301), json!(0), Value::Null] {
        let answer = recent(&json!({ "auth_time": auth_time })).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let challenge = answer.challenge();
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
        assert!(challenge.ends_with(r#"max_age="300""#), "{challenge}");
        assert_eq!(answer.json()["error"], "insufficient_user_authentication");
    }
}

/// R22.
#[tokio::test]
async fn the_same_token_still_reads_the_private_message() {
    let stand = Stand::start().await;
    let old = json!({ "auth_time": NOW - 3600 });
    let token = stand.key.token(&with(claims(&stand.issuer.url), &old));
    assert_eq!(stand.api.private(&token).await.status, StatusCode::OK);
}

/// R22: the scheme that was used gets the challenge.
#[tokio::test]
async fn a_bound_token_is_asked_to_step_up_in_its_own_scheme() {
    let client = Client::start().await;
    let authorization = format!("DPoP {}", client.token);
    let target = json!({ "htu": format!("{TARGET}/recent") });
    let proof = client.proof_but(&json!({}), &target);
    let headers =
        [("host", "api.test"), ("authorization", authorization.as_str()), ("dpop", &proof)];
    let answer = client.api.get("/private/recent", &headers).await;
    let [challenge] = answer.challenges()[..] else { panic!("{answer:?}") };
    assert!(challenge.starts_with("DPoP "), "{challenge}");
    assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
}

/// A handler of somebody else's server, for the strongly authenticated alone.
async fn strong(caller: Authenticated) -> Result<&'static str, Rejection> {
    let acr_values = ["phr", "phrh"].map(|acr| acr.parse().unwrap()).to_vec();
    caller.require_sign_in(&StepUp { max_age: None, acr_values })?;
    Ok("strong")
}

/// R22.
#[tokio::test]
async fn a_route_can_ask_for_an_authentication_context_class() {
    let stand = Stand::start().await;
    let router = Router::new().route("/", get(strong)).with_state(stand.api.verifier.clone());
    let api = stand.api.with_router(router);
    for (acr, good) in [(json!("phr"), true), (json!("phrh"), true), (json!("pwd"), false)] {
        let token = stand.key.token(&with(claims(&stand.issuer.url), &json!({ "acr": acr })));
        let answer = get_as(&api, "/", &token).await;
        if good {
            assert_eq!(answer.body, "strong");
        } else {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
            assert!(answer.challenge().ends_with(r#"acr_values="phr phrh""#), "{answer:?}");
        }
    }
}
