//! Demands of the standards that have no other home.

use dev_issuer::{Fault, Offer, Options, Times};
use serde_json::json;
use tokio::net::TcpListener;

use crate::stand::Stand;

/// C10.
#[tokio::test]
async fn no_other_flow_can_be_configured() {
    let stand = Stand::new().await;
    for flow in ["implicit", "hybrid", "password"] {
        stand.configure("desktop-broker", &format!("flow = {flow:?}"));
        let ran = stand.ctl(["config", "check"]).await;
        assert_eq!(ran.code, 7, "{flow}: {ran:?}");
    }
    stand.configure("desktop-broker", "authorize = { response_type = \"token\" }");
    stand.ctl(["config", "check"]).await.assert_fails(7, "response_type", "config check");
}

/// C11.
#[tokio::test]
async fn a_sign_in_asks_for_openid_and_for_consent_to_stay() {
    let stand = Stand::new().await;
    let text = std::fs::read_to_string(stand.path("config.toml")).unwrap();
    std::fs::write(stand.path("config.toml"), text.replace("\"openid\", ", "")).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    let login = stand.begin_login([]).await;
    let url = url::Url::parse(&login.url).unwrap();
    let sent = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    let scope = sent("scope");
    let scopes: Vec<_> = scope.split(' ').collect();
    assert!(scopes.contains(&"openid") && scopes.contains(&"offline_access"), "{scope}");
    assert_eq!(sent("prompt"), "consent");
}

/// C41: a provider that has no other document than that of RFC 8414, at its own place.
#[tokio::test]
async fn a_provider_with_the_oauth_document_only_is_understood() {
    let stand = Stand::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}/tenant", listener.local_addr().unwrap());
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
    });
    let answer = move || async move { axum::Json(document) };
    let place = "/.well-known/oauth-authorization-server/tenant";
    let routes = axum::Router::new().route(place, axum::routing::get(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let text = format!("[provider.other]\nissuer = {issuer:?}\nclient_id = \"c\"\n");
    std::fs::write(stand.path("config.toml"), text).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    let login = stand.begin_login(["other"]).await;
    assert!(login.url.starts_with(&format!("{issuer}/authorize?")), "{}", login.url);
}

/// C105.
#[tokio::test]
async fn a_provider_that_asks_for_nonces_without_end_is_given_up() {
    let options = Options { dpop: Offer::Offered, ..Options::default() };
    let stand = Stand::configured(options, "dpop = \"always\"").await;
    stand.issuer.inject(Fault::dpop_nonce_loop(), Times::Always);
    let login = stand.begin_login([]).await;
    login.browse("alice").await;
    login.end().await.assert_fails(1, "use_dpop_nonce", "");
    assert_eq!(stand.grants("authorization_code"), 2, "once more, and no more than that");
    stand.issuer.clear_faults();
    stand.sign_in("alice").await;
}
