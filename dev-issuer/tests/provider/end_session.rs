//! RP-initiated logout.

use dev_issuer::user_agent::Consent;
use url::Url;

use crate::stand::{Query, Stand};

const AFTER: &str = "http://127.0.0.1:9/signed-out";

fn url(stand: &Stand, parameters: &[(&str, &str)]) -> String {
    Url::parse_with_params(&stand.at("/end_session"), parameters).unwrap().into()
}

async fn is_signed_in(stand: &Stand) -> bool {
    stand.answer(&Query::good().with("prompt", "none")).await.get("code").is_some()
}

/// The browser would follow a redirect to nowhere; what it says then tells where it went.
async fn end(stand: &Stand, parameters: &[(&str, &str)]) -> String {
    match stand.browser.visit(&url(stand, parameters)).await {
        Ok(visit) => visit.title,
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn an_id_token_ends_the_session_and_sends_the_browser_back() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    let parameters = [
        ("id_token_hint", tokens.text("id_token")),
        ("post_logout_redirect_uri", AFTER),
        ("state", "s"),
    ];
    assert_eq!(end(&stand, &parameters).await, format!("{AFTER} does not answer"));
    assert!(!is_signed_in(&stand).await);
}

#[tokio::test]
async fn the_state_comes_back() {
    let stand = Stand::new().await;
    let parameters =
        [("client_id", "desktop-broker"), ("post_logout_redirect_uri", AFTER), ("state", "s & t")];
    let response = stand.http.get(url(&stand, &parameters)).send().await.unwrap();
    assert_eq!(response.headers()["location"], format!("{AFTER}?state=s+%26+t"));
}

#[tokio::test]
async fn without_an_address_a_page_says_it_is_done() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    let title = end(&stand, &[("id_token_hint", tokens.text("id_token"))]).await;
    assert_eq!(title, "Signed out · Dev Issuer");
}

#[tokio::test]
async fn without_an_id_token_the_person_is_asked() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    assert_eq!(end(&stand, &[]).await, "Sign out? · Dev Issuer");
    let garbage = [("id_token_hint", "a.b.c")];
    assert_eq!(end(&stand, &garbage).await, "Sign out? · Dev Issuer");
    let access_token = [("id_token_hint", tokens.text("access_token"))];
    assert_eq!(end(&stand, &access_token).await, "Sign out? · Dev Issuer");
    assert!(is_signed_in(&stand).await);
}

#[tokio::test]
async fn the_id_token_of_someone_else_ends_nothing_unasked() {
    let stand = Stand::new().await;
    let alice = stand.signed_in().await;
    let query = Query::good().with("prompt", "login");
    stand.answer_to("bob", "builder", Consent::Allow, &query).await;
    let hint = [("id_token_hint", alice.text("id_token"))];
    assert_eq!(end(&stand, &hint).await, "Sign out? · Dev Issuer");
    assert!(is_signed_in(&stand).await);
}

#[tokio::test]
async fn an_answer_without_the_pages_token_changes_nothing() {
    let stand = Stand::new().await;
    stand.signed_in().await;
    end(&stand, &[]).await;
    let form = [("token", "guessed"), ("decision", "sign-out")];
    assert_eq!(stand.post("/sign-out", &form).await.status, 403);
    assert!(is_signed_in(&stand).await);
}

#[tokio::test]
async fn strangers_addresses_and_contradictions_get_a_page() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    let hint = ("id_token_hint", tokens.text("id_token"));
    for parameters in [
        vec![hint, ("post_logout_redirect_uri", "https://evil.example/")],
        vec![hint, ("post_logout_redirect_uri", "http://127.0.0.1:9/callback")],
        vec![("post_logout_redirect_uri", AFTER)],
        vec![hint, ("client_id", "web-app")],
        vec![("client_id", "nobody")],
        vec![hint, hint],
    ] {
        assert_eq!(end(&stand, &parameters).await, "This cannot go on · Dev Issuer");
    }
    assert!(is_signed_in(&stand).await);
}
