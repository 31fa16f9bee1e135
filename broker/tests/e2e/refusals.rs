//! Answers that must not be believed. Each is a clear error, nothing is kept, no request follows,
//! and the next good sign-in works.

use dev_issuer::user_agent::{Consent, UserAgent};
use dev_issuer::{Fault, Times};

use crate::stand::Stand;

/// Signs in while the provider misbehaves; asserts the error, and that all is well afterwards.
async fn refused(fault: Fault, code: i32, words: &str) {
    let stand = Stand::new().await;
    stand.issuer.inject(fault, Times::Once);
    let login = stand.begin_login([]).await;
    let visit = login.browse("alice").await;
    assert_ne!(visit.status, 200, "the page says so too: {visit:?}");
    assert!(visit.text.contains("You are not signed in."), "{visit:?}");
    login.end().await.assert_fails(code, words, "");
    nothing_is_kept(&stand).await;
}

async fn nothing_is_kept(stand: &Stand) {
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json(), serde_json::json!([]));
    assert_eq!(std::fs::read_dir(stand.path("state/vault")).unwrap().count(), 0);
    stand.issuer.clear_faults();
    stand.sign_in("alice").await;
}

#[tokio::test]
async fn an_answer_from_another_issuer_is_refused_before_any_token_request() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::redirect_wrong_iss(), Times::Once);
    let login = stand.begin_login([]).await;
    login.browse("alice").await;
    login.end().await.assert_fails(1, "another issuer", "try again");
    assert_eq!(stand.grants("authorization_code"), 0);
    nothing_is_kept(&stand).await;
}

#[tokio::test]
async fn an_answer_without_the_announced_issuer_is_refused() {
    refused(Fault::redirect_missing_iss(), 1, "does not name its issuer").await;
}

#[tokio::test]
async fn an_answer_with_a_wrong_state_is_ignored_and_named_at_the_deadline() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::redirect_wrong_state(), Times::Once);
    let login = stand.begin_login(["--timeout", "2s"]).await;
    let visit = login.browse("alice").await;
    assert_eq!(visit.status, 400, "{visit:?}");
    login.end().await.assert_fails(4, "whose state is not this sign-in's", "sign in again");
    assert_eq!(stand.grants("authorization_code"), 0);
    nothing_is_kept(&stand).await;
}

#[tokio::test]
async fn noise_from_another_process_neither_ends_nor_wins_the_sign_in() {
    let stand = Stand::new().await;
    let login = stand.begin_login([]).await;
    let redirect = url::Url::parse(&login.url).unwrap();
    let redirect =
        redirect.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    let stranger = UserAgent::new().unwrap();
    for knock in ["?code=stolen&state=guess", "", "?error=access_denied", "/../favicon.ico"] {
        let visit = stranger.visit(&format!("{redirect}{knock}")).await.unwrap();
        assert!(visit.status == 400 || visit.status == 404, "{visit:?}");
    }
    login.browse("alice").await;
    assert_eq!(login.end().await.code, 0);
    assert_eq!(stand.grants("authorization_code"), 1);
}

#[tokio::test]
async fn an_id_token_with_a_wrong_nonce_is_refused() {
    refused(Fault::id_token_wrong_nonce(), 1, "nonce").await;
}

#[tokio::test]
async fn an_id_token_for_another_client_is_refused() {
    refused(Fault::id_token_wrong_aud(), 1, "audience").await;
}

#[tokio::test]
async fn an_id_token_of_another_issuer_is_refused() {
    refused(Fault::id_token_wrong_iss(), 1, "issuer").await;
}

#[tokio::test]
async fn an_id_token_with_a_bad_signature_is_refused() {
    refused(Fault::id_token_bad_signature(), 1, "not to be believed").await;
}

#[tokio::test]
async fn an_unsigned_id_token_is_refused() {
    refused(Fault::id_token_alg_none(), 1, "not to be believed").await;
}

#[tokio::test]
async fn an_expired_id_token_is_refused() {
    refused(Fault::id_token_expired(), 1, "xpired").await;
}

#[tokio::test]
async fn an_answer_without_an_id_token_is_refused() {
    refused(Fault::id_token_missing(), 1, "no ID token").await;
}

#[tokio::test]
async fn a_token_endpoint_that_fails_ends_the_attempt_without_a_repeat() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::token_500(), Times::Once);
    let login = stand.begin_login([]).await;
    login.browse("alice").await;
    login.end().await.assert_fails(5, "the provider answers 500", "try again");
    assert_eq!(stand.grants("authorization_code"), 1, "a code is exchanged at most once");
    nothing_is_kept(&stand).await;
}

#[tokio::test]
async fn a_person_who_says_no_has_said_no() {
    let stand = Stand::new().await;
    let login = stand.begin_login([]).await;
    let browser = UserAgent::new().unwrap();
    browser.sign_in(&login.url, "alice", "wonderland", Consent::Deny).await.unwrap();
    login.end().await.assert_fails(4, "access_denied", "agree");
    nothing_is_kept(&stand).await;
}

#[tokio::test]
async fn metadata_of_another_issuer_is_refused_and_read_again_when_it_is_right() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::discovery_issuer_mismatch(), Times::Once);
    let ran = stand.ctl(["login", "--no-browser"]).await;
    ran.assert_fails(1, "its metadata names another issuer", "letter for letter");
    nothing_is_kept(&stand).await;
}

#[tokio::test]
async fn metadata_that_fails_is_not_remembered_as_a_failure() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::discovery_500(), Times::Once);
    stand.ctl(["login", "--no-browser"]).await.assert_fails(5, "answers 500", "try again");
    nothing_is_kept(&stand).await;
}

#[tokio::test]
async fn keys_rotated_between_two_sign_ins_are_fetched_again() {
    let stand = Stand::signed_in().await;
    stand.issuer.rotate_keys();
    stand.issuer.rotate_keys();
    // The keys are at most that old: a second look at once is not allowed, a failure is.
    let login = stand.begin_login([]).await;
    login.browse("bob").await;
    let ran = login.end().await;
    assert!(ran.code == 0 || ran.err.contains("key that it does not publish"), "{ran:?}");
    let fetches = stand.issuer.requests().iter().filter(|request| request.path == "/jwks").count();
    assert!(fetches <= 2, "{fetches}");
}

#[tokio::test]
async fn a_provider_that_is_gone_is_said_to_be_out_of_reach() {
    let stand = Stand::new().await;
    let Stand { issuer, folder, .. } = &stand;
    assert!(folder.path().exists());
    let url = issuer.url().to_owned();
    let text = std::fs::read_to_string(stand.path("config.toml")).unwrap();
    // A port that nobody listens on: it was free a moment ago, and is given to no one else.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    std::fs::write(stand.path("config.toml"), text.replace(&url, &dead)).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    stand.ctl(["login", "--no-browser"]).await.assert_fails(
        5,
        "cannot be reached",
        "check the network",
    );
}
