//! Clients that prove who they are, and providers that are configured in other ways.

use std::os::unix::fs::PermissionsExt as _;

use crate::stand::{Stand, claims};

const SECRET: &str = "web-app-secret";

/// A stand whose client has a secret, in a private file.
async fn confidential(method: &str) -> Stand {
    let stand = Stand::new().await;
    let file = stand.path("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let extra = format!("client_auth = {{ method = {method:?}, file = {:?} }}", file.display());
    stand.configure("web-app", &extra);
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    stand
}

async fn lives_through_a_whole_sign_in(stand: &Stand, authorization: Option<&str>) {
    stand.sign_in("alice").await;
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    let ran = stand.ctl(["logout", "--no-browser"]).await;
    assert!(ran.err.contains("the provider revoked the tokens"), "{ran:?}");
    let asked = stand.issuer.requests();
    let mut authenticated = asked.iter().filter(|r| r.path == "/token" || r.path == "/revoke");
    assert!(authenticated.all(|request| request.authorization.as_deref() == authorization));
    assert!(!stand.log().contains(SECRET), "the secret is in no log");
}

#[tokio::test]
async fn a_client_with_a_secret_sends_it_in_the_header() {
    let stand = confidential("client_secret_basic").await;
    lives_through_a_whole_sign_in(&stand, Some("Basic")).await;
}

#[tokio::test]
async fn a_client_with_a_secret_sends_it_in_the_body() {
    let stand = confidential("client_secret_post").await;
    lives_through_a_whole_sign_in(&stand, None).await;
}

#[tokio::test]
async fn odd_characters_of_a_secret_arrive_as_they_are() {
    use dev_issuer::{Client, ClientSecret, Options};
    let (id, secret) = ("web app:1", ":%+ é");
    for method in ["client_secret_basic", "client_secret_post"] {
        let client = Client::confidential(id, "Web App", ClientSecret::new(secret));
        let stand = Stand::with(Options { clients: vec![client], ..Options::default() }).await;
        stand.write_private("secret", secret);
        let file = stand.path("secret").display().to_string();
        stand.configure(id, &format!("client_auth = {{ method = {method:?}, file = {file:?} }}"));
        assert_eq!(stand.ctl(["reload"]).await.code, 0);
        stand.sign_in("alice").await;
        assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    }
}

#[tokio::test]
async fn a_secret_that_others_can_read_is_not_used() {
    let stand = confidential("client_secret_basic").await;
    std::fs::set_permissions(stand.path("secret"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let login = stand.begin_login([]).await;
    login.browse("alice").await;
    login.end().await.assert_fails(7, "mode 0644", "client_auth");
    assert_eq!(stand.grants("authorization_code"), 0);
}

#[tokio::test]
async fn a_provider_that_cannot_be_spoken_to_does_not_hold_up_another() {
    let mut stand = Stand::signed_in().await;
    let mut text = std::fs::read_to_string(stand.path("config.toml")).unwrap();
    text.push_str("[provider.broken]\nissuer = \"https://login.example\"\nclient_id = \"x\"\n");
    text.push_str("ca_file = \"/nonexistent/ca.pem\"\n");
    std::fs::write(stand.path("config.toml"), text).unwrap();
    stand.restart().await;
    let broken = stand.ctl(["login", "broken", "--no-browser"]).await;
    broken.assert_fails(7, "/nonexistent/ca.pem", "brokerctl config check");
    assert_eq!(stand.ctl(["token"]).await.code, 0);
}

#[tokio::test]
async fn without_a_resource_tokens_are_for_the_provider_itself() {
    let stand = Stand::new().await;
    let text = std::fs::read_to_string(stand.path("config.toml")).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("resources")).collect();
    std::fs::write(stand.path("config.toml"), lines.join("\n")).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    stand.sign_in("alice").await;
    let token = stand.ctl(["token"]).await;
    assert_ne!(claims(token.line())["aud"], crate::stand::RESOURCE);
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
}

#[tokio::test]
async fn an_api_of_the_callers_choice_gets_a_token_of_its_own() {
    let stand = Stand::configured(dev_issuer::Options::default(), "").await;
    let login = stand.begin_login(["--resource", "https://other.example"]).await;
    login.browse("alice").await;
    assert_eq!(login.end().await.code, 0);
    let other = stand.ctl(["token", "--resource", "https://other.example"]).await;
    assert_eq!(claims(other.line())["aud"], "https://other.example");
    let usual = stand.ctl(["token"]).await;
    assert_eq!(claims(usual.line())["aud"], crate::stand::RESOURCE);
    let never = stand.ctl(["token", "--resource", "https://never.example"]).await;
    never.assert_fails(2, "invalid_target", "");
    assert_eq!(stand.ctl(["token"]).await.code, 0, "only that request failed");
}
