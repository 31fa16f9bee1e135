//! Authorization requests that are not served, and who is told.

use dev_issuer::Options;

use crate::stand::{API, CHALLENGE, Query, REDIRECT, Stand};

#[tokio::test]
async fn without_a_trusted_address_the_person_is_told_on_a_page() {
    let stand = Stand::new().await;
    let good = Query::good;
    for query in [
        good().with("client_id", "nobody"),
        good().without("client_id"),
        good().and("client_id", "desktop-broker"),
        good().without("redirect_uri"),
        good().and("redirect_uri", REDIRECT),
        good().with("redirect_uri", "http://127.0.0.1:9/callback/"),
        good().with("redirect_uri", "https://evil.example/callback"),
        good().with("redirect_uri", "http://127.0.0.1:9@evil.example/callback"),
        good().with("redirect_uri", "http://localhost:9/callback"),
    ] {
        let response = stand.http.get(stand.authorization_url(&query)).send().await.unwrap();
        assert_eq!(response.status(), 400, "{query:?}");
        assert!(response.headers().get("location").is_none(), "{query:?}");
        assert!(response.text().await.unwrap().contains("This cannot go on"));
    }
}

#[tokio::test]
async fn every_other_error_is_sent_to_the_client_with_state_and_issuer() {
    let resources = vec![API.to_owned()];
    let stand = Stand::with(Options { resources, ..Options::default() }).await;
    let good = Query::good;
    for (error, query) in [
        ("invalid_request", good().without("response_type")),
        ("unsupported_response_type", good().with("response_type", "token")),
        ("unsupported_response_type", good().with("response_type", "code id_token")),
        ("invalid_request", good().with("response_mode", "fragment")),
        ("invalid_request", good().without("code_challenge")),
        ("invalid_request", good().without("code_challenge_method")),
        ("invalid_request", good().with("code_challenge_method", "plain")),
        ("invalid_request", good().with("code_challenge", &CHALLENGE[1..])),
        ("invalid_request", good().with("code_challenge", &CHALLENGE.replace('-', "+"))),
        ("invalid_scope", good().without("scope")),
        ("invalid_scope", good().with("scope", " ")),
        ("invalid_scope", good().with("scope", "openid everything")),
        ("invalid_target", good().with("resource", "https://other.example")),
        ("invalid_target", good().with("resource", "/relative")),
        ("invalid_target", good().with("resource", "https://api.example#part")),
        ("invalid_target", good().and("resource", "https://other.example")),
        ("invalid_request", good().with("prompt", "none login")),
        ("invalid_request", good().with("prompt", "maybe")),
        ("invalid_request", good().with("max_age", "-1")),
        ("invalid_request", good().with("max_age", "soon")),
        ("invalid_request", good().with("id_token_hint", "a.b.c")),
        ("invalid_request", good().and("nonce", "nonce-2")),
        ("invalid_request", good().and("anything", "1").and("anything", "2")),
        ("request_not_supported", good().with("request", "a.b.c")),
        ("request_uri_not_supported", good().with("request_uri", "urn:x")),
    ] {
        let answer = stand.answer(&query).await;
        assert_eq!(answer.get("error"), Some(error), "{query:?}");
        assert!(answer.get("error_description").is_some());
        assert_eq!(answer.get("state"), Some("state-1"), "{query:?}");
        assert_eq!(answer.get("iss"), Some(stand.issuer.url()));
        assert_eq!(answer.get("code"), None);
    }
}

#[tokio::test]
async fn a_repeated_state_is_refused_and_not_sent_back() {
    let stand = Stand::new().await;
    let answer = stand.answer(&Query::good().and("state", "state-2")).await;
    assert_eq!(answer.get("error"), Some("invalid_request"));
    assert_eq!(answer.get("state"), None);
}

#[tokio::test]
async fn unknown_parameters_and_empty_ones_change_nothing() {
    let stand = Stand::new().await;
    let query = Query::good()
        .with("ui_locales", "fr-CA")
        .with("something", "else")
        .with("max_age", "")
        .with("login_hint", "");
    assert!(stand.answer(&query).await.get("code").is_some());
}

#[tokio::test]
async fn the_own_userinfo_endpoint_is_a_resource_whatever_the_list_says() {
    let resources = vec![API.to_owned()];
    let stand = Stand::with(Options { resources, ..Options::default() }).await;
    let query = Query::good().with("resource", &stand.at("/userinfo"));
    assert!(stand.answer(&query).await.get("code").is_some());
}
