//! Discovery documents and keys that are not what they should be.

use dev_issuer::{Fault, Times};
use serde_json::{Value, json};

use crate::stand::{Query, Stand, header};

#[tokio::test]
async fn each_fault_of_discovery_changes_its_member_and_no_other() {
    let stand = Stand::new().await;
    let document = async || stand.get("/.well-known/openid-configuration").await.body;
    let good = document().await;
    let url = stand.issuer.url();
    for (fault, member, wrong) in [
        (Fault::discovery_issuer_mismatch(), "issuer", json!("https://stranger.example")),
        (Fault::discovery_issuer_trailing_slash(), "issuer", json!(format!("{url}/"))),
        (Fault::discovery_issuer_in_capitals(), "issuer", json!(url.to_uppercase())),
        (Fault::discovery_without_issuer(), "issuer", Value::Null),
        (Fault::discovery_without_authorization_endpoint(), "authorization_endpoint", Value::Null),
        (Fault::discovery_without_token_endpoint(), "token_endpoint", Value::Null),
        (Fault::discovery_without_jwks_uri(), "jwks_uri", Value::Null),
        (Fault::discovery_authorization_endpoint_mistyped(), "authorization_endpoint", json!(42)),
        (
            Fault::discovery_token_endpoint_mistyped(),
            "token_endpoint",
            json!([format!("{url}/token")]),
        ),
        (Fault::discovery_without_revocation_endpoint(), "revocation_endpoint", Value::Null),
        (Fault::discovery_jwks_uri_mistyped(), "jwks_uri", json!("jwks")),
        (
            Fault::discovery_authorization_endpoint_plain_http(),
            "authorization_endpoint",
            json!("http://stranger.example/authorize"),
        ),
        (
            Fault::discovery_token_endpoint_plain_http(),
            "token_endpoint",
            json!("http://stranger.example/token"),
        ),
        (Fault::discovery_jwks_uri_plain_http(), "jwks_uri", json!("http://stranger.example/jwks")),
        (
            Fault::discovery_authorization_endpoint_javascript(),
            "authorization_endpoint",
            json!("javascript:alert(1)//"),
        ),
        (
            Fault::discovery_authorization_endpoint_file(),
            "authorization_endpoint",
            json!("file:///etc/passwd"),
        ),
        (
            Fault::discovery_authorization_endpoint_dash(),
            "authorization_endpoint",
            json!("--browser=https://stranger.example"),
        ),
        (Fault::discovery_only_plain_pkce(), "code_challenge_methods_supported", json!(["plain"])),
    ] {
        stand.issuer.inject(fault, Times::Once);
        let mut bad = document().await;
        assert_eq!(bad[member], wrong, "{fault:?}");
        bad[member] = good[member].clone();
        assert_eq!(bad, good, "{fault:?}");
    }
    stand.issuer.inject(Fault::discovery_unknown_members(), Times::Once);
    assert!(document().await["telepathy_endpoint"].is_object());
    assert_eq!(document().await, good);
}

#[tokio::test]
async fn the_address_of_rfc_8414_has_what_a_fault_puts_there() {
    let stand = Stand::new().await;
    let path = "/.well-known/oauth-authorization-server";
    assert_eq!(stand.get(path).await.status, 404);
    stand.issuer.inject(Fault::discovery_at_oauth_address(), Times::Once);
    let document = stand.get(path).await.body;
    assert_eq!(document["issuer"], stand.issuer.url());
    assert!(document["token_endpoint"].is_string() && document["userinfo_endpoint"].is_null());
    stand.issuer.inject(Fault::discovery_page_at_oauth_address(), Times::Once);
    let page = stand.get(path).await;
    assert!(page.status == 200 && page.body.is_string());
}

/// The keys as a fault publishes them.
async fn keys(stand: &Stand, fault: Fault) -> Vec<Value> {
    stand.issuer.inject(fault, Times::Once);
    stand.get("/jwks").await.body["keys"].as_array().unwrap().clone()
}

#[tokio::test]
async fn keys_can_lack_their_names_their_algorithms_and_themselves() {
    let stand = Stand::new().await;
    assert!(keys(&stand, Fault::jwks_empty()).await.is_empty());
    let lack = |keys: &[Value], member: &str| keys.iter().all(|key| key.get(member).is_none());
    let one = keys(&stand, Fault::jwks_one_without_kid()).await;
    assert!(one.len() == 1 && one[0]["kty"] == "RSA" && lack(&one, "kid"));
    let unnamed = keys(&stand, Fault::jwks_without_kids()).await;
    assert!(unnamed.len() == 2 && lack(&unnamed, "kid"));
    assert!(lack(&keys(&stand, Fault::jwks_without_algs()).await, "alg"));
}

#[tokio::test]
async fn keys_can_be_others_than_the_tokens_need() {
    let stand = Stand::new().await;
    let good = stand.get("/jwks").await.body["keys"].as_array().unwrap().clone();
    let other = keys(&stand, Fault::jwks_other_kids()).await;
    assert!(other.iter().zip(&good).all(|(other, good)| other["kid"] != good["kid"]));
    let encrypting = keys(&stand, Fault::jwks_use_enc()).await;
    assert!(encrypting.iter().all(|key| key["use"] == "enc"));
    let short = keys(&stand, Fault::jwks_1024_bits()).await;
    let modulus = |keys: &[Value]| keys.iter().find_map(|key| key["n"].as_str()).unwrap().len();
    assert_eq!((modulus(&good), modulus(&short)), (342, 171));
    for fault in [Fault::jwks_unknown_kty(), Fault::jwks_decoys(), Fault::jwks_twins()] {
        let crowd = keys(&stand, fault).await;
        assert!(
            crowd.len() > good.len() && good.iter().all(|key| crowd.contains(key)),
            "{fault:?}"
        );
        assert_ne!(crowd[0], good[0], "{fault:?}");
    }
    stand.issuer.inject(Fault::jwks_mistyped(), Times::Once);
    assert!(stand.get("/jwks").await.body["keys"].is_object());
}

#[tokio::test]
async fn the_issuer_can_take_new_keys_right_before_it_signs() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good()).await;
    let before = stand.get("/jwks").await.body;
    stand.issuer.inject(Fault::jwks_rotated(), Times::Once);
    let kid = header(stand.redeem(&code).await.text("id_token"))["kid"].clone();
    let known = |document: &Value| document["keys"].to_string().contains(kid.as_str().unwrap());
    assert!(!known(&before) && known(&stand.get("/jwks").await.body));
}
