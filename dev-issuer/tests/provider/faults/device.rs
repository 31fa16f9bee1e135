//! Faults that a device meets.

use dev_issuer::user_agent::Consent;
use dev_issuer::{Fault, Times};
use serde_json::Value;

use crate::stand::{Answer, Stand, soon};

async fn begin(stand: &Stand) -> Answer {
    let wanted = [("client_id", "desktop-broker"), ("scope", "openid")];
    stand.post("/device_authorization", &wanted).await
}

async fn poll(stand: &Stand, codes: &Answer) -> Answer {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "desktop-broker"),
        ("device_code", codes.text("device_code")),
    ];
    stand.token(&form).await
}

/// One member of the answer that a device gets under a fault.
async fn member(stand: &Stand, fault: Fault, name: &str) -> Value {
    stand.issuer.inject(fault, Times::Once);
    let codes = begin(stand).await;
    assert_eq!(codes.status, 200);
    assert!(codes.body["device_code"].is_string(), "the rest is as it was");
    codes.body[name].clone()
}

#[tokio::test]
async fn a_poll_is_answered_as_the_fault_says_and_the_code_stays_good() {
    let stand = Stand::new().await;
    let codes = begin(&stand).await;
    let (uri, code) = (codes.text("verification_uri"), codes.text("user_code"));
    let answered = stand.browser.answer_device(uri, code, "alice", "wonderland", Consent::Allow);
    answered.await.unwrap();
    for (fault, error) in [
        (Fault::device_slow_down(), "slow_down"),
        (Fault::device_denied(), "access_denied"),
        (Fault::device_expired(), "expired_token"),
        (Fault::device_never_answered(), "authorization_pending"),
    ] {
        stand.issuer.inject(fault, Times::Once);
        poll(&stand, &codes).await.assert_error(400, error);
    }
    stand.issuer.inject(Fault::device_poll_500(), Times::Once);
    assert_eq!(poll(&stand, &codes).await.status, 500);
    assert_eq!(poll(&stand, &codes).await.status, 200);
}

#[tokio::test]
async fn a_fault_of_the_whole_token_endpoint_happens_to_polls_too() {
    let stand = Stand::new().await;
    let codes = begin(&stand).await;
    stand.issuer.inject(Fault::token_500(), Times::Once);
    assert_eq!(poll(&stand, &codes).await.status, 500);
    stand.issuer.inject(Fault::device_denied(), Times::Always);
    assert_eq!(stand.signed_in().await.status, 200, "codes are redeemed as ever");
}

#[tokio::test]
async fn the_codes_can_fail_to_come() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::device_500(), Times::Once);
    assert_eq!(begin(&stand).await.status, 500);
    stand.issuer.inject(Fault::device_not_json(), Times::Once);
    assert!(begin(&stand).await.body.as_str().unwrap().starts_with("<!doctype"));
    assert_eq!(begin(&stand).await.status, 200);
}

#[tokio::test]
async fn a_device_can_wait_for_its_codes_or_its_tokens_for_ever() {
    let stand = Stand::new().await;
    let codes = begin(&stand).await;
    stand.issuer.inject(Fault::device_hang(), Times::Once);
    stand.issuer.inject(Fault::device_poll_hang(), Times::Once);
    tokio::select! {
        answer = begin(&stand) => panic!("{answer:?}"),
        answer = poll(&stand, &codes) => panic!("{answer:?}"),
        seen = soon(stand.issuer.wait_for(2, |request| request.status.is_none())) => {
            assert_eq!(seen.len(), 2);
        }
    }
    poll(&stand, &codes).await.assert_error(400, "authorization_pending");
}

#[tokio::test]
async fn the_pace_can_be_left_out_or_absurd() {
    let stand = Stand::new().await;
    assert_eq!(member(&stand, Fault::device_without_interval(), "interval").await, Value::Null);
    assert_eq!(member(&stand, Fault::device_without_expires_in(), "expires_in").await, Value::Null);
    assert_eq!(member(&stand, Fault::device_interval_text(), "interval").await, "5");
    assert_eq!(member(&stand, Fault::device_interval_negative(), "interval").await, -5);
    let century = member(&stand, Fault::device_interval_huge(), "interval").await;
    assert!(century.as_u64().unwrap() > 3_000_000_000);
}

#[tokio::test]
async fn the_page_for_the_code_can_lead_anywhere() {
    let stand = Stand::new().await;
    for (fault, beginning) in [
        (Fault::device_uri_javascript(), "javascript:"),
        (Fault::device_uri_file(), "file:"),
        (Fault::device_uri_dash(), "--"),
        (Fault::device_uri_plain_http(), "http://stranger.example"),
        (Fault::device_uri_control_characters(), "https://stranger.example/\u{1b}"),
    ] {
        for name in ["verification_uri", "verification_uri_complete"] {
            let uri = member(&stand, fault, name).await;
            assert!(uri.as_str().unwrap().starts_with(beginning), "{fault:?}: {uri}");
        }
    }
    let nowhere = member(&stand, Fault::device_without_uri(), "verification_uri").await;
    assert_eq!(nowhere, Value::Null);
}

#[tokio::test]
async fn the_code_for_the_person_can_be_no_code() {
    let stand = Stand::new().await;
    let code = member(&stand, Fault::device_user_code_control_characters(), "user_code").await;
    assert!(code.as_str().unwrap().chars().any(char::is_control), "{code}");
    let code = member(&stand, Fault::device_user_code_huge(), "user_code").await;
    assert!(code.as_str().unwrap().len() > 4_000);
    let code = member(&stand, Fault::device_without_user_code(), "user_code").await;
    assert_eq!(code, Value::Null);
}
