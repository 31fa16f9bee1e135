//! Tokens with less than was granted (RFC 6749 §6, RFC 8707, RFC 8693).

use authbroker_client::TokenRequest;

use crate::stand::{RESOURCE, Stand, claims};

#[tokio::test]
async fn fifty_narrowed_requests_of_one_moment_are_one_call_and_the_token_is_kept() {
    let stand = Stand::signed_in().await;
    let app = stand.app().await;
    let ask = || app.token(TokenRequest::new().scope("messages.read"));
    let tokens = futures_util::future::join_all((0..50).map(|_| ask())).await;
    let texts: std::collections::BTreeSet<_> =
        tokens.into_iter().map(|token| token.unwrap().expose().to_owned()).collect();
    assert_eq!(texts.len(), 1);
    assert_eq!(claims(texts.first().unwrap())["scope"], "messages.read");
    assert_eq!(stand.grants("refresh_token"), 1);
    ask().await.unwrap();
    assert_eq!(stand.grants("refresh_token"), 1);
}

#[tokio::test]
async fn two_apis_never_share_a_token() {
    let stand = Stand::signed_in().await;
    let login = stand.begin_login(["--resource", "https://other.example"]).await;
    login.browse("alice").await;
    assert_eq!(login.end().await.code, 0);
    let app = stand.app().await;
    let token = |resource: &str| app.token(TokenRequest::new().resource(resource));
    let (usual, other) =
        (token(RESOURCE).await.unwrap(), token("https://other.example").await.unwrap());
    assert_eq!(claims(usual.expose())["aud"], RESOURCE);
    assert_eq!(claims(other.expose())["aud"], "https://other.example");
}

#[tokio::test]
async fn an_answer_for_one_api_does_not_narrow_what_another_may_ask_for() {
    let stand = Stand::signed_in().await;
    let app = stand.app().await;
    app.token(TokenRequest::new().scope("openid")).await.unwrap();
    app.token(TokenRequest::new().force()).await.unwrap();
    let token = app.token(TokenRequest::new().scope("messages.read")).await.unwrap();
    assert_eq!(token.scopes, ["messages.read"]);
}
