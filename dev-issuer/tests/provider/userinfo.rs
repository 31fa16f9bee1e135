//! The UserInfo endpoint.

use std::time::Duration;

use serde_json::json;

use crate::stand::{Answer, Query, Stand, claims};

#[tokio::test]
async fn a_token_without_a_resource_is_for_userinfo() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good().without("resource").with("scope", "openid email")).await;
    let tokens = stand.redeem(&code).await;
    assert_eq!(claims(tokens.text("access_token"))["aud"], stand.at("/userinfo"));
    let info = stand.userinfo(tokens.text("access_token")).await;
    let sub = &claims(tokens.text("id_token"))["sub"];
    assert_eq!(
        info.body,
        json!({ "sub": sub, "email": "alice@example.com", "email_verified": true })
    );
}

#[tokio::test]
async fn a_token_for_an_api_is_refused() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    let refused = stand.userinfo(tokens.text("access_token")).await;
    assert_eq!(refused.status, 401);
    assert!(refused.headers["www-authenticate"].contains("error=\"invalid_token\""));
}

#[tokio::test]
async fn an_id_token_is_refused() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    assert_eq!(stand.userinfo(tokens.text("id_token")).await.status, 401);
}

#[tokio::test]
async fn a_token_without_openid_has_too_little_scope() {
    let stand = Stand::new().await;
    let query = Query::good().without("resource").with("scope", "messages.read");
    let tokens = stand.redeem(&stand.code(&query).await).await;
    let refused = stand.userinfo(tokens.text("access_token")).await;
    assert_eq!(refused.status, 403);
    assert!(refused.headers["www-authenticate"].contains("insufficient_scope"));
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good().without("resource")).await;
    let tokens = stand.redeem(&code).await;
    stand.issuer.advance_clock(Duration::from_mins(5));
    assert_eq!(stand.userinfo(tokens.text("access_token")).await.status, 401);
}

#[tokio::test]
async fn without_a_token_the_challenge_names_no_error() {
    let stand = Stand::new().await;
    let answer = stand.get("/userinfo").await;
    assert_eq!(answer.status, 401);
    assert!(!answer.headers["www-authenticate"].contains("error"));
    let twice = stand.http.get(stand.at("/userinfo")).bearer_auth("a").bearer_auth("b");
    assert_eq!(Answer::of(twice).await.status, 400);
}

#[tokio::test]
async fn a_minted_token_that_was_never_issued_is_refused() {
    let stand = Stand::new().await;
    let claims = stand.issuer.sample_claims(&stand.at("/userinfo"), "openid");
    let token = stand.issuer.mint(claims, json!({}));
    assert_eq!(stand.userinfo(&token).await.status, 401);
}
