//! Revocation (RFC 7009).

use crate::stand::{Query, Stand};

#[tokio::test]
async fn revoking_a_refresh_token_ends_its_family() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good().without("resource")).await;
    let first = stand.redeem(&code).await;
    let second = stand.refresh(first.text("refresh_token")).await;
    assert_eq!(stand.revoke(second.text("refresh_token")).await.status, 200);
    stand.refresh(second.text("refresh_token")).await.assert_error(400, "invalid_grant");
    for tokens in [&first, &second] {
        assert_eq!(stand.userinfo(tokens.text("access_token")).await.status, 401);
    }
}

#[tokio::test]
async fn revoking_an_access_token_ends_only_that() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good().without("resource")).await;
    let tokens = stand.redeem(&code).await;
    assert_eq!(stand.revoke(tokens.text("access_token")).await.status, 200);
    assert_eq!(stand.userinfo(tokens.text("access_token")).await.status, 401);
    let next = stand.refresh(tokens.text("refresh_token")).await;
    assert_eq!(stand.userinfo(next.text("access_token")).await.status, 200);
}

#[tokio::test]
async fn an_unknown_token_is_revoked_already() {
    let stand = Stand::new().await;
    assert_eq!(stand.revoke("never-issued").await.status, 200);
}

#[tokio::test]
async fn another_clients_token_stays() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    let form =
        |token| [("client_id", "web-app"), ("client_secret", "web-app-secret"), ("token", token)];
    for token in ["refresh_token", "access_token"] {
        let answer = stand.post("/revoke", &form(tokens.text(token))).await;
        answer.assert_error(400, "invalid_grant");
    }
    assert_eq!(stand.refresh(tokens.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn who_asks_must_say_so() {
    let stand = Stand::new().await;
    stand.post("/revoke", &[("token", "x")]).await.assert_error(401, "invalid_client");
    let nothing = [("client_id", "desktop-broker")];
    stand.post("/revoke", &nothing).await.assert_error(400, "invalid_request");
}
