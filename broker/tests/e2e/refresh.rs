//! Renewal, and the ways in which it fails.

use std::time::Duration;

use authbroker_client::{ErrorCode, TokenRequest};
use dev_issuer::{Fault, Options, Times};

use crate::stand::{LIMIT, Stand};

#[tokio::test]
async fn fifty_forced_requests_of_one_moment_are_one_renewal() {
    let stand = Stand::signed_in().await;
    let app = stand.app().await;
    let ask = || app.token(TokenRequest::new().force());
    let tokens = futures_util::future::join_all((0..50).map(|_| ask())).await;
    assert!(tokens.iter().all(Result::is_ok));
    let renewals = stand.grants("refresh_token");
    assert!(renewals <= 2, "those of one moment share: {renewals}");
}

#[tokio::test]
async fn a_token_that_ran_out_is_renewed_silently() {
    let options = Options { access_ttl: Duration::from_secs(2), ..Options::default() };
    let stand = Stand::with(options).await;
    stand.sign_in("alice").await;
    let app = stand.app().await;
    let first = app.token(TokenRequest::new()).await.unwrap();
    // In use, so it is renewed ahead of its end without being asked for.
    stand.renewed().await;
    let newer = async {
        // The issuer has answered; the broker may still be reading.
        while app.token(TokenRequest::new()).await.unwrap().expose() == first.expose() {}
    };
    tokio::time::timeout(LIMIT, newer).await.expect("the new token is served");
}

#[tokio::test]
async fn an_unavailable_provider_is_told_and_the_sign_in_is_kept() {
    let stand = Stand::signed_in().await;
    stand.issuer.inject(Fault::refresh_503_retry_after(), Times::Once);
    stand.ctl(["token", "--force"]).await.assert_fails(5, "the provider answers 503", "try again");
    let accounts = stand.ctl(["accounts", "--json"]).await.json();
    assert_eq!(accounts[0]["state"], "offline");
    let held = stand.ctl(["token"]).await;
    assert_eq!(held.code, 0, "the token at hand is still good: {held:?}");
    stand.issuer.clear_faults();
    let app = stand.app().await;
    // It asked to be left alone for a second; after that the next caller gets a new token.
    loop {
        match app.token(TokenRequest::new().force()).await {
            Ok(_) => break,
            Err(error) => assert_eq!(error.code(), Some(ErrorCode::ProviderUnavailable)),
        }
    }
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json()[0]["state"], "ready");
}

#[tokio::test]
async fn a_sign_in_that_the_provider_ended_asks_for_a_person_and_is_not_tried_again() {
    let stand = Stand::signed_in().await;
    stand.issuer.inject(Fault::refresh_invalid_grant(), Times::Once);
    stand.ctl(["token", "--force"]).await.assert_fails(
        3,
        "the provider ended this sign-in",
        "brokerctl login dev",
    );
    stand.ctl(["token"]).await.assert_fails(
        3,
        "the provider ended this sign-in",
        "brokerctl login dev",
    );
    assert_eq!(stand.grants("refresh_token"), 1);
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json()[0]["state"], "revoked");
    stand.sign_in("alice").await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
}

#[tokio::test]
async fn a_lost_answer_is_repeated_once_within_the_providers_grace() {
    let options = Options { refresh_grace: Duration::from_mins(1), ..Options::default() };
    let stand = Stand::with(options).await;
    stand.sign_in("alice").await;
    stand.issuer.inject(Fault::refresh_lost_answer(), Times::Once);
    let ran = stand.ctl(["token", "--force"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(stand.grants("refresh_token"), 2);
}

#[tokio::test]
async fn a_lost_answer_at_a_strict_provider_is_told_as_an_interrupted_renewal() {
    let stand = Stand::signed_in().await;
    stand.issuer.inject(Fault::refresh_lost_answer(), Times::Once);
    stand.ctl(["token", "--force"]).await.assert_fails(
        3,
        "a renewal was interrupted",
        "brokerctl login dev",
    );
    assert_eq!(stand.grants("refresh_token"), 2, "one repeat and no more");
}

#[tokio::test]
async fn a_provider_that_does_not_rotate_keeps_its_refresh_token() {
    let mut stand = Stand::signed_in().await;
    stand.issuer.inject(Fault::refresh_no_new_token(), Times::Always);
    for _ in 0..2 {
        assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    }
    stand.restart().await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
}

#[tokio::test]
async fn another_accounts_hanging_renewal_holds_up_nobody() {
    let stand = Stand::new().await;
    let (alice, bob) = (stand.sign_in("alice").await, stand.sign_in("bob").await);
    stand.issuer.inject(Fault::token_hang(), Times::Always);
    let app = stand.app().await;
    let hanging = tokio::spawn({
        let app = app.clone();
        async move { app.token(TokenRequest::new().account(alice).force()).await }
    });
    stand.renewing().await;
    assert!(app.token(TokenRequest::new().account(bob)).await.is_ok());
    assert!(!hanging.is_finished(), "the other one still waits");
}

#[tokio::test]
async fn a_caller_that_leaves_takes_no_renewal_with_it() {
    let mut stand = Stand::signed_in().await;
    stand.issuer.inject(Fault::refresh_slow(), Times::Once);
    let mut impatient = stand.ctl_command().args(["token", "--force"]).spawn().unwrap();
    stand.renewing().await;
    impatient.kill().await.unwrap();
    // Whoever asks meanwhile waits for the same renewal.
    let patient = stand.ctl(["token", "--force"]).await;
    assert_eq!(patient.code, 0, "{patient:?}");
    assert_eq!(stand.grants("refresh_token"), 1);
    // What it brought is kept, too.
    stand.kill().await;
    stand.start().await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
}
