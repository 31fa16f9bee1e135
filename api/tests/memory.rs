//! Tokens that were judged before: how long that counts.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use std::time::Duration;

use axum::http::StatusCode;
use private_api::auth::Setup;
use support::api::{Stand, TestApi, rules};
use support::keys::TestKey;
use support::{NOW, claims};

#[tokio::test]
async fn a_token_that_was_good_is_refused_once_it_expires() {
    let stand = Stand::start().await;
    let token = stand.token();
    assert_eq!(stand.api.private(&token).await.status, StatusCode::OK);
    stand.api.clock.set(NOW + 604);
    assert_eq!(stand.api.private(&token).await.status, StatusCode::OK, "five seconds of leeway");
    stand.api.clock.set(NOW + 605);
    assert_eq!(stand.api.private(&token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_was_good_is_refused_once_its_key_is_withdrawn() {
    let stand = Stand::start().await;
    let token = stand.token();
    assert_eq!(stand.api.private(&token).await.status, StatusCode::OK);
    let second = TestKey::p256("second");
    stand.issuer.publish(&[&second]);
    let newer = second.token(&claims(&stand.issuer.url));
    assert_eq!(stand.api.private(&newer).await.status, StatusCode::OK);
    assert_eq!(stand.api.private(&token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_was_good_cannot_be_judged_when_nobody_confirms_its_key() {
    let stand = Stand::start().await;
    let token = stand.token();
    assert_eq!(stand.api.private(&token).await.status, StatusCode::OK);
    stand.issuer.fail_with(StatusCode::INTERNAL_SERVER_ERROR);
    stand.api.clock.advance(Duration::from_hours(25));
    assert_eq!(stand.api.private(&token).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn more_tokens_than_can_be_remembered_are_judged_anew() {
    for remembered in [0, 1, 10] {
        let stand = Stand::start().await;
        let mut setup = Setup::new(rules(&stand.issuer.url));
        setup.remembered = remembered;
        let api = TestApi::made(setup, None);
        let tokens: Vec<_> = (0..30).map(|_| stand.token()).collect();
        for token in tokens.iter().chain(&tokens) {
            assert_eq!(api.private(token).await.status, StatusCode::OK);
        }
    }
}

/// A changed signature makes another token, and that one was never judged.
#[tokio::test]
async fn a_good_token_makes_no_other_one_good() {
    let stand = Stand::start().await;
    let token = stand.token();
    assert_eq!(stand.api.private(&token).await.status, StatusCode::OK);
    let other = stand.token();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    for forged in [
        format!("{signed}.{}", "A".repeat(86)),
        format!("{signed}."),
        format!("{signature}.{signed}"),
    ] {
        assert_eq!(stand.api.private(&forged).await.status, StatusCode::UNAUTHORIZED);
    }
}
