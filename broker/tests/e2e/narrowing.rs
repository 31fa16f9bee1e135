//! Tokens with less than was granted (RFC 6749 §6, RFC 8707, RFC 8693).

use authbroker_client::TokenRequest;

use dev_issuer::{Offer, Options, Switch};

use crate::stand::{RESOURCE, Stand, claims};

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

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

/// Alice, at a provider that exchanges tokens.
async fn exchanging(token_exchange: Switch) -> Stand {
    let stand = Stand::with(Options { token_exchange, ..Options::default() }).await;
    stand.sign_in("alice").await;
    stand
}

#[tokio::test]
async fn where_the_provider_exchanges_tokens_the_refresh_token_is_left_alone() {
    let stand = exchanging(Switch::On).await;
    let app = stand.app().await;
    let token = app.token(TokenRequest::new().scope("messages.read")).await.unwrap();
    assert_eq!(claims(token.expose())["scope"], "messages.read");
    assert_eq!(claims(token.expose())["aud"], RESOURCE);
    assert_eq!((stand.grants(TOKEN_EXCHANGE), stand.grants("refresh_token")), (1, 0));
}

#[tokio::test]
async fn a_bound_token_is_exchanged_for_one_that_is_bound_to_the_same_key() {
    let options =
        Options { token_exchange: Switch::On, dpop: Offer::Offered, ..Options::default() };
    let stand = Stand::configured(options, "dpop = \"always\"").await;
    stand.sign_in("alice").await;
    let app = stand.app().await;
    let broad = app.token(TokenRequest::new()).await.unwrap();
    let narrow = app.token(TokenRequest::new().scope("messages.read")).await.unwrap();
    assert_eq!(narrow.token_type(), "DPoP");
    assert_eq!(claims(narrow.expose())["cnf"], claims(broad.expose())["cnf"]);
    assert_eq!(stand.grants(TOKEN_EXCHANGE), 1);
}

#[tokio::test]
async fn where_it_does_not_it_is_not_even_asked() {
    let stand = exchanging(Switch::Off).await;
    let app = stand.app().await;
    app.token(TokenRequest::new().scope("messages.read")).await.unwrap();
    assert_eq!((stand.grants(TOKEN_EXCHANGE), stand.grants("refresh_token")), (0, 1));
}
