//! What the API says of itself, and that a refused client is told where.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use axum::http::StatusCode;
use private_api::auth::Setup;
use private_api::verify::Rules;
use serde_json::json;
use support::api::TestApi;

const ISSUERS: [&str; 2] = ["https://one.test", "https://two.test/tenant"];

/// An API by its identifier, and by its public URL if it has one.
fn api(audience: &str, public_url: Option<&str>) -> TestApi {
    let issuers = ISSUERS.map(|issuer| issuer.parse().unwrap()).to_vec();
    let mut setup = Setup::new(Rules::several(issuers, audience.parse().unwrap()));
    setup.addressing.public_url = public_url.map(|url| url.parse().unwrap());
    TestApi::made(setup, Some("mail.read"))
}

/// The address that each challenge of a refusal carries.
async fn told(api: &TestApi) -> Vec<String> {
    let answer = api.get("/private", &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let address = |challenge: &&str| {
        let (_, rest) = challenge.split_once("resource_metadata=\"").unwrap_or_default();
        rest.split('"').next().unwrap().to_owned()
    };
    answer.challenges().iter().map(address).collect()
}

/// R21.
#[tokio::test]
async fn the_document_names_the_identifier_and_the_issuers() {
    let api = api("https://api.acme.test", None);
    let answer = api.get("/.well-known/oauth-protected-resource", &[]).await;
    let expected = json!({
        "resource": "https://api.acme.test",
        "authorization_servers": ISSUERS,
        "scopes_supported": ["mail.read"],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "dpop_bound_access_tokens_required": false,
    });
    assert_eq!(answer.json(), expected);
}

/// R21.
#[tokio::test]
async fn every_challenge_says_where_the_document_is() {
    let api = api("https://api.acme.test", None);
    let address = "https://api.acme.test/.well-known/oauth-protected-resource";
    assert_eq!(told(&api).await, [address, address]);
    let bad = api.private("garbage").await;
    assert!(bad.challenge().contains(address), "{bad:?}");
}

/// R21.
#[tokio::test]
async fn the_path_of_the_identifier_is_inserted() {
    let api = api("https://api.acme.test/mail/v1", None);
    let [address, _] = &told(&api).await[..] else { panic!() };
    let path = address.strip_prefix("https://api.acme.test").unwrap();
    assert_eq!(path, "/.well-known/oauth-protected-resource/mail/v1");
    let document = api.get(path, &[]).await.json();
    assert_eq!(document["resource"], "https://api.acme.test/mail/v1");
}

/// R21.
#[tokio::test]
async fn an_identifier_that_is_no_url_is_found_by_the_public_url() {
    let known = api("urn:acme:api", Some("https://api.acme.test"));
    let address = "https://api.acme.test/.well-known/oauth-protected-resource";
    assert_eq!(told(&known).await, [address, address]);
    let unknown = api("urn:acme:api", None);
    assert_eq!(told(&unknown).await, ["", ""]);
    let document = unknown.get("/.well-known/oauth-protected-resource", &[]).await.json();
    assert_eq!(document["resource"], "urn:acme:api");
}
