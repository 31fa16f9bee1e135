//! Sign-ins that are surer, or fresher, than the last one.

use std::time::Duration;

use dev_issuer::user_agent::Consent;
use dev_issuer::{ACCOUNTS, Acr};
use serde_json::json;

use crate::stand::{Answer, Query, Stand, claims};

fn surer() -> Query {
    Query::good().with("acr_values", Acr::TwoFactor.name())
}

async fn signed_in(stand: &Stand, query: &Query) -> Answer {
    stand.redeem(&stand.code(query).await).await
}

fn acr(tokens: &Answer) -> String {
    let (id, access) = (claims(tokens.text("id_token")), claims(tokens.text("access_token")));
    assert_eq!((&id["acr"], &id["auth_time"]), (&access["acr"], &access["auth_time"]));
    id["acr"].as_str().unwrap().to_owned()
}

fn auth_time(tokens: &Answer) -> u64 {
    claims(tokens.text("id_token"))["auth_time"].as_u64().unwrap()
}

#[tokio::test]
async fn a_surer_sign_in_asks_for_the_second_factor() {
    let stand = Stand::new().await;
    assert_eq!(acr(&signed_in(&stand, &surer()).await), "urn:dev-issuer:two-factor");
    assert_eq!(stand.count("/second-factor"), 2, "one page and one form");
}

#[tokio::test]
async fn without_a_word_a_password_is_enough() {
    let stand = Stand::new().await;
    assert_eq!(acr(&stand.signed_in().await), "urn:dev-issuer:password");
    assert_eq!(stand.count("/second-factor"), 0);
    let asked = Query::good().with("acr_values", Acr::Password.name());
    assert_eq!(acr(&signed_in(&stand, &asked).await), "urn:dev-issuer:password");
}

#[tokio::test]
async fn who_is_signed_in_already_only_adds_the_second_factor() {
    let stand = Stand::new().await;
    let first = stand.signed_in().await;
    let pages = stand.count("/sign-in") + stand.count("/consent");
    stand.issuer.advance_clock(Duration::from_mins(1));
    let stronger = signed_in(&stand, &surer()).await;
    assert_eq!(stand.count("/sign-in") + stand.count("/consent"), pages);
    assert_eq!(acr(&stronger), "urn:dev-issuer:two-factor");
    assert!(auth_time(&stronger) >= auth_time(&first) + 60, "the code was typed just now");
    let id = |tokens: &Answer| claims(tokens.text("id_token"))["sid"].clone();
    assert_eq!(id(&first), id(&stronger), "it is the same session");
}

#[tokio::test]
async fn once_is_enough_and_the_tokens_say_what_was_done_not_what_was_asked() {
    let stand = Stand::new().await;
    signed_in(&stand, &surer()).await;
    let asked = stand.count("/second-factor");
    assert_eq!(acr(&signed_in(&stand, &surer()).await), "urn:dev-issuer:two-factor");
    assert_eq!(acr(&stand.signed_in().await), "urn:dev-issuer:two-factor");
    assert_eq!(stand.count("/second-factor"), asked);
}

#[tokio::test]
async fn a_refresh_keeps_what_the_sign_in_was() {
    let stand = Stand::new().await;
    let weak = stand.signed_in().await;
    let strong = signed_in(&stand, &surer()).await;
    let renewed = stand.refresh(strong.text("refresh_token")).await;
    assert_eq!((acr(&renewed), auth_time(&renewed)), (acr(&strong), auth_time(&strong)));
    assert_eq!(acr(&stand.refresh(weak.text("refresh_token")).await), "urn:dev-issuer:password");
}

#[tokio::test]
async fn without_a_page_a_surer_sign_in_is_a_login_that_is_required() {
    let stand = Stand::new().await;
    stand.signed_in().await;
    let silent = surer().with("prompt", "none");
    assert_eq!(stand.answer(&silent).await.get("error"), Some("login_required"));
    signed_in(&stand, &surer()).await;
    assert!(stand.answer(&silent).await.get("code").is_some());
}

#[tokio::test]
async fn the_first_class_that_is_known_counts() {
    let stand = Stand::new().await;
    let values = "urn:example:retina urn:dev-issuer:two-factor urn:dev-issuer:password";
    let tokens = signed_in(&stand, &Query::good().with("acr_values", values)).await;
    assert_eq!(acr(&tokens), "urn:dev-issuer:two-factor");
    let unmet = stand.answer(&Query::good().with("acr_values", "urn:example:retina")).await;
    assert_eq!(unmet.get("error"), Some("unmet_authentication_requirements"));
    let document = stand.get("/.well-known/openid-configuration").await.body;
    let known = json!(["urn:dev-issuer:password", "urn:dev-issuer:two-factor"]);
    assert_eq!(document["acr_values_supported"], known);
}

#[tokio::test]
async fn another_person_starts_again_with_the_password() {
    let stand = Stand::new().await;
    signed_in(&stand, &surer()).await;
    let query = surer().with("prompt", "select_account");
    let answer = stand.answer_to("bob", "builder", Consent::Allow, &query).await;
    let tokens = stand.redeem(answer.get("code").unwrap()).await;
    assert_eq!(claims(tokens.text("id_token"))["name"], "Bob Brown");
    assert_eq!(acr(&tokens), "urn:dev-issuer:two-factor");
    let codes = ACCOUNTS.each_ref().map(|account| account.second_factor);
    assert!(codes[0] != codes[1] && codes[1] != codes[2]);
}

#[tokio::test]
async fn a_max_age_of_zero_is_a_new_sign_in_even_in_the_same_second() {
    let stand = Stand::new().await;
    stand.signed_in().await;
    let sign_ins = stand.count("/sign-in");
    let fresh = Query::good().with("max_age", "0");
    let silent = stand.answer(&fresh.clone().with("prompt", "none")).await;
    assert_eq!(silent.get("error"), Some("login_required"));
    assert_eq!(signed_in(&stand, &fresh).await.status, 200);
    assert_eq!(stand.count("/sign-in"), sign_ins + 2, "one page and one form");
}

#[tokio::test]
async fn a_surer_and_fresher_sign_in_asks_for_both() {
    let stand = Stand::new().await;
    let first = signed_in(&stand, &surer()).await;
    stand.issuer.advance_clock(Duration::from_mins(5));
    let asked = stand.count("/second-factor");
    let second = signed_in(&stand, &surer().with("max_age", "60")).await;
    assert_eq!(stand.count("/second-factor"), asked + 2);
    assert_eq!(acr(&second), "urn:dev-issuer:two-factor");
    assert!(auth_time(&second) >= auth_time(&first) + 300);
}
