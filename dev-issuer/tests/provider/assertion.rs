//! Clients that prove themselves with a signature.

use dev_issuer::{BadKeys, Client, ClientKeys, Options};
use serde_json::{Value, json};

use crate::keys::{ClientKey, fresh_id, now};
use crate::stand::{Answer, Query, REDIRECT, Stand, VERIFIER};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ROBOT: &str = "robot";

async fn with_robot(keys: &[(&str, &ClientKey)]) -> Stand {
    let with_id = |(kid, key): &(&str, &ClientKey)| {
        let mut jwk = key.jwk();
        jwk["kid"] = json!(kid);
        jwk
    };
    let jwks = json!({ "keys": keys.iter().map(with_id).collect::<Vec<_>>() });
    let mut options = Options::default();
    options.clients.push(Client::with_keys(ROBOT, "Robot", ClientKeys::parse(&jwks).unwrap()));
    Stand::with(options).await
}

/// The claims of a good assertion.
fn good(stand: &Stand) -> Value {
    json!({
        "iss": ROBOT,
        "sub": ROBOT,
        "aud": stand.issuer.url(),
        "jti": fresh_id(),
        "iat": now(),
        "exp": now() + 60,
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn sign(key: &ClientKey, claims: &Value) -> String {
    key.sign(&json!({ "alg": key.alg(), "typ": "JWT" }), claims)
}

async fn present(stand: &Stand, assertion: &str) -> Answer {
    present_with(stand, assertion, &[]).await
}

async fn present_with(stand: &Stand, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    stand.token(&[&form[..], more].concat()).await
}

#[tokio::test]
async fn a_good_assertion_proves_the_client() {
    for key in [ClientKey::p256(), ClientKey::ed25519(), ClientKey::rsa()] {
        let stand = with_robot(&[("key-1", &key)]).await;
        let answer = present(&stand, &sign(&key, &good(&stand))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let named = sign(&key, &good(&stand));
        assert_eq!(present_with(&stand, &named, &[("client_id", ROBOT)]).await.status, 200);
    }
}

#[tokio::test]
async fn the_key_id_picks_the_key() {
    let (old, new) = (ClientKey::p256(), ClientKey::p256());
    let stand = with_robot(&[("old", &old), ("new", &new)]).await;
    let named = |kid: &str| new.sign(&json!({ "alg": "ES256", "kid": kid }), &good(&stand));
    assert_eq!(present(&stand, &named("new")).await.status, 200);
    present(&stand, &named("old")).await.assert_error(401, "invalid_client");
    present(&stand, &named("unheard-of")).await.assert_error(401, "invalid_client");
    assert_eq!(present(&stand, &sign(&new, &good(&stand))).await.status, 200);
}

#[tokio::test]
async fn every_flaw_of_an_assertion_is_found() {
    let (key, stranger) = (ClientKey::p256(), ClientKey::p256());
    let stand = with_robot(&[("key-1", &key)]).await;
    let url = stand.issuer.url();
    for (name, value) in [
        ("iss", json!("someone-else")),
        ("iss", Value::Null),
        ("sub", json!("web-app")),
        ("sub", Value::Null),
        ("aud", json!(stand.at("/token"))),
        ("aud", json!(format!("{url}/"))),
        ("aud", json!([url])),
        ("aud", Value::Null),
        ("exp", json!(now() - 1)),
        ("exp", json!(now() + 3600)),
        ("exp", json!((now() + 60).to_string())),
        ("exp", Value::Null),
        ("iat", json!(now() + 60)),
        ("nbf", json!(now() + 60)),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!("x".repeat(257))),
    ] {
        let assertion = sign(&key, &with(good(&stand), name, value.clone()));
        let answer = present(&stand, &assertion).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (401, "invalid_client"),
            "{name} {value}"
        );
    }
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "EdDSA" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "ES256", "typ": "at+jwt" }),
        json!({ "alg": "ES256", "typ": "dpop+jwt" }),
        json!({ "alg": "ES256", "crit": ["x"] }),
    ] {
        let answer = present(&stand, &key.sign(&header, &good(&stand))).await;
        assert_eq!((answer.status, answer.text("error")), (401, "invalid_client"), "{header}");
    }
    let foreign = sign(&stranger, &good(&stand));
    present(&stand, &foreign).await.assert_error(401, "invalid_client");
    present(&stand, "a.b.c").await.assert_error(401, "invalid_client");
}

#[tokio::test]
async fn an_assertion_is_used_once() {
    let key = ClientKey::p256();
    let stand = with_robot(&[("key-1", &key)]).await;
    let assertion = sign(&key, &good(&stand));
    assert_eq!(present(&stand, &assertion).await.status, 200);
    present(&stand, &assertion).await.assert_error(401, "invalid_client");
}

#[tokio::test]
async fn a_client_proves_itself_in_one_way_and_in_its_own() {
    let key = ClientKey::p256();
    let stand = with_robot(&[("key-1", &key)]).await;
    let secret = [("client_id", ROBOT), ("client_secret", "guess")];
    let assertion = sign(&key, &good(&stand));
    present_with(&stand, &assertion, &secret).await.assert_error(400, "invalid_request");
    let header = stand.http.post(stand.at("/token")).basic_auth(ROBOT, Some("guess"));
    Answer::of(header.form(&[("client_assertion", assertion.as_str())]))
        .await
        .assert_error(400, "invalid_request");
    let named = present_with(&stand, &assertion, &[("client_id", "web-app")]).await;
    named.assert_error(401, "invalid_client");
    let untyped = [("grant_type", "client_credentials"), ("client_assertion", &assertion)];
    stand.token(&untyped).await.assert_error(400, "invalid_request");

    let bare = [("grant_type", "client_credentials"), ("client_id", ROBOT)];
    stand.token(&bare).await.assert_error(401, "invalid_client");
    let guessed = [&bare[..], &secret[1..]].concat();
    stand.token(&guessed).await.assert_error(401, "invalid_client");
    let of_web_app = with(with(good(&stand), "iss", json!("web-app")), "sub", json!("web-app"));
    present(&stand, &sign(&key, &of_web_app)).await.assert_error(401, "invalid_client");
    assert_eq!(present(&stand, &assertion).await.status, 200, "none of these used it up");
}

#[tokio::test]
async fn such_a_client_signs_people_in_pushes_and_revokes() {
    let key = ClientKey::ed25519();
    let stand = with_robot(&[("key-1", &key)]).await;
    let ask = async |path: &str, form: &[(&str, &str)]| {
        let assertion = sign(&key, &good(&stand));
        let own = [("client_assertion_type", TYPE), ("client_assertion", &assertion)];
        stand.post(path, &[form, &own].concat()).await
    };
    let pushed = ask("/par", &Query::good().with("client_id", ROBOT).pairs()).await;
    let brought = [("client_id", ROBOT), ("request_uri", pushed.text("request_uri"))];
    let code = stand.code(&Query::of(&brought)).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let tokens = ask("/token", &form).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let token = tokens.text("refresh_token");
    assert_eq!(ask("/revoke", &[("token", token)]).await.status, 200);
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    ask("/token", &form).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn discovery_names_the_methods_and_the_algorithms() {
    let document = Stand::new().await.get("/.well-known/openid-configuration").await.body;
    for endpoint in ["token", "revocation"] {
        let methods = &document[format!("{endpoint}_endpoint_auth_methods_supported")];
        let all = json!(["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]);
        assert_eq!(*methods, all);
        let name = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
        assert_eq!(document[name], json!(["ES256", "EdDSA", "PS256"]));
    }
}

#[test]
fn only_public_keys_are_registered() {
    let key = ClientKey::p256().jwk();
    let with_private = with(key.clone(), "d", json!("x"));
    for jwks in [
        json!({}),
        json!({ "keys": [] }),
        json!({ "keys": [key.clone(), with_private] }),
        json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }),
        key.clone(),
    ] {
        assert_eq!(ClientKeys::parse(&jwks), Err(BadKeys), "{jwks}");
    }
    assert!(ClientKeys::parse(&json!({ "keys": [key] })).is_ok());
}
