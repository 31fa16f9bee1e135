//! Refresh tokens: rotation, reuse, narrowing.

use std::time::Duration;

use dev_issuer::Options;

use crate::stand::{API, Query, Stand, claims, refresh_form};

#[tokio::test]
async fn each_refresh_gives_a_new_refresh_token() {
    let stand = Stand::new().await;
    let first = stand.signed_in().await;
    let second = stand.refresh(first.text("refresh_token")).await;
    let third = stand.refresh(second.text("refresh_token")).await;
    assert_eq!(third.status, 200);
    assert_ne!(first.text("refresh_token"), second.text("refresh_token"));
    assert_ne!(first.text("access_token"), second.text("access_token"));
    let (before, after) = (claims(first.text("id_token")), claims(second.text("id_token")));
    assert_eq!((&before["sub"], &before["iss"]), (&after["sub"], &after["iss"]));
    assert_eq!(before["auth_time"], after["auth_time"]);
    assert!(after["nonce"].is_null());
}

#[tokio::test]
async fn a_reused_refresh_token_revokes_the_family() {
    let stand = Stand::new().await;
    let first = stand.signed_in().await;
    let second = stand.refresh(first.text("refresh_token")).await;
    stand.refresh(first.text("refresh_token")).await.assert_error(400, "invalid_grant");
    stand.refresh(second.text("refresh_token")).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_stolen_token_is_noticed_whatever_it_asks_for() {
    let stand = Stand::new().await;
    let first = stand.signed_in().await;
    let second = stand.refresh(first.text("refresh_token")).await;
    let mut form = refresh_form(first.text("refresh_token"));
    form.push(("scope", "everything"));
    stand.token(&form).await.assert_error(400, "invalid_grant");
    stand.refresh(second.text("refresh_token")).await.assert_error(400, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_refreshes_at_once_one_at_most_succeeds() {
    let stand = Stand::new().await;
    for _ in 0..5 {
        let tokens = stand.signed_in().await;
        let token = tokens.text("refresh_token");
        let (one, other) = tokio::join!(stand.refresh(token), stand.refresh(token));
        assert!(one.status == 400 || other.status == 400, "{one:?} {other:?}");
    }
}

#[tokio::test]
async fn within_the_grace_a_used_token_is_taken_again() {
    let refresh_grace = Duration::from_secs(30);
    let stand = Stand::with(Options { refresh_grace, ..Options::default() }).await;
    let first = stand.signed_in().await;
    assert_eq!(stand.refresh(first.text("refresh_token")).await.status, 200);
    let again = stand.refresh(first.text("refresh_token")).await;
    assert_eq!(again.status, 200);
    stand.issuer.advance_clock(refresh_grace);
    stand.refresh(first.text("refresh_token")).await.assert_error(400, "invalid_grant");
    stand.refresh(again.text("refresh_token")).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_expires() {
    let refresh_ttl = Duration::from_mins(1);
    let stand = Stand::with(Options { refresh_ttl, ..Options::default() }).await;
    let first = stand.signed_in().await;
    stand.issuer.advance_clock(Duration::from_secs(50));
    let second = stand.refresh(first.text("refresh_token")).await;
    assert_eq!(second.status, 200);
    stand.issuer.advance_clock(refresh_ttl);
    stand.refresh(second.text("refresh_token")).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_narrower_scope_narrows_the_access_token_only() {
    let stand = Stand::new().await;
    let first = stand.signed_in().await;
    let mut form = refresh_form(first.text("refresh_token"));
    form.push(("scope", "messages.read"));
    let narrow = stand.token(&form).await;
    assert_eq!(narrow.body["scope"], "messages.read");
    assert_eq!(claims(narrow.text("access_token"))["scope"], "messages.read");
    let wide = stand.refresh(narrow.text("refresh_token")).await;
    assert_eq!(wide.body["scope"], first.body["scope"]);
}

#[tokio::test]
async fn asking_for_more_than_was_granted_costs_nothing() {
    let stand = Stand::new().await;
    let query = Query::good().with("scope", "openid offline_access");
    let first = stand.redeem(&stand.code(&query).await).await;
    let token = first.text("refresh_token");
    for (error, name, value) in [
        ("invalid_scope", "scope", "openid messages.read"),
        ("invalid_target", "resource", "https://other.example"),
    ] {
        let mut form = refresh_form(token);
        form.push((name, value));
        stand.token(&form).await.assert_error(400, error);
    }
    assert_eq!(stand.refresh(token).await.status, 200);
}

#[tokio::test]
async fn one_of_several_resources_can_be_picked() {
    let stand = Stand::new().await;
    let query = Query::good().and("resource", "urn:acme:billing");
    let first = stand.redeem(&stand.code(&query).await).await;
    let mut form = refresh_form(first.text("refresh_token"));
    form.push(("resource", "urn:acme:billing"));
    let picked = stand.token(&form).await;
    assert_eq!(claims(picked.text("access_token"))["aud"], "urn:acme:billing");
    let mut form = refresh_form(picked.text("refresh_token"));
    form.push(("resource", API));
    assert_eq!(claims(stand.token(&form).await.text("access_token"))["aud"], API);
}

#[tokio::test]
async fn a_refresh_token_is_bound_to_its_client() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    let mut form = refresh_form(tokens.text("refresh_token"));
    form[1] = ("client_id", "web-app");
    form.push(("client_secret", "web-app-secret"));
    stand.token(&form).await.assert_error(400, "invalid_grant");
    assert_eq!(stand.refresh(tokens.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_is_no_code_and_no_access_token() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    stand.redeem(tokens.text("refresh_token")).await.assert_error(400, "invalid_grant");
    stand.refresh(tokens.text("access_token")).await.assert_error(400, "invalid_grant");
    assert_eq!(stand.userinfo(tokens.text("refresh_token")).await.status, 401);
}
