//! The device grant.

use std::time::Duration;

use dev_issuer::user_agent::{Consent, UserAgentError, Visit};
use dev_issuer::{Offer, Options, Switch};
use serde_json::json;

use crate::keys::ClientKey;
use crate::stand::{API, Answer, Query, Stand, as_web_app, claims};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

const WANTED: [(&str, &str); 3] = [
    ("client_id", "desktop-broker"),
    ("scope", "openid profile offline_access messages.read"),
    ("resource", API),
];

async fn begin(stand: &Stand) -> Answer {
    stand.post("/device_authorization", &WANTED).await
}

fn poll_form(device_code: &str) -> Vec<(&str, &str)> {
    vec![("grant_type", GRANT_TYPE), ("client_id", "desktop-broker"), ("device_code", device_code)]
}

async fn poll(stand: &Stand, codes: &Answer) -> Answer {
    stand.token(&poll_form(codes.text("device_code"))).await
}

async fn answer(stand: &Stand, codes: &Answer, consent: Consent) -> Visit {
    let (uri, code) = (codes.text("verification_uri"), codes.text("user_code"));
    stand.browser.answer_device(uri, code, "alice", "wonderland", consent).await.unwrap()
}

#[tokio::test]
async fn a_device_gets_tokens_once_its_code_is_allowed() {
    let stand = Stand::new().await;
    let codes = begin(&stand).await;
    assert_eq!((codes.status, &codes.body["expires_in"]), (200, &json!(600)));
    assert_eq!(codes.body["interval"], 5);
    assert_eq!(codes.headers["cache-control"], "no-store");
    poll(&stand, &codes).await.assert_error(400, "authorization_pending");

    let visit = answer(&stand, &codes, Consent::Allow).await;
    assert_eq!(visit.title, "Device connected · Dev Issuer");
    let steps = visit.steps.join(", ");
    let wanted = "page for a device's code, sign-in page of Dev Issuer, consent page, final page: ";
    assert!(steps.starts_with(wanted), "{steps}");

    let tokens = poll(&stand, &codes).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let (id, access) = (claims(tokens.text("id_token")), claims(tokens.text("access_token")));
    assert_eq!((&id["name"], &access["aud"]), (&json!("Alice Adams"), &json!(API)));
    assert!(id["nonce"].is_null());
    assert_eq!(stand.refresh(tokens.text("refresh_token")).await.status, 200);
    poll(&stand, &codes).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn the_complete_address_needs_no_typing_and_still_asks() {
    let stand = Stand::new().await;
    let codes = begin(&stand).await;
    let uri = codes.text("verification_uri_complete");
    let visit = stand.browser.answer_device(uri, "", "bob", "builder", Consent::Allow).await;
    let steps = visit.unwrap().steps.join(", ");
    assert!(steps.starts_with("sign-in page of Dev Issuer, consent page, "), "{steps}");
    assert_eq!(claims(poll(&stand, &codes).await.text("id_token"))["name"], "Bob Brown");
}

#[tokio::test]
async fn the_question_shows_the_code_and_is_asked_every_time() {
    let stand = Stand::new().await;
    for _ in 0..2 {
        let consents = stand.count("/consent");
        let codes = begin(&stand).await;
        answer(&stand, &codes, Consent::Allow).await;
        assert_eq!(stand.count("/consent"), consents + 2, "one page and one form");
    }
    let codes = begin(&stand).await;
    let page = stand.browser.visit(codes.text("verification_uri_complete")).await.unwrap();
    assert_eq!(page.title, "Allow access? · Dev Issuer");
    assert!(page.text.contains(codes.text("user_code")), "{}", page.text);
}

#[tokio::test]
async fn a_denial_is_told_to_the_device_once() {
    let stand = Stand::new().await;
    let codes = begin(&stand).await;
    let visit = answer(&stand, &codes, Consent::Deny).await;
    assert_eq!(visit.title, "Device refused · Dev Issuer");
    poll(&stand, &codes).await.assert_error(400, "access_denied");
    poll(&stand, &codes).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_device_that_polls_too_soon_is_told_to_slow_down() {
    let device_interval = Some(Duration::from_hours(1));
    let device_ttl = Duration::from_hours(24);
    let stand = Stand::with(Options { device_interval, device_ttl, ..Options::default() }).await;
    let codes = begin(&stand).await;
    assert_eq!(codes.body["interval"], 3600);
    poll(&stand, &codes).await.assert_error(400, "authorization_pending");
    poll(&stand, &codes).await.assert_error(400, "slow_down");
    stand.issuer.advance_clock(Duration::from_hours(2));
    poll(&stand, &codes).await.assert_error(400, "authorization_pending");
}

#[tokio::test]
async fn the_interval_can_be_left_out() {
    let stand = Stand::with(Options { device_interval: None, ..Options::default() }).await;
    let codes = begin(&stand).await;
    assert!(codes.body["interval"].is_null());
    poll(&stand, &codes).await.assert_error(400, "authorization_pending");
    stand.issuer.advance_clock(Duration::from_secs(5));
    poll(&stand, &codes).await.assert_error(400, "authorization_pending");
}

#[tokio::test]
async fn without_an_interval_to_keep_a_device_may_ask_at_once() {
    let device_interval = Some(Duration::ZERO);
    let stand = Stand::with(Options { device_interval, ..Options::default() }).await;
    let codes = begin(&stand).await;
    poll(&stand, &codes).await.assert_error(400, "authorization_pending");
    poll(&stand, &codes).await.assert_error(400, "authorization_pending");
}

#[tokio::test]
async fn codes_expire() {
    let device_ttl = Duration::from_mins(1);
    let stand = Stand::with(Options { device_ttl, ..Options::default() }).await;
    let codes = begin(&stand).await;
    stand.issuer.advance_clock(device_ttl);
    poll(&stand, &codes).await.assert_error(400, "expired_token");
    let (uri, code) = (codes.text("verification_uri"), codes.text("user_code"));
    let late = stand.browser.answer_device(uri, code, "alice", "wonderland", Consent::Allow).await;
    assert!(matches!(&late, Err(UserAgentError::WrongCode { .. })), "{late:?}");
}

#[tokio::test]
async fn a_code_typed_wrong_is_said_on_the_page() {
    let stand = Stand::new().await;
    let codes = begin(&stand).await;
    let uri = codes.text("verification_uri");
    let end = stand.browser.answer_device(uri, "BBBB-BBBB", "", "", Consent::Allow).await;
    assert!(
        matches!(&end, Err(UserAgentError::WrongCode { text }) if text.contains("not known")),
        "{end:?}"
    );
    let typed = codes.text("user_code").to_lowercase().replace('-', "");
    let end = stand.browser.answer_device(uri, &typed, "alice", "wonderland", Consent::Allow).await;
    assert_eq!(end.unwrap().status, 200);
}

#[tokio::test]
async fn a_code_is_answered_once() {
    let stand = Stand::new().await;
    let codes = begin(&stand).await;
    answer(&stand, &codes, Consent::Deny).await;
    let (uri, code) = (codes.text("verification_uri"), codes.text("user_code"));
    let again = stand.browser.answer_device(uri, code, "alice", "wonderland", Consent::Allow).await;
    assert!(matches!(&again, Err(UserAgentError::WrongCode { .. })), "{again:?}");
}

#[tokio::test]
async fn a_device_code_is_for_its_client_only() {
    let stand = Stand::new().await;
    let codes = begin(&stand).await;
    answer(&stand, &codes, Consent::Allow).await;
    let stranger = as_web_app(poll_form(codes.text("device_code")));
    stand.token(&stranger).await.assert_error(400, "invalid_grant");
    assert_eq!(poll(&stand, &codes).await.status, 200);
}

#[tokio::test]
async fn requests_that_ask_for_the_wrong_thing_get_no_code() {
    let stand = Stand::new().await;
    for (error, form) in [
        ("invalid_scope", vec![("client_id", "desktop-broker")]),
        ("invalid_scope", vec![("client_id", "desktop-broker"), ("scope", "everything")]),
        ("invalid_target", [&WANTED[..2], &[("resource", "/relative")]].concat()),
        ("invalid_request", [&WANTED[..], &[("scope", "openid")]].concat()),
    ] {
        stand.post("/device_authorization", &form).await.assert_error(400, error);
    }
    let nobody = [("client_id", "nobody"), ("scope", "openid")];
    stand.post("/device_authorization", &nobody).await.assert_error(401, "invalid_client");
    let without_code = [("grant_type", GRANT_TYPE), ("client_id", "desktop-broker")];
    stand.token(&without_code).await.assert_error(400, "invalid_request");
}

#[tokio::test]
async fn the_poll_that_brings_tokens_binds_them() {
    let stand = Stand::with(Options { dpop: Offer::Required, ..Options::default() }).await;
    let codes = begin(&stand).await;
    answer(&stand, &codes, Consent::Allow).await;
    poll(&stand, &codes).await.assert_error(400, "invalid_dpop_proof");
    let key = ClientKey::p256();
    let proof = key.proof("POST", &stand.at("/token")).sign();
    let form = poll_form(codes.text("device_code"));
    let request = stand.http.post(stand.at("/token")).header("DPoP", proof).form(&form);
    let tokens = Answer::of(request).await;
    assert_eq!(claims(tokens.text("access_token"))["cnf"]["jkt"], key.thumbprint());
}

#[tokio::test]
async fn the_grant_is_announced_where_it_is_served() {
    let stand = Stand::new().await;
    let document = stand.get("/.well-known/openid-configuration").await.body;
    assert_eq!(document["device_authorization_endpoint"], stand.at("/device_authorization"));
    assert!(document["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT_TYPE)));

    let off = Stand::with(Options { device: Switch::Off, ..Options::default() }).await;
    let document = off.get("/.well-known/openid-configuration").await.body;
    assert!(document["device_authorization_endpoint"].is_null());
    assert!(!document["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT_TYPE)));
    assert_eq!(begin(&off).await.status, 404);
    off.token(&poll_form("x")).await.assert_error(400, "unsupported_grant_type");
    // A sign-in with a browser is as good as ever.
    assert!(off.answer(&Query::good()).await.get("code").is_some());
}
