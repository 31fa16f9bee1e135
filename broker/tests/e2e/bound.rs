//! Tokens that are bound to a key (RFC 9449). The key is made, kept and used in the broker only.

use std::collections::BTreeSet;
use std::time::Duration;

use authbroker_client::{AcquireRequest, ErrorCode, TokenRequest};
use dev_issuer::{Nonces, Offer, Options, Recorded};

use crate::stand::{Stand, claims};

fn bound() -> Options {
    Options { dpop: Offer::Offered, ..Options::default() }
}

async fn always() -> Stand {
    let stand = Stand::configured(bound(), "dpop = \"always\"").await;
    stand.sign_in("alice").await;
    stand
}

fn token_requests(stand: &Stand) -> Vec<Recorded> {
    let mut requests = stand.issuer.requests();
    requests.retain(|request| request.path == "/token");
    requests
}

/// The keys that the token requests showed.
fn keys(stand: &Stand) -> BTreeSet<String> {
    let requests = token_requests(stand);
    requests.iter().map(|request| request.proof.clone().unwrap().jkt).collect()
}

#[tokio::test]
async fn every_token_is_bound_to_the_one_key_of_its_account() {
    let stand = always().await;
    let token = stand.ctl(["token", "--json"]).await.json();
    assert_eq!(token["token_type"], "DPoP");
    let header = stand.ctl(["token", "--force", "--header"]).await;
    let renewed = header.line().strip_prefix("Authorization: DPoP ").unwrap();
    let jkt = claims(renewed)["cnf"]["jkt"].as_str().unwrap().to_owned();
    assert_eq!(claims(token["access_token"].as_str().unwrap())["cnf"]["jkt"], *jkt);
    assert_eq!(keys(&stand), BTreeSet::from([jkt]));
    let asked = stand.issuer.requests();
    let authorize = asked.iter().find(|request| request.path == "/authorize").unwrap();
    assert!(authorize.parameters.iter().any(|name| name == "dpop_jkt"), "bound from the start");
}

#[tokio::test]
async fn the_key_survives_a_restart_and_is_readable_nowhere() {
    let mut stand = always().await;
    stand.restart().await;
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    assert_eq!(keys(&stand).len(), 1, "the same key before and after");
    // What every P-256 key in PKCS#8 begins with, in Base64.
    let start = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg";
    assert!(!stand.log().contains(start));
    for record in std::fs::read_dir(stand.path("state/vault")).unwrap() {
        let bytes = std::fs::read(record.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(start));
    }
}

#[tokio::test]
async fn a_second_sign_in_of_an_account_keeps_its_key() {
    let stand = always().await;
    let id = stand.ctl(["accounts", "--json"]).await.json()[0]["id"].as_str().unwrap().to_owned();
    let login = stand.begin_login([id.as_str()]).await;
    login.browse("alice").await;
    assert_eq!(login.end().await.line(), id);
    assert_eq!(keys(&stand).len(), 1);
}

#[tokio::test]
async fn a_provider_that_wants_a_nonce_gets_the_same_request_once_more_with_a_new_proof() {
    let dpop_nonces = Nonces::Asked { rotation: Duration::from_mins(1) };
    let options = Options { dpop_nonces, ..bound() };
    let stand = Stand::configured(options, "dpop = \"always\"").await;
    stand.sign_in("alice").await;
    let requests = token_requests(&stand);
    let told: Vec<_> = requests
        .iter()
        .map(|request| (request.status, request.proof.clone().unwrap().nonce.is_some()))
        .collect();
    assert_eq!(told, [(Some(400), false), (Some(200), true)]);
    let jtis: BTreeSet<_> = requests.iter().map(|r| r.proof.clone().unwrap().jti).collect();
    assert_eq!(jtis.len(), 2, "no proof is used twice");
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    assert_eq!(token_requests(&stand).len(), 3, "the nonce is remembered");
}

#[tokio::test]
async fn a_provider_that_binds_nothing_is_refused_where_binding_is_required() {
    let stand = Stand::configured(Options::default(), "dpop = \"always\"").await;
    let login = stand.begin_login([]).await;
    login.browse("alice").await;
    login.end().await.assert_fails(1, "token_type is not DPoP", "");
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json(), serde_json::json!([]));
}

#[tokio::test]
async fn that_a_provider_can_bind_tokens_binds_none_until_somebody_asks_for_it() {
    let stand = Stand::with(bound()).await;
    stand.sign_in("alice").await;
    let app = stand.app().await;
    assert_eq!(app.token(TokenRequest::new()).await.unwrap().token_type(), "Bearer");
    let refused = app.token(TokenRequest::new().token_type("DPoP")).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::InteractionRequired));

    let mut pending = app.acquire(AcquireRequest::new().token_type("DPoP")).await.unwrap();
    stand.browse_pending(&mut pending, "alice").await;
    pending.done().await.unwrap();
    let token = app.token(TokenRequest::new()).await.unwrap();
    assert_eq!(token.token_type(), "DPoP");
    assert!(claims(token.expose())["cnf"]["jkt"].is_string());
}

#[tokio::test]
async fn a_provider_that_takes_bound_requests_only_is_served_with_always() {
    let options = Options { dpop: Offer::Required, ..Options::default() };
    let stand = Stand::configured(options, "dpop = \"always\"").await;
    stand.sign_in("alice").await;
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
}
