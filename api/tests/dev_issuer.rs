//! The API against the workspace's own OpenID Provider, from the sign-in page to the message.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use axum::http::StatusCode;
use dev_issuer::user_agent::{Consent, UserAgent};
use dev_issuer::{ACCOUNTS, Alg, Issuer, Options};
use serde_json::{Value, json};
use support::api::TestApi;
use support::{AUDIENCE, with};
use url::Url;

const CLIENT: &str = "desktop-broker";
const REDIRECT: &str = "http://127.0.0.1:1/callback";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Signs Alice in and redeems the code: the token endpoint's answer.
async fn sign_in(issuer: &Issuer) -> Value {
    let request = [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", REDIRECT),
        ("scope", "openid messages.read"),
        ("resource", AUDIENCE),
        ("state", "some-state-of-this-test"),
        ("nonce", "some-nonce-of-this-test"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let address = format!("{}/authorize", issuer.url());
    let address = Url::parse_with_params(&address, request).unwrap();
    let [alice, ..] = &ACCOUNTS;
    let answer = UserAgent::new()
        .unwrap()
        .answer(address.as_str(), alice.username, alice.password, Consent::Allow)
        .await
        .unwrap();
    let (_, code) = answer.query_pairs().find(|(name, _)| name == "code").unwrap();
    redeem(issuer, &code).await
}

async fn redeem(issuer: &Issuer, code: &str) -> Value {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("redirect_uri", REDIRECT),
        ("code", code),
        ("code_verifier", VERIFIER),
    ];
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let request = client.post(format!("{}/token", issuer.url())).form(&form);
    request.send().await.unwrap().json().await.unwrap()
}

fn jwks_requests(issuer: &Issuer) -> usize {
    issuer.requests().iter().filter(|request| request.path == "/jwks").count()
}

#[tokio::test]
async fn a_person_who_signed_in_reads_the_private_message() {
    let issuer = Issuer::start(Options::default()).await.unwrap();
    let api = TestApi::live(issuer.url(), Some("messages.read"));
    let tokens = sign_in(&issuer).await;
    let answer = api.private(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.body, "Only authenticated users can read this message.");
}

#[tokio::test]
async fn the_id_token_of_the_same_sign_in_is_refused() {
    let issuer = Issuer::start(Options::default()).await.unwrap();
    let api = TestApi::live(issuer.url(), None);
    let tokens = sign_in(&issuer).await;
    let answer = api.private(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn tokens_of_both_algorithms_and_of_both_sides_of_a_rotation_are_accepted() {
    for access_alg in [Alg::Es256, Alg::Rs256] {
        let options = Options { access_alg, ..Options::default() };
        let issuer = Issuer::start(options).await.unwrap();
        let api = TestApi::live(issuer.url(), None);
        let mint = || issuer.mint(issuer.sample_claims(AUDIENCE, ""), json!({}));

        let before = mint();
        assert_eq!(api.private(&before).await.status, StatusCode::OK);
        issuer.rotate_keys();
        assert_eq!(api.private(&mint()).await.status, StatusCode::OK);
        assert_eq!(api.private(&before).await.status, StatusCode::OK);
        assert_eq!(jwks_requests(&issuer), 2);
    }
}

#[tokio::test]
async fn spoiled_tokens_of_a_real_issuer_are_refused() {
    let issuer = Issuer::start(Options::default()).await.unwrap();
    let api = TestApi::live(issuer.url(), None);
    let good = issuer.sample_claims(AUDIENCE, "");
    for (claims, header) in [
        (json!({ "aud": "urn:other" }), json!({})),
        (json!({ "exp": 1 }), json!({})),
        (json!({}), json!({ "alg": "none" })),
        (json!({}), json!({ "typ": "JWT" })),
        (json!({}), json!({ "crit": ["exp"] })),
    ] {
        let token = issuer.mint(with(good.clone(), &claims), header);
        assert_eq!(api.private(&token).await.status, StatusCode::UNAUTHORIZED);
    }
}
