//! Accounts without a person (RFC 6749 §4.4).

use crate::stand::{ALLOW_ALL, RESOURCE, Stand, claims};

/// A stand whose provider is a service that proves itself with a secret.
async fn service() -> Stand {
    let stand = Stand::new().await;
    stand.write_private("secret", "web-app-secret\n");
    let text = format!(
        "{ALLOW_ALL}[provider.backup]\nissuer = {:?}\nclient_id = \"web-app\"\nflow = \"client_credentials\"\n\
         scopes = [\"messages.read\"]\nresources = [{RESOURCE:?}]\n\
         client_auth = {{ method = \"client_secret_basic\", file = {:?} }}\n[vault]\nkey = \"memory\"\n",
        stand.issuer.url(),
        stand.path("secret").display(),
    );
    std::fs::write(stand.path("config.toml"), text).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    stand
}

#[tokio::test]
async fn a_service_has_an_account_and_tokens_without_a_sign_in() {
    let stand = service().await;
    let accounts = stand.ctl(["accounts", "--json"]).await.json();
    assert_eq!(accounts[0]["state"], "ready");
    assert_eq!(accounts[0]["username"], "web-app");
    assert_eq!(accounts[0]["subject"], "web-app");
    let token = stand.ctl(["token"]).await;
    let claims = claims(token.line());
    assert_eq!(claims["aud"], RESOURCE);
    assert_eq!(claims["scope"], "messages.read");
    assert_eq!(stand.ctl(["token"]).await.line(), token.line(), "kept until it runs out");
    assert_eq!(stand.grants("client_credentials"), 1);
    assert_ne!(stand.ctl(["token", "--force"]).await.line(), token.line());
}

#[tokio::test]
async fn nothing_of_a_service_is_kept_and_signing_it_out_drops_its_tokens() {
    let stand = service().await;
    let token = stand.ctl(["token"]).await;
    let ran = stand.ctl(["logout", "--no-browser"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json()[0]["state"], "ready");
    assert_ne!(stand.ctl(["token"]).await.line(), token.line());
    assert_eq!(stand.records(), [""; 0]);
}

#[tokio::test]
async fn a_login_asks_the_provider_whether_the_credentials_are_good() {
    let stand = service().await;
    let ran = stand.ctl(["login", "backup"]).await;
    assert!(ran.line().starts_with("backup-"), "{ran:?}");
    stand.write_private("secret", "wrong\n");
    stand.ctl(["login", "backup"]).await.assert_fails(1, "invalid_client", "");
}

#[tokio::test]
async fn a_service_that_is_configured_no_more_is_gone() {
    let stand = service().await;
    stand.configure("desktop-broker", "");
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json(), serde_json::json!([]));
}

#[tokio::test]
async fn a_client_that_proves_nothing_is_no_service() {
    let stand = Stand::new().await;
    stand.configure("desktop-broker", "flow = \"client_credentials\"");
    stand.ctl(["config", "check"]).await.assert_fails(7, "must prove itself", "config check");
}

#[tokio::test]
async fn the_secret_is_in_no_log_and_in_no_file_of_the_broker() {
    let stand = service().await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
    assert!(!stand.log().contains("web-app-secret"));
    for file in std::fs::read_dir(stand.path("state")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read(&path).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&text).contains("web-app-secret"), "{path:?}");
    }
}
