//! Several issuers at once: the token's `iss` picks the keys, and nothing else does.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use axum::http::StatusCode;
use support::api::TestApi;
use support::claims;
use support::issuer::FakeIssuer;
use support::keys::TestKey;

/// Two issuers whose keys have the same key id, and an API that believes both.
struct Pair {
    keys: [TestKey; 2],
    issuers: [FakeIssuer; 2],
    api: TestApi,
}

impl Pair {
    async fn start() -> Self {
        let keys = [TestKey::p256("same"), TestKey::p256("same")];
        let issuers = [FakeIssuer::start(&[&keys[0]]).await, FakeIssuer::start(&[&keys[1]]).await];
        let api = TestApi::believing(&[&issuers[0].url, &issuers[1].url]);
        Self { keys, issuers, api }
    }

    /// The answer to a token that names the issuer `named` and is signed with the key of `signer`.
    async fn status(&self, named: usize, signer: usize) -> StatusCode {
        let token = self.keys[signer].token(&claims(&self.issuers[named].url));
        self.api.private(&token).await.status
    }
}

/// R25.
#[tokio::test]
async fn tokens_of_both_issuers_are_accepted() {
    let pair = Pair::start().await;
    assert_eq!(pair.status(0, 0).await, StatusCode::OK);
    assert_eq!(pair.status(1, 1).await, StatusCode::OK);
}

/// R25.
#[tokio::test]
async fn the_same_key_id_at_two_issuers_does_not_cross() {
    let pair = Pair::start().await;
    assert_eq!(pair.status(0, 1).await, StatusCode::UNAUTHORIZED);
    assert_eq!(pair.status(1, 0).await, StatusCode::UNAUTHORIZED);
}

/// R25: never a try-all.
#[tokio::test]
async fn only_the_issuer_that_the_token_names_is_asked_for_keys() {
    let pair = Pair::start().await;
    assert_eq!(pair.status(1, 1).await, StatusCode::OK);
    assert_eq!(pair.issuers.each_ref().map(FakeIssuer::jwks_requests), [0, 1]);
}

/// R08.
#[tokio::test]
async fn a_third_issuer_is_refused_and_not_asked() {
    let pair = Pair::start().await;
    let third = FakeIssuer::start(&[&pair.keys[0]]).await;
    let token = pair.keys[0].token(&claims(&third.url));
    assert_eq!(pair.api.private(&token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(third.jwks_requests(), 0);
}

/// R15, R16: each issuer fails for itself.
#[tokio::test]
async fn an_issuer_that_is_down_does_not_stop_the_tokens_of_the_other() {
    let pair = Pair::start().await;
    pair.issuers[0].fail_with(StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(pair.status(0, 0).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(pair.status(1, 1).await, StatusCode::OK);
}
