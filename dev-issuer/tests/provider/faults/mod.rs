//! The faults: each does what its name says, as often as was asked.

mod answers;
mod device;
mod documents;
mod dpop;
mod par;
mod redirects;
mod tokens;

use std::collections::BTreeSet;
use std::time::Duration;

use clap::ValueEnum as _;

use dev_issuer::{Fault, Times};
use serde_json::{Value, json};

use crate::stand::{Query, Stand, claims, code_form, header, refresh_form, soon};

const DISCOVERY: &str = "/.well-known/openid-configuration";

#[test]
fn every_fault_has_a_name_of_its_own_and_a_sentence() {
    let faults = Fault::value_variants();
    let names: BTreeSet<_> = faults.iter().map(|fault| fault.name()).collect();
    assert_eq!(names.len(), faults.len());
    for fault in faults {
        let help = fault.to_possible_value().unwrap().get_help().unwrap().to_string();
        assert!(help.ends_with('.') && help.contains(' '), "{fault:?}: {help}");
        assert_eq!(Fault::from_str(fault.name(), false), Ok(*fault));
    }
}

#[tokio::test]
async fn an_endpoint_fails_as_often_as_asked() {
    let stand = Stand::new().await;
    for (fault, path) in [(Fault::discovery_500(), DISCOVERY), (Fault::jwks_500(), "/jwks")] {
        stand.issuer.inject(fault, Times::Once);
        assert_eq!(stand.get(path).await.status, 500);
        assert_eq!(stand.get(path).await.status, 200);
        stand.issuer.inject(fault, Times::Next(2));
        assert_eq!(stand.get(path).await.status, 500);
        assert_eq!(stand.get(path).await.status, 500);
        assert_eq!(stand.get(path).await.status, 200);
        stand.issuer.inject(fault, Times::Always);
        assert_eq!(stand.get(path).await.status, 500);
        assert_eq!(stand.get(path).await.status, 500);
        stand.issuer.clear_faults();
        assert_eq!(stand.get(path).await.status, 200);
    }
}

#[tokio::test]
async fn discovery_can_name_another_issuer() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::discovery_issuer_mismatch(), Times::Once);
    assert_ne!(stand.get(DISCOVERY).await.body["issuer"], stand.issuer.url());
    assert_eq!(stand.get(DISCOVERY).await.body["issuer"], stand.issuer.url());
}

#[tokio::test]
async fn a_hanging_endpoint_takes_the_request_and_never_answers() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::discovery_hang(), Times::Once);
    stand.issuer.inject(Fault::token_hang(), Times::Once);
    let form = code_form("x");
    tokio::select! {
        _ = stand.get(DISCOVERY) => panic!("discovery answered"),
        _ = stand.token(&form) => panic!("the token endpoint answered"),
        seen = soon(stand.issuer.wait_for(2, |request| request.status.is_none())) => {
            assert_eq!(seen.len(), 2);
        }
    }
    assert_eq!(stand.get(DISCOVERY).await.status, 200);
}

#[tokio::test]
async fn a_redirect_can_be_wrong() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::redirect_wrong_state(), Times::Once);
    assert_ne!(stand.answer(&Query::good()).await.get("state"), Some("state-1"));
    stand.issuer.inject(Fault::redirect_wrong_iss(), Times::Once);
    assert_ne!(stand.answer(&Query::good()).await.get("iss"), Some(stand.issuer.url()));
    stand.issuer.inject(Fault::redirect_missing_iss(), Times::Once);
    assert_eq!(stand.answer(&Query::good()).await.get("iss"), None);
    let good = stand.answer(&Query::good()).await;
    assert_eq!((good.get("state"), good.get("iss")), (Some("state-1"), Some(stand.issuer.url())));
}

#[tokio::test]
async fn an_id_token_can_be_wrong() {
    let stand = Stand::new().await;
    for (fault, claim, right) in [
        (Fault::id_token_wrong_nonce(), "nonce", "nonce-1"),
        (Fault::id_token_wrong_aud(), "aud", "desktop-broker"),
        (Fault::id_token_wrong_iss(), "iss", stand.issuer.url()),
    ] {
        stand.issuer.inject(fault, Times::Once);
        let wrong = claims(stand.signed_in().await.text("id_token"));
        assert!(wrong[claim].is_string() && wrong[claim] != right, "{fault:?}");
        assert_eq!(claims(stand.signed_in().await.text("id_token"))[claim], right);
    }
}

#[tokio::test]
async fn an_id_token_can_be_missing_expired_or_unsigned() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::id_token_missing(), Times::Once);
    assert!(stand.signed_in().await.body["id_token"].is_null());

    stand.issuer.inject(Fault::id_token_expired(), Times::Once);
    let tokens = stand.signed_in().await;
    let (id, access) = (claims(tokens.text("id_token")), claims(tokens.text("access_token")));
    assert!(id["exp"].as_u64() < access["iat"].as_u64());

    stand.issuer.inject(Fault::id_token_alg_none(), Times::Once);
    let tokens = stand.signed_in().await;
    let token = tokens.text("id_token");
    assert_eq!(header(token)["alg"], "none");
    assert!(token.ends_with('.'));
}

#[tokio::test]
async fn a_bad_signature_looks_good_and_does_not_verify() {
    let stand = Stand::new().await;
    let good = stand.signed_in().await;
    stand.issuer.inject(Fault::id_token_bad_signature(), Times::Once);
    let bad = stand.signed_in().await;
    let hint = |token| Query::good().with("id_token_hint", token);
    let answer = stand.answer(&hint(bad.text("id_token"))).await;
    assert_eq!(answer.get("error"), Some("invalid_request"));
    assert!(stand.answer(&hint(good.text("id_token"))).await.get("code").is_some());
    assert_eq!(bad.text("id_token").len(), good.text("id_token").len());
}

#[tokio::test]
async fn a_failing_token_endpoint_keeps_the_code_good() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good()).await;
    stand.issuer.inject(Fault::token_500(), Times::Once);
    assert_eq!(stand.redeem(&code).await.status, 500);
    stand.issuer.inject(Fault::token_503_retry_after(), Times::Once);
    let busy = stand.redeem(&code).await;
    assert_eq!((busy.status, busy.headers["retry-after"].as_str()), (503, "1"));
    assert_eq!(stand.redeem(&code).await.status, 200);
}

#[tokio::test]
async fn a_refresh_can_fail_while_codes_are_redeemed() {
    let stand = Stand::new().await;
    for (fault, status) in [
        (Fault::refresh_500(), 500),
        (Fault::refresh_503_retry_after(), 503),
        (Fault::refresh_invalid_grant(), 400),
        (Fault::token_500(), 500),
    ] {
        let tokens = stand.signed_in().await;
        stand.issuer.inject(fault, Times::Once);
        assert_eq!(stand.refresh(tokens.text("refresh_token")).await.status, status);
        assert_eq!(stand.refresh(tokens.text("refresh_token")).await.status, 200);
    }
    stand.issuer.inject(Fault::refresh_500(), Times::Always);
    assert_eq!(stand.signed_in().await.status, 200);
}

#[tokio::test]
async fn a_lost_answer_has_rotated_the_token() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    stand.issuer.inject(Fault::refresh_lost_answer(), Times::Once);
    let form = refresh_form(tokens.text("refresh_token"));
    let lost = stand.http.post(stand.at("/token")).form(&form).send().await;
    assert!(lost.unwrap_err().is_request());
    let request = stand.issuer.requests().pop().unwrap();
    assert!(request.is_grant("refresh_token") && request.status.is_none());
    stand.refresh(tokens.text("refresh_token")).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_refresh_can_leave_the_refresh_token_as_it_is() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    stand.issuer.inject(Fault::refresh_no_new_token(), Times::Once);
    let next = stand.refresh(tokens.text("refresh_token")).await;
    assert!(next.body["refresh_token"].is_null());
    assert!(stand.refresh(tokens.text("refresh_token")).await.body["refresh_token"].is_string());
}

#[tokio::test]
async fn revocation_can_be_out_of_service() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    stand.issuer.inject(Fault::revoke_503(), Times::Once);
    let busy = stand.revoke(tokens.text("refresh_token")).await;
    assert_eq!((busy.status, busy.headers["retry-after"].as_str()), (503, "1"));
    assert_eq!(stand.refresh(tokens.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn minted_tokens_are_what_was_asked_for() {
    let stand = Stand::new().await;
    let good = stand.issuer.sample_claims("https://api.example", "messages.read");
    let mint = |headers: Value| stand.issuer.mint(good.clone(), headers);

    let plain = mint(json!({}));
    assert_eq!(claims(&plain), good);
    assert_eq!(header(&plain)["typ"], "at+jwt");
    assert_eq!(header(&mint(json!({ "alg": "RS256" })))["alg"], "RS256");
    let bare = header(&mint(json!({ "kid": null, "typ": "JWT", "crit": ["x"] })));
    assert!(bare.get("kid").is_none());
    assert_eq!((&bare["typ"], &bare["crit"]), (&json!("JWT"), &json!(["x"])));
    assert!(mint(json!({ "alg": "nOnE" })).ends_with('.'));
}

#[tokio::test]
async fn rotated_keys_have_new_names_and_the_old_ones_stay_published() {
    let stand = Stand::new().await;
    let names = |document: &Value| -> Vec<Value> {
        let keys = document["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].clone()).collect()
    };
    let before = names(&stand.get("/jwks").await.body);
    let old = stand.signed_in().await;
    stand.issuer.rotate_keys();
    let after = names(&stand.get("/jwks").await.body);
    assert_eq!((before.len(), after.len()), (2, 4));
    assert_eq!(after[2..], before);
    let new = stand.signed_in().await;
    assert!(before.contains(&header(old.text("id_token"))["kid"]));
    assert!(after[..2].contains(&header(new.text("id_token"))["kid"]));
}

#[tokio::test]
async fn the_clock_can_be_set_ahead() {
    let stand = Stand::new().await;
    let before = claims(stand.signed_in().await.text("access_token"))["iat"].as_u64();
    stand.issuer.advance_clock(Duration::from_hours(1));
    let after = claims(stand.signed_in().await.text("access_token"))["iat"].as_u64();
    assert!(after >= before.map(|time| time + 3600));
}
