//! Dynamic registration.

use dev_issuer::{Offer, Options, Switch};
use serde_json::{Value, json};

use crate::keys::{ClientKey, fresh_id, now};
use crate::stand::{Answer, Query, Stand, claims, code_form, refresh_form};

async fn open(dpop: Offer) -> Stand {
    let registration = Switch::On;
    Stand::with(Options { registration, dpop, ..Options::default() }).await
}

/// What a native app says of itself.
fn good() -> Value {
    json!({
        "client_name": "A native app",
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["http://127.0.0.1/callback", "http://[::1]/callback"],
        "post_logout_redirect_uris": ["http://127.0.0.1/signed-out"],
    })
}

fn with(mut metadata: Value, name: &str, value: Value) -> Value {
    metadata[name] = value;
    metadata.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    metadata
}

async fn register(stand: &Stand, metadata: &Value) -> Answer {
    Answer::of(stand.http.post(stand.at("/register")).json(metadata)).await
}

fn as_client<'a>(id: &'a str, mut form: Vec<(&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    form.retain(|(name, _)| *name != "client_id");
    form.push(("client_id", id));
    form
}

#[tokio::test]
async fn a_native_app_registers_and_signs_people_in() {
    let stand = open(Offer::Off).await;
    let registered = register(&stand, &good()).await;
    assert_eq!(registered.status, 201, "{registered:?}");
    assert_eq!(registered.headers["cache-control"], "no-store");
    for (name, value) in good().as_object().unwrap() {
        assert_eq!(registered.body[name], *value);
    }
    let id = registered.text("client_id");
    let code = stand.code(&Query::good().with("client_id", id)).await;
    let tokens = stand.token(&as_client(id, code_form(&code))).await;
    assert_eq!(claims(tokens.text("id_token"))["aud"], id);
    let form = as_client(id, refresh_form(tokens.text("refresh_token")));
    assert_eq!(stand.token(&form).await.status, 200);
}

#[tokio::test]
async fn the_person_sees_the_name_that_was_registered() {
    let stand = open(Offer::Off).await;
    let hostile = with(good(), "client_name", json!("<b>Nice</b>"));
    let registered = register(&stand, &hostile).await;
    let query = Query::good().with("client_id", registered.text("client_id"));
    let page = stand.browser.visit(&stand.authorization_url(&query)).await.unwrap();
    assert!(page.text.contains("to continue to <b>Nice</b>"), "{}", page.text);
}

#[tokio::test]
async fn a_client_without_the_grant_gets_no_refresh_token() {
    let stand = open(Offer::Off).await;
    let registered = register(&stand, &with(good(), "grant_types", Value::Null)).await;
    assert_eq!(registered.body["grant_types"], json!(["authorization_code"]));
    let id = registered.text("client_id");
    let code = stand.code(&Query::good().with("client_id", id)).await;
    let tokens = stand.token(&as_client(id, code_form(&code))).await;
    assert!(tokens.body["access_token"].is_string() && tokens.body["refresh_token"].is_null());
    let form = as_client(id, refresh_form("x"));
    stand.token(&form).await.assert_error(400, "unauthorized_client");
    let form = [("client_id", id), ("scope", "openid")];
    let device = stand.post("/device_authorization", &form).await;
    device.assert_error(400, "unauthorized_client");
}

#[tokio::test]
async fn a_client_without_codes_is_refused_at_the_authorization_endpoint() {
    let stand = open(Offer::Off).await;
    let device = json!(["urn:ietf:params:oauth:grant-type:device_code"]);
    let registered = register(&stand, &with(good(), "grant_types", device)).await;
    assert_eq!(registered.body["response_types"], json!([]));
    let query = Query::good().with("client_id", registered.text("client_id"));
    assert_eq!(stand.answer(&query).await.get("error"), Some("unauthorized_client"));
}

#[tokio::test]
async fn a_client_with_keys_registers_too_and_acts_for_itself() {
    let stand = open(Offer::Off).await;
    let key = ClientKey::ed25519();
    let metadata = with(good(), "token_endpoint_auth_method", json!("private_key_jwt"));
    let metadata = with(metadata, "grant_types", json!(["client_credentials"]));
    let metadata = with(metadata, "jwks", json!({ "keys": [key.jwk()] }));
    let registered = register(&stand, &metadata).await;
    assert_eq!((registered.status, &registered.body["jwks"]), (201, &metadata["jwks"]));
    let id = registered.text("client_id");
    let claims = json!({
        "iss": id, "sub": id, "aud": stand.issuer.url(), "jti": fresh_id(), "exp": now() + 60,
    });
    let assertion = key.sign(&json!({ "alg": "EdDSA" }), &claims);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &assertion),
    ];
    assert_eq!(stand.token(&form).await.status, 200);
}

#[tokio::test]
async fn a_client_can_ask_that_its_tokens_be_bound() {
    let stand = open(Offer::Offered).await;
    let registered = register(&stand, &with(good(), "dpop_bound_access_tokens", json!(true))).await;
    assert_eq!(registered.body["dpop_bound_access_tokens"], true);
    let id = registered.text("client_id");
    let code = stand.code(&Query::good().with("client_id", id)).await;
    let form = as_client(id, code_form(&code));
    stand.token(&form).await.assert_error(400, "invalid_dpop_proof");
    let proof = ClientKey::p256().proof("POST", &stand.at("/token")).sign();
    let request = stand.http.post(stand.at("/token")).header("DPoP", proof).form(&form);
    assert_eq!(Answer::of(request).await.body["token_type"], "DPoP");

    let without_dpop = open(Offer::Off).await;
    let metadata = with(good(), "dpop_bound_access_tokens", json!(true));
    let registered = register(&without_dpop, &metadata).await;
    assert_eq!(registered.status, 201);
    assert!(registered.body["dpop_bound_access_tokens"].is_null(), "it is not understood here");
}

#[tokio::test]
async fn what_is_no_native_app_is_refused() {
    let stand = open(Offer::Off).await;
    let key = ClientKey::p256().jwk();
    let signing = || with(good(), "token_endpoint_auth_method", json!("private_key_jwt"));
    for metadata in [
        with(good(), "application_type", Value::Null),
        with(good(), "application_type", json!("web")),
        with(good(), "token_endpoint_auth_method", Value::Null),
        with(good(), "token_endpoint_auth_method", json!("client_secret_basic")),
        signing(),
        with(signing(), "jwks", json!({ "keys": [] })),
        with(signing(), "jwks", json!({ "keys": [with(key, "d", json!("x"))] })),
        with(signing(), "jwks_uri", json!("https://app.example/jwks")),
        with(good(), "grant_types", json!(["password"])),
        with(good(), "grant_types", json!(["authorization_code", "client_credentials"])),
        with(good(), "grant_types", json!("authorization_code")),
        with(good(), "response_types", json!(["token"])),
        json!([]),
    ] {
        let answer = register(&stand, &metadata).await;
        answer.assert_error(400, "invalid_client_metadata");
    }
    let form = stand.post("/register", &[("application_type", "native")]).await;
    form.assert_error(400, "invalid_client_metadata");
}

#[tokio::test]
async fn answers_stay_on_the_persons_own_machine() {
    let stand = open(Offer::Off).await;
    for (name, value) in [
        ("redirect_uris", json!([])),
        ("redirect_uris", Value::Null),
        ("redirect_uris", json!(["https://app.example/callback"])),
        ("redirect_uris", json!(["http://127.0.0.1/callback", "http://127.0.0.1.evil.example/"])),
        ("redirect_uris", json!(["http://127.0.0.1/callback#x"])),
        ("redirect_uris", json!(["com.example.app:/callback"])),
        ("post_logout_redirect_uris", json!(["https://app.example/"])),
    ] {
        let answer = register(&stand, &with(good(), name, value)).await;
        answer.assert_error(400, "invalid_redirect_uri");
    }
    let by_name = json!(["http://localhost:8400/callback"]);
    assert_eq!(register(&stand, &with(good(), "redirect_uris", by_name)).await.status, 201);
}

#[tokio::test]
async fn a_registration_is_read_and_removed_with_its_token_only() {
    let stand = open(Offer::Off).await;
    let registered = register(&stand, &good()).await;
    let (id, token) = (registered.text("client_id"), registered.text("registration_access_token"));
    let uri = registered.text("registration_client_uri");
    let query = Query::good().with("client_id", id);
    let code = stand.code(&query).await;
    let tokens = stand.token(&as_client(id, code_form(&code))).await;

    let read = Answer::of(stand.http.get(uri).bearer_auth(token)).await;
    assert_eq!((read.status, &read.body), (200, &registered.body));
    let other = register(&stand, &good()).await;
    let strangers = other.text("registration_access_token");
    assert_eq!(Answer::of(stand.http.get(uri).bearer_auth(strangers)).await.status, 401);
    assert_eq!(Answer::of(stand.http.delete(uri)).await.status, 401);
    let seed = stand.at("/register/desktop-broker");
    assert_eq!(Answer::of(stand.http.delete(seed).bearer_auth(token)).await.status, 401);

    assert_eq!(Answer::of(stand.http.delete(uri).bearer_auth(token)).await.status, 204);
    assert_eq!(Answer::of(stand.http.get(uri).bearer_auth(token)).await.status, 401);
    let form = as_client(id, refresh_form(tokens.text("refresh_token")));
    stand.token(&form).await.assert_error(401, "invalid_client");
    let end = stand.http.get(stand.authorization_url(&query)).send().await.unwrap();
    assert_eq!(end.status(), 400);
}

#[tokio::test]
async fn registration_is_closed_unless_it_is_opened() {
    let (closed, open) = (Stand::new().await, open(Offer::Off).await);
    assert_eq!(register(&closed, &good()).await.status, 404);
    let document = closed.get("/.well-known/openid-configuration").await.body;
    assert!(document["registration_endpoint"].is_null());
    let document = open.get("/.well-known/openid-configuration").await.body;
    assert_eq!(document["registration_endpoint"], open.at("/register"));
}
