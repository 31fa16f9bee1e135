//! Pushed authorization requests.

use std::time::Duration;

use dev_issuer::user_agent::Consent;
use dev_issuer::{Offer, Options};
use serde_json::json;

use crate::stand::{API, Answer, Query, REDIRECT, Stand, VERIFIER, claims};

const DISCOVERY: &str = "/.well-known/openid-configuration";

async fn push(stand: &Stand, query: &Query) -> Answer {
    stand.post("/par", &query.pairs()).await
}

/// What the browser brings after a push.
async fn pushed(stand: &Stand, query: &Query) -> Query {
    let answer = push(stand, query).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    brought(answer.text("request_uri"))
}

fn brought(request_uri: &str) -> Query {
    let pairs = [("client_id", "desktop-broker"), ("request_uri", request_uri)];
    Query::of(&pairs)
}

/// The text of the page that a refused request leads to.
async fn page(stand: &Stand, query: &Query) -> String {
    let response = stand.http.get(stand.authorization_url(query)).send().await.unwrap();
    assert_eq!(response.status(), 400, "{query:?}");
    assert!(response.headers().get("location").is_none());
    response.text().await.unwrap()
}

async fn with_par(par: Offer) -> Stand {
    Stand::with(Options { par, ..Options::default() }).await
}

#[tokio::test]
async fn a_pushed_request_leads_to_tokens() {
    let stand = Stand::new().await;
    let answer = stand.answer(&pushed(&stand, &Query::good()).await).await;
    assert_eq!(answer.get("state"), Some("state-1"));
    assert_eq!(answer.get("iss"), Some(stand.issuer.url()));
    let tokens = stand.redeem(answer.get("code").unwrap()).await;
    assert_eq!(claims(tokens.text("id_token"))["nonce"], "nonce-1");
    assert_eq!(claims(tokens.text("access_token"))["aud"], API);
}

#[tokio::test]
async fn the_answer_says_how_long_the_name_is_good() {
    let par_ttl = Duration::from_secs(7);
    let stand = Stand::with(Options { par_ttl, ..Options::default() }).await;
    let answer = push(&stand, &Query::good()).await;
    assert_eq!((answer.status, &answer.body["expires_in"]), (201, &json!(7)));
    assert_eq!(answer.headers["cache-control"], "no-store");
    let name = answer.text("request_uri").to_owned();
    assert!(name.starts_with("urn:ietf:params:oauth:request_uri:"), "{name}");
    stand.issuer.advance_clock(par_ttl);
    assert!(page(&stand, &brought(&name)).await.contains("has ended"));
}

#[tokio::test]
async fn a_name_is_good_once() {
    let stand = Stand::new().await;
    let query = pushed(&stand, &Query::good()).await;
    assert!(stand.answer(&query).await.get("code").is_some());
    assert!(page(&stand, &query).await.contains("was used"));
}

#[tokio::test]
async fn a_name_is_good_for_its_client_only() {
    let stand = Stand::new().await;
    let query = pushed(&stand, &Query::good()).await;
    page(&stand, &query.clone().with("client_id", "web-app")).await;
    assert!(stand.answer(&query).await.get("code").is_some(), "the stranger's try cost nothing");
}

#[tokio::test]
async fn the_browser_adds_nothing_to_a_pushed_request() {
    let stand = Stand::new().await;
    let query = pushed(&stand, &Query::good()).await;
    for more in [("scope", "openid"), ("state", "other"), ("prompt", "none"), ("nonce", "")] {
        assert!(page(&stand, &query.clone().and(more.0, more.1)).await.contains("adds"));
    }
    page(&stand, &query.clone().without("client_id")).await;
    assert!(stand.answer(&query).await.get("code").is_some());
}

#[tokio::test]
async fn what_is_wrong_is_told_at_the_push() {
    let stand = Stand::new().await;
    let good = Query::good;
    for (error, query) in [
        ("invalid_request", good().without("redirect_uri")),
        ("invalid_request", good().with("redirect_uri", "https://evil.example/callback")),
        ("invalid_request", good().without("response_type")),
        ("invalid_request", good().without("code_challenge")),
        ("invalid_request", good().and("nonce", "nonce-2")),
        ("invalid_scope", good().with("scope", "everything")),
        ("invalid_target", good().with("resource", "/relative")),
        ("request_uri_not_supported", good().with("request_uri", "urn:x")),
        ("request_not_supported", good().with("request", "a.b.c")),
    ] {
        push(&stand, &query).await.assert_error(400, error);
    }
    let request = stand.http.post(stand.at("/par?scope=openid")).form(&good().pairs());
    Answer::of(request).await.assert_error(400, "invalid_request");
    assert_eq!(stand.get("/par").await.status, 405);
}

#[tokio::test]
async fn the_client_proves_itself_as_at_the_token_endpoint() {
    let stand = Stand::new().await;
    let web_app = Query::good().with("client_id", "web-app");
    push(&stand, &Query::good().with("client_id", "nobody"))
        .await
        .assert_error(401, "invalid_client");
    push(&stand, &web_app).await.assert_error(401, "invalid_client");
    let wrong = web_app.clone().with("client_secret", "wrong");
    push(&stand, &wrong).await.assert_error(401, "invalid_client");

    let request = stand.http.post(stand.at("/par")).basic_auth("web-app", Some("web-app-secret"));
    let answer = Answer::of(request.form(&web_app.pairs())).await;
    let query = brought(answer.text("request_uri")).with("client_id", "web-app");
    let code = stand.code(&query).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "web-app"),
        ("client_secret", "web-app-secret"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(stand.token(&form).await.status, 200);
}

#[tokio::test]
async fn where_pushing_is_required_an_open_request_is_refused() {
    let stand = with_par(Offer::Required).await;
    let document = stand.get(DISCOVERY).await.body;
    assert_eq!(document["require_pushed_authorization_requests"], true);
    let open = stand.answer(&Query::good()).await;
    assert_eq!((open.get("error"), open.get("state")), (Some("invalid_request"), Some("state-1")));
    assert!(stand.answer(&pushed(&stand, &Query::good()).await).await.get("code").is_some());
}

#[tokio::test]
async fn pushing_is_announced_where_it_is_served() {
    let offered = Stand::new().await;
    let document = offered.get(DISCOVERY).await.body;
    assert_eq!(document["pushed_authorization_request_endpoint"], offered.at("/par"));
    assert_eq!(document["require_pushed_authorization_requests"], false);

    let off = with_par(Offer::Off).await;
    let document = off.get(DISCOVERY).await.body;
    assert!(document["pushed_authorization_request_endpoint"].is_null());
    assert_eq!(push(&off, &Query::good()).await.status, 404);
    let request_uri = "urn:ietf:params:oauth:request_uri:x";
    let answer = off.answer(&Query::good().with("request_uri", request_uri)).await;
    assert_eq!(answer.get("error"), Some("request_uri_not_supported"));
}

#[tokio::test]
async fn a_pushed_request_waits_for_the_person_as_an_open_one_does() {
    let stand = Stand::new().await;
    let query = pushed(&stand, &Query::good()).await;
    let denied = stand.answer_to("bob", "builder", Consent::Deny, &query).await;
    assert_eq!(denied.get("error"), Some("access_denied"));
    let silent = pushed(&stand, &Query::good().with("prompt", "none")).await;
    assert_eq!(stand.answer(&silent).await.get("error"), Some("consent_required"));
}
