//! Tokens for a client that acts for itself.

use dev_issuer::{Client, ClientSecret, Offer, Options};
use serde_json::json;

use crate::keys::ClientKey;
use crate::stand::{API, Answer, Stand, claims};

const ASKED: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("scope", "messages.read"), ("resource", API)];

async fn as_web_app(stand: &Stand, form: &[(&str, &str)]) -> Answer {
    let request = stand.http.post(stand.at("/token"));
    Answer::of(request.basic_auth("web-app", Some("web-app-secret")).form(form)).await
}

#[tokio::test]
async fn a_confidential_client_gets_a_token_of_its_own() {
    let stand = Stand::new().await;
    let tokens = as_web_app(&stand, &ASKED).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    assert!(tokens.body["refresh_token"].is_null() && tokens.body["id_token"].is_null());
    assert_eq!(
        (&tokens.body["scope"], &tokens.body["expires_in"]),
        (&json!("messages.read"), &json!(300))
    );
    let access = claims(tokens.text("access_token"));
    assert_eq!((&access["sub"], &access["client_id"]), (&json!("web-app"), &json!("web-app")));
    assert_eq!(access["aud"], API);
    assert!(access["auth_time"].is_null() && access["acr"].is_null(), "nobody signed in");
}

#[tokio::test]
async fn the_secret_may_stand_in_the_body() {
    let stand = Stand::new().await;
    let own = [("client_id", "web-app"), ("client_secret", "web-app-secret")];
    assert_eq!(stand.token(&[&ASKED[..], &own].concat()).await.status, 200);
}

#[tokio::test]
async fn without_a_word_about_scopes_all_of_the_clients_are_given() {
    let scopes = vec!["messages.read".to_owned(), "messages.write".to_owned()];
    let stand = Stand::with(Options { scopes, ..Options::default() }).await;
    let tokens = as_web_app(&stand, &ASKED[..1]).await;
    assert_eq!(tokens.body["scope"], "messages.read messages.write");
}

#[tokio::test]
async fn what_needs_a_person_is_refused() {
    let stand = Stand::new().await;
    for scope in ["openid", "offline_access", "messages.read profile", "everything"] {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        as_web_app(&stand, &form).await.assert_error(400, "invalid_scope");
    }
    let form = [&ASKED[..2], &[("resource", "/relative")]].concat();
    as_web_app(&stand, &form).await.assert_error(400, "invalid_target");
}

#[tokio::test]
async fn a_public_client_cannot_act_for_itself() {
    let stand = Stand::new().await;
    let form = [&ASKED[..], &[("client_id", "desktop-broker")]].concat();
    stand.token(&form).await.assert_error(400, "unauthorized_client");
}

#[tokio::test]
async fn ids_and_secrets_are_encoded_before_they_become_basic() {
    let (id, secret) = ("a robot: 100 %", ":%+ é&=");
    let robot = Client::confidential(id, "Robot", ClientSecret::new(secret));
    let stand = Stand::with(Options { clients: vec![robot], ..Options::default() }).await;
    let ask = async |id: &str, secret: &str| {
        let request = stand.http.post(stand.at("/token")).basic_auth(id, Some(secret));
        Answer::of(request.form(&ASKED)).await
    };
    let encoded =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    assert_eq!(ask(&encoded(id), &encoded(secret)).await.status, 200);
    let with_percent_20 = encoded(id).replace('+', "%20");
    assert_eq!(ask(&with_percent_20, &encoded(secret)).await.status, 200);
    ask(id, secret).await.assert_error(401, "invalid_client");
    ask(&encoded(id), secret).await.assert_error(401, "invalid_client");
}

#[tokio::test]
async fn such_a_token_can_be_bound_to_a_key() {
    let stand = Stand::with(Options { dpop: Offer::Offered, ..Options::default() }).await;
    let key = ClientKey::ed25519();
    let proof = key.proof("POST", &stand.at("/token")).sign();
    let request = stand.http.post(stand.at("/token")).header("DPoP", proof);
    let request = request.basic_auth("web-app", Some("web-app-secret"));
    let tokens = Answer::of(request.form(&ASKED)).await;
    assert_eq!(claims(tokens.text("access_token"))["cnf"]["jkt"], key.thumbprint());
}

#[tokio::test]
async fn it_is_nobodys_at_the_userinfo_endpoint() {
    let stand = Stand::new().await;
    let tokens = as_web_app(&stand, &ASKED[..2]).await;
    assert_eq!(stand.userinfo(tokens.text("access_token")).await.status, 403);
}
