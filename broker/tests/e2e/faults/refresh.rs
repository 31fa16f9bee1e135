//! Renewals that fail, and what is left of the session. What a session does in its ordinary life,
//! lost answers included, is in `refresh.rs`.

use std::time::Duration;

use authbroker_client::TokenRequest;
use dev_issuer::{Fault, Times};

use super::Ordeal;

/// A renewal under a fault: how it is told, and that the token at hand and the session are kept.
async fn told(fault: Fault, code: i32, words: &str) -> Ordeal {
    let ordeal = Ordeal::warm().await;
    let before = ordeal.stand.issuer.requests().len();
    ordeal.stand.issuer.inject(fault, Times::Once);
    ordeal.stand.ctl(["token", "--force"]).await.assert_fails(code, words, "");
    assert_eq!(ordeal.asked_since(before), ["/token"], "no request follows");
    assert_eq!(ordeal.stand.ctl(["token"]).await.code, 0, "the token at hand is still good");
    ordeal.nobody_went_elsewhere();
    ordeal
}

/// Asks until a renewal works: the provider is left alone for a moment after a failure.
async fn renews(ordeal: &Ordeal) {
    let app = ordeal.stand.app().await;
    let renewed = async { while app.token(TokenRequest::new().force()).await.is_err() {} };
    tokio::time::timeout(crate::stand::LIMIT, renewed).await.expect("the session lives");
}

#[tokio::test]
async fn a_slow_renewal_is_waited_for_and_shared() {
    let ordeal = Ordeal::warm().await;
    ordeal.stand.issuer.inject(Fault::refresh_slow(), Times::Always);
    let app = ordeal.stand.app().await;
    let ask = || app.token(TokenRequest::new().force());
    let tokens = futures_util::future::join_all((0..20).map(|_| ask())).await;
    let first = tokens[0].as_ref().unwrap().expose();
    assert!(tokens.iter().all(|token| token.as_ref().unwrap().expose() == first));
    assert_eq!(ordeal.stand.grants("refresh_token"), 1);
}

#[tokio::test]
async fn a_failing_renewal_is_told_and_the_session_is_kept() {
    for (fault, code, words) in [
        (Fault::refresh_500(), 5, "the provider answers 500"),
        (Fault::refresh_503_retry_after(), 5, "the provider answers 503"),
        (Fault::refresh_redirect(), 1, "answers with a redirect, which is not followed"),
    ] {
        renews(&told(fault, code, words).await).await;
    }
}

#[tokio::test]
async fn a_provider_that_always_fails_is_asked_less_often_than_we_are() {
    let ordeal = Ordeal::warm().await;
    for fault in [Fault::refresh_500(), Fault::refresh_503_retry_at_once()] {
        let before = ordeal.stand.grants("refresh_token");
        ordeal.stand.issuer.inject(fault, Times::Always);
        let app = ordeal.stand.app().await;
        for _ in 0..200 {
            assert!(app.token(TokenRequest::new().force()).await.is_err());
        }
        let asked = ordeal.stand.grants("refresh_token") - before;
        assert!(asked < 100, "{asked} requests");
        ordeal.stand.issuer.clear_faults();
        renews(&ordeal).await;
    }
}

#[tokio::test]
async fn a_provider_that_says_when_to_come_back_is_not_asked_before() {
    for fault in [
        Fault::refresh_503_retry_after_date(),
        Fault::refresh_429_retry_after(),
        Fault::refresh_429_retry_after_date(),
    ] {
        let ordeal = Ordeal::warm().await;
        ordeal.stand.issuer.inject(fault, Times::Once);
        let app = ordeal.stand.app().await;
        for _ in 0..3 {
            let error = app.token(TokenRequest::new().force()).await.unwrap_err();
            let authbroker_client::Error::Broker(refusal) = error else { panic!("{error:?}") };
            let pause = refusal.retry_after.unwrap();
            assert!(pause > Duration::from_mins(58), "{fault:?}: {pause:?}");
        }
        assert_eq!(ordeal.stand.grants("refresh_token"), 1, "{fault:?}");
        assert_eq!(ordeal.stand.ctl(["token"]).await.code, 0, "the token at hand is still good");
    }
}

#[tokio::test]
async fn a_renewal_that_is_never_answered_is_repeated_once_while_the_caller_waits() {
    let ordeal = Ordeal::warm().await;
    ordeal.stand.issuer.inject(Fault::refresh_hang(), Times::Once);
    let ran = ordeal.stand.ctl(["token", "--force"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ordeal.stand.grants("refresh_token"), 2);
}

#[tokio::test]
async fn an_empty_refusal_is_no_verdict_and_is_repeated_once() {
    let ordeal = Ordeal::warm().await;
    ordeal.stand.issuer.inject(Fault::refresh_empty_400(), Times::Once);
    assert_eq!(ordeal.stand.ctl(["token", "--force"]).await.code, 0);
    assert_eq!(ordeal.stand.grants("refresh_token"), 2);
    ordeal.stand.issuer.inject(Fault::refresh_empty_400(), Times::Always);
    let ran = ordeal.stand.ctl(["token", "--force"]).await;
    ran.assert_fails(3, "a renewal was interrupted", "brokerctl login dev");
    assert_eq!(ordeal.stand.grants("refresh_token"), 4, "one repeat and no more");
    ordeal.stand.issuer.clear_faults();
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn a_renewal_for_somebody_else_is_refused_and_nothing_of_it_is_kept() {
    for (fault, words) in [
        (Fault::refresh_wrong_sub(), "it is about another person than before"),
        (Fault::refresh_wrong_iss(), "it is from another issuer"),
    ] {
        let ordeal = told(fault, 1, words).await;
        let claims = crate::stand::claims(ordeal.stand.ctl(["token"]).await.line());
        let accounts = ordeal.stand.ctl(["accounts", "--json"]).await.json();
        assert_eq!(accounts[0]["subject"], claims["sub"]);
        ordeal.all_is_well().await;
    }
}

#[tokio::test]
async fn a_renewal_whose_id_token_cannot_be_checked_costs_nobody_their_session() {
    let ordeal = Ordeal::warm().await;
    // New keys, and they cannot be had: as when one of the provider's servers is behind.
    ordeal.stand.issuer.rotate_keys();
    ordeal.stand.always(&[Fault::jwks_500()]);
    for _ in 0..2 {
        let ran = ordeal.stand.ctl(["token", "--force"]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    assert_eq!(ordeal.stand.grants("refresh_token"), 2);
}

#[tokio::test]
async fn a_renewal_that_allows_less_says_so() {
    let ordeal = Ordeal::warm().await;
    ordeal.stand.issuer.inject(Fault::refresh_scope_shrunk(), Times::Once);
    let answer = ordeal.stand.ctl(["token", "--force", "--json"]).await.json();
    assert_eq!(answer["scopes"], serde_json::json!(["offline_access", "openid", "profile"]));
}
