//! Sign-ins from the authorization request to the tokens.

use std::time::Duration;

use dev_issuer::user_agent::{Consent, UserAgent, UserAgentError};
use dev_issuer::{Alg, Options};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use crate::keys::b64;
use crate::stand::{API, Query, REDIRECT, Stand, VERIFIER, claims, header};

/// Verifies a token as its audience does, with the keys fetched over HTTP.
async fn verified(stand: &Stand, token: &str, algorithm: Algorithm, audience: &str) -> Value {
    let keys: JwkSet = serde_json::from_value(stand.get("/jwks").await.body).unwrap();
    let kid = decode_header(token).unwrap().kid.unwrap();
    let mut rules = Validation::new(algorithm);
    rules.set_audience(&[audience]);
    rules.set_issuer(&[stand.issuer.url()]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    decode::<Value>(token, &key, &rules).unwrap().claims
}

#[tokio::test]
async fn a_sign_in_leads_to_tokens_that_verify_with_the_published_keys() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    assert_eq!(tokens.headers["cache-control"], "no-store");
    assert_eq!(tokens.body["token_type"], "Bearer");
    assert_eq!(tokens.body["expires_in"], 300);
    assert!(tokens.body["refresh_token"].is_string());

    let access = tokens.text("access_token");
    assert_eq!(header(access)["typ"], "at+jwt");
    let access = verified(&stand, access, Algorithm::ES256, API).await;
    assert_eq!(access["client_id"], "desktop-broker");
    assert_eq!(access["scope"], "openid profile email offline_access messages.read");
    assert!(access["jti"].is_string() && access["iat"].is_u64() && access["auth_time"].is_u64());

    let id = verified(&stand, tokens.text("id_token"), Algorithm::RS256, "desktop-broker").await;
    assert_eq!(id["nonce"], "nonce-1");
    assert_eq!(id["name"], "Alice Adams");
    assert_eq!(id["email"], "alice@example.com");
    assert_eq!(id["email_verified"], true);
    assert_eq!(id["sub"], access["sub"]);
    assert_ne!(id["sub"], "alice");
}

#[tokio::test]
async fn the_answer_carries_state_and_issuer_and_a_code() {
    let stand = Stand::new().await;
    let answer = stand.answer(&Query::good()).await;
    assert_eq!(answer.get("state"), Some("state-1"));
    assert_eq!(answer.get("iss"), Some(stand.issuer.url()));
    assert!(answer.get("code").is_some());
}

#[tokio::test]
async fn the_algorithms_can_be_exchanged() {
    let options = Options { access_alg: Alg::Rs256, id_alg: Alg::Es256, ..Options::default() };
    let stand = Stand::with(options).await;
    let tokens = stand.signed_in().await;
    verified(&stand, tokens.text("access_token"), Algorithm::RS256, API).await;
    verified(&stand, tokens.text("id_token"), Algorithm::ES256, "desktop-broker").await;
}

#[tokio::test]
async fn every_algorithm_verifies_with_a_key_that_is_announced() {
    let algorithms = [
        (Alg::Es256, Algorithm::ES256),
        (Alg::Rs256, Algorithm::RS256),
        (Alg::Ps256, Algorithm::PS256),
        (Alg::EdDsa, Algorithm::EdDSA),
    ];
    for (alg, algorithm) in algorithms {
        let options = Options { access_alg: alg, id_alg: alg, ..Options::default() };
        let stand = Stand::with(options).await;
        let document = stand.get("/.well-known/openid-configuration").await.body;
        assert_eq!(document["id_token_signing_alg_values_supported"], json!([alg.name()]));
        let tokens = stand.signed_in().await;
        verified(&stand, tokens.text("access_token"), algorithm, API).await;
        verified(&stand, tokens.text("id_token"), algorithm, "desktop-broker").await;
        let minted = stand.issuer.sample_claims(API, "messages.read");
        let minted = stand.issuer.mint(minted, json!({ "alg": alg.name() }));
        verified(&stand, &minted, algorithm, API).await;
    }
}

#[tokio::test]
async fn the_hash_of_the_access_token_is_that_of_the_algorithm() {
    let stand = Stand::with(Options { id_alg: Alg::EdDsa, ..Options::default() }).await;
    let tokens = stand.signed_in().await;
    let hash = Sha512::digest(tokens.text("access_token"));
    assert_eq!(claims(tokens.text("id_token"))["at_hash"], b64(&hash[..32]));
}

#[tokio::test]
async fn scopes_decide_what_the_id_token_says() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good().with("scope", "openid email")).await;
    let tokens = stand.redeem(&code).await;
    let id = claims(tokens.text("id_token"));
    assert!(id["name"].is_null() && id["picture"].is_null());
    assert_eq!(id["email"], "alice@example.com");
    assert!(tokens.body["refresh_token"].is_null());
}

#[tokio::test]
async fn without_openid_there_is_no_id_token() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good().with("scope", "messages.read")).await;
    assert!(stand.redeem(&code).await.body["id_token"].is_null());
}

#[tokio::test]
async fn several_resources_become_several_audiences() {
    let stand = Stand::new().await;
    let query = Query::good().and("resource", "urn:acme:billing");
    let tokens = stand.redeem(&stand.code(&query).await).await;
    assert_eq!(claims(tokens.text("access_token"))["aud"], json!([API, "urn:acme:billing"]));
}

#[tokio::test]
async fn the_picture_claim_leads_to_a_png() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    let picture = claims(tokens.text("id_token"))["picture"].as_str().unwrap().to_owned();
    let response = stand.http.get(picture).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "image/png");
    assert!(response.bytes().await.unwrap().starts_with(b"\x89PNG\r\n"));
}

#[tokio::test]
async fn any_loopback_port_may_be_returned_to() {
    let stand = Stand::new().await;
    for address in ["http://127.0.0.1:49152/callback", "http://[::1]:1/callback"] {
        let url = stand.authorization_url(&Query::good().with("redirect_uri", address));
        let answer = stand.browser.answer(&url, "alice", "wonderland", Consent::Allow).await;
        assert!(answer.unwrap().as_str().starts_with(address));
    }
}

#[tokio::test]
async fn a_denial_is_access_denied() {
    let stand = Stand::new().await;
    let answer = stand.answer_to("alice", "wonderland", Consent::Deny, &Query::good()).await;
    assert_eq!(answer.get("error"), Some("access_denied"));
    assert_eq!(answer.get("state"), Some("state-1"));
    assert_eq!(answer.get("code"), None);
}

#[tokio::test]
async fn a_wrong_password_is_said_on_the_page() {
    let stand = Stand::new().await;
    let url = stand.authorization_url(&Query::good());
    let end = stand.browser.sign_in(&url, "alice", "guess", Consent::Allow).await;
    assert!(
        matches!(&end, Err(UserAgentError::WrongPassword { text }) if text.contains("wrong")),
        "{end:?}"
    );
}

#[tokio::test]
async fn a_second_sign_in_asks_nothing() {
    let stand = Stand::new().await;
    let first = claims(stand.signed_in().await.text("id_token"));
    let pages = stand.count("/sign-in") + stand.count("/consent");
    let second = claims(stand.signed_in().await.text("id_token"));
    assert_eq!(stand.count("/sign-in") + stand.count("/consent"), pages);
    assert_eq!(first["auth_time"], second["auth_time"]);
    assert_eq!(first["sid"], second["sid"]);
}

#[tokio::test]
async fn another_scope_or_resource_is_consented_to_afresh() {
    let stand = Stand::new().await;
    stand.answer(&Query::good().with("scope", "openid")).await;
    let consents = stand.count("/consent");
    stand.answer(&Query::good().with("scope", "openid email")).await;
    assert!(stand.count("/consent") > consents);
    let consents = stand.count("/consent");
    stand.answer(&Query::good().with("scope", "email").with("resource", "urn:other")).await;
    assert!(stand.count("/consent") > consents);
}

#[tokio::test]
async fn prompt_login_and_consent_ask_again() {
    let stand = Stand::new().await;
    stand.answer(&Query::good()).await;
    let (sign_ins, consents) = (stand.count("/sign-in"), stand.count("/consent"));
    stand.answer(&Query::good().with("prompt", "login consent")).await;
    assert!(stand.count("/sign-in") > sign_ins);
    assert!(stand.count("/consent") > consents);
}

#[tokio::test]
async fn select_account_offers_the_one_signed_in_and_another() {
    let stand = Stand::new().await;
    stand.answer(&Query::good()).await;
    let sign_ins = stand.count("/sign-in");
    let query = Query::good().with("prompt", "select_account");
    stand.answer(&query).await;
    assert_eq!(stand.count("/sign-in"), sign_ins);
    let answer = stand.answer_to("bob", "builder", Consent::Allow, &query).await;
    let tokens = stand.redeem(answer.get("code").unwrap()).await;
    assert_eq!(claims(tokens.text("id_token"))["name"], "Bob Brown");
}

#[tokio::test]
async fn prompt_none_never_shows_a_page() {
    let stand = Stand::new().await;
    let silent = Query::good().with("prompt", "none");
    assert_eq!(stand.answer(&silent).await.get("error"), Some("login_required"));
    stand.answer(&Query::good().with("scope", "openid")).await;
    assert_eq!(stand.answer(&silent).await.get("error"), Some("consent_required"));
    stand.answer(&Query::good()).await;
    assert!(stand.answer(&silent).await.get("code").is_some());
}

#[tokio::test]
async fn an_old_session_does_not_satisfy_max_age() {
    let stand = Stand::new().await;
    let query = Query::good().with("max_age", "60");
    let first = stand.redeem(&stand.code(&query).await).await;
    stand.issuer.advance_clock(Duration::from_secs(61));
    let silent = stand.answer(&query.clone().with("prompt", "none")).await;
    assert_eq!(silent.get("error"), Some("login_required"));
    let second = stand.redeem(&stand.code(&query).await).await;
    let auth_time =
        |tokens: &Value| claims(tokens["id_token"].as_str().unwrap())["auth_time"].as_u64();
    assert!(auth_time(&second.body) >= auth_time(&first.body).map(|time| time + 61));
}

#[tokio::test]
async fn an_id_token_hint_asks_for_that_very_person() {
    let stand = Stand::new().await;
    let alice = stand.signed_in().await;
    let answer = stand
        .answer_to("bob", "builder", Consent::Allow, &Query::good().with("prompt", "login"))
        .await;
    assert!(answer.get("code").is_some());
    let hinted = Query::good().with("id_token_hint", alice.text("id_token"));
    let silent = stand.answer(&hinted.clone().with("prompt", "none")).await;
    assert_eq!(silent.get("error"), Some("login_required"));
    let bob = stand.answer_to("bob", "builder", Consent::Allow, &hinted).await;
    assert_eq!(bob.get("error"), Some("login_required"));
    assert!(stand.answer(&hinted).await.get("code").is_some());
}

#[tokio::test]
async fn the_request_may_come_as_a_form() {
    let stand = Stand::new().await;
    let form = [("client_id", "desktop-broker"), ("redirect_uri", REDIRECT), ("state", "s")];
    let response = stand.http.post(stand.at("/authorize")).form(&form).send().await.unwrap();
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.contains("error=invalid_request") && location.contains("state=s"));
}

#[tokio::test]
async fn a_confidential_client_proves_itself_in_either_way() {
    let stand = Stand::new().await;
    for basic in [true, false] {
        let query = Query::good().with("client_id", "web-app");
        let code = stand.code(&query).await;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let request = stand.http.post(stand.at("/token"));
        let request = if basic {
            request.basic_auth("web-app", Some("web-app-secret")).form(&form)
        } else {
            form.extend([("client_id", "web-app"), ("client_secret", "web-app-secret")]);
            request.form(&form)
        };
        assert_eq!(request.send().await.unwrap().status(), 200, "basic: {basic}");
    }
}

#[tokio::test]
async fn the_user_agent_tells_its_steps_and_hides_the_code() {
    let stand = Stand::new().await;
    let application = Stand::new().await;
    let redirect_uri = format!("{}/callback", application.issuer.url());
    let url = stand.authorization_url(&Query::good().with("redirect_uri", &redirect_uri));
    let visit = stand.browser.sign_in(&url, "carol", "singer", Consent::Allow).await.unwrap();
    // The second issuer stands in for the application: it has no such page, and says so.
    assert_eq!((visit.status, visit.url.path()), (404, "/callback"));
    let steps = visit.steps.join(", ");
    assert!(steps.starts_with("sign-in page of Dev Issuer, consent page, final page: "), "{steps}");
    assert!(visit.url.query().unwrap().contains("code="));
    assert!(!format!("{visit:?}").contains("code="));
}

#[tokio::test]
async fn browsers_do_not_share_a_session() {
    let stand = Stand::new().await;
    stand.answer(&Query::good()).await;
    let other = UserAgent::new().unwrap();
    let url = stand.authorization_url(&Query::good().with("prompt", "none"));
    let answer = other.answer(&url, "", "", Consent::Allow).await.unwrap();
    assert!(answer.query().unwrap().contains("error=login_required"));
}
