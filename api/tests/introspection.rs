//! Tokens about which the issuer is asked.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use private_api::auth::Setup;
use private_api::introspection::{Asked, Introspection};
use private_api::secret::Secret;
use serde_json::{Value, json};
use support::api::{Answer, TestApi, rules};
use support::issuer::{Address, FakeIssuer};
use support::keys::TestKey;
use support::proof::{Client, TARGET};
use support::{NOW, claims, with};
use tokio::task::JoinSet;

const OPAQUE: &str = "2YotnFZFEjr1zCsicMWpAA";

fn introspection(issuer: &str) -> Introspection {
    let secret = Secret::new("it's a secret".to_owned());
    Introspection::new(issuer.parse().unwrap(), "the api".to_owned(), secret)
}

/// An issuer that is asked, and an API that asks it.
struct Stand {
    issuer: FakeIssuer,
    key: TestKey,
    api: TestApi,
}

impl Stand {
    async fn start() -> Self {
        Self::asking(Asked::Opaque).await
    }

    async fn asking(asked: Asked) -> Self {
        let key = TestKey::p256("first");
        let issuer = FakeIssuer::start(&[&key]).await;
        let mut setup = Setup::new(rules(&issuer.url));
        let mut introspection = introspection(&issuer.url);
        introspection.asked = asked;
        setup.introspection = Some(introspection);
        let api = TestApi::made(setup, None);
        issuer.say(active(&issuer));
        Self { issuer, key, api }
    }

    /// The answer to an opaque token of which the issuer says this too.
    async fn said(changes: &Value) -> Answer {
        let stand = Self::start().await;
        stand.issuer.say(with(active(&stand.issuer), changes));
        stand.api.private(OPAQUE).await
    }
}

fn active(issuer: &FakeIssuer) -> Value {
    with(claims(&issuer.url), &json!({ "active": true, "token_type": "Bearer" }))
}

/// R23.
#[tokio::test]
async fn an_opaque_token_for_which_the_issuer_vouches_is_accepted() {
    let stand = Stand::start().await;
    assert_eq!(stand.api.private(OPAQUE).await.status, StatusCode::OK);
}

/// R23: authenticated (RFC 7662 §2.1), both parts form-encoded (RFC 6749 §2.3.1).
#[tokio::test]
async fn the_question_is_authenticated_and_is_about_the_token() {
    let stand = Stand::start().await;
    stand.api.private(OPAQUE).await;
    let [question] = &stand.issuer.questions()[..] else { panic!() };
    let basic = STANDARD.encode("the%20api:it%27s%20a%20secret");
    assert_eq!(question.authorization, format!("Basic {basic}"));
    assert_eq!(question.form, format!("token={OPAQUE}&token_type_hint=access_token"));
}

/// R23.
#[tokio::test]
async fn a_token_that_is_not_active_is_401() {
    let answer = Stand::said(&json!({ "active": false })).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.challenge().contains(r#"error="invalid_token""#), "{answer:?}");
}

/// R08, R09, R10, R11 hold for what the issuer says as for what a token says.
#[tokio::test]
async fn what_the_issuer_says_is_judged_like_a_token() {
    for wrong in [
        json!({ "aud": "urn:other" }),
        json!({ "aud": null }),
        json!({ "iss": "https://other.test" }),
        json!({ "exp": NOW - 5 }),
        json!({ "exp": null }),
        json!({ "nbf": NOW + 60 }),
        json!({ "sub": null }),
        json!({ "client_id": null }),
        json!({ "token_type": "refresh_token" }),
        // Bound to a key, and not said to which one.
        json!({ "token_type": "DPoP" }),
        json!({ "cnf": { "jkt": "x" } }),
    ] {
        assert_eq!(Stand::said(&wrong).await.status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    for good in [json!({ "iss": null }), json!({ "token_type": null })] {
        assert_eq!(Stand::said(&good).await.status, StatusCode::OK, "{good}");
    }
}

/// R23: a short cache.
#[tokio::test]
async fn the_issuers_word_counts_for_half_a_minute() {
    let stand = Stand::start().await;
    for _ in 0..5 {
        assert_eq!(stand.api.private(OPAQUE).await.status, StatusCode::OK);
    }
    assert_eq!(stand.issuer.questions().len(), 1);

    stand.issuer.say(json!({ "active": false }));
    stand.api.clock.advance(Duration::from_secs(29));
    assert_eq!(stand.api.private(OPAQUE).await.status, StatusCode::OK);
    stand.api.clock.advance(Duration::from_secs(1));
    assert_eq!(stand.api.private(OPAQUE).await.status, StatusCode::UNAUTHORIZED);
}

/// R23: bounded by `exp`.
#[tokio::test]
async fn the_issuers_word_does_not_outlive_the_token() {
    let stand = Stand::start().await;
    stand.issuer.say(with(active(&stand.issuer), &json!({ "exp": NOW + 2 })));
    assert_eq!(stand.api.private(OPAQUE).await.status, StatusCode::OK);
    stand.api.clock.set(NOW + 7);
    assert_eq!(stand.api.private(OPAQUE).await.status, StatusCode::UNAUTHORIZED);
}

/// R23: what is not good is asked about again, since it may become so.
#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let stand = Stand::start().await;
    stand.issuer.say(json!({ "active": false }));
    assert_eq!(stand.api.private(OPAQUE).await.status, StatusCode::UNAUTHORIZED);
    stand.issuer.say(active(&stand.issuer));
    assert_eq!(stand.api.private(OPAQUE).await.status, StatusCode::OK);
}

/// R23.
#[tokio::test]
async fn an_issuer_that_is_down_is_503_and_found_again() {
    let address = Address::reserve();
    let mut setup = Setup::new(rules(&address.url));
    setup.introspection = Some(introspection(&address.url));
    let api = TestApi::made(setup, None);
    let answer = api.private(OPAQUE).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
    assert_eq!(answer.challenge(), "");

    let issuer = address.open(&[&TestKey::p256("first")]);
    issuer.say(active(&issuer));
    assert_eq!(api.private(OPAQUE).await.status, StatusCode::OK);
    for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::UNAUTHORIZED] {
        issuer.fail_with(status);
        let answer = api.private("another-token").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "our own trouble, not theirs");
        assert_eq!(api.private(OPAQUE).await.status, StatusCode::OK, "known for a while");
    }
}

/// R23: the answer is bounded in size.
#[tokio::test]
async fn an_answer_of_more_than_a_mebibyte_is_not_read() {
    let padding = "x".repeat(1024 * 1024);
    let answer = Stand::said(&json!({ "padding": padding })).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

/// R23.
#[tokio::test]
async fn an_answer_that_is_none_is_503() {
    let stand = Stand::start().await;
    for said in [json!("yes"), json!({}), json!({ "active": "true" }), json!([])] {
        stand.issuer.say(said.clone());
        let answer = stand.api.private(OPAQUE).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{said}");
    }
}

/// R23.
#[tokio::test]
async fn a_flood_of_invented_tokens_reaches_the_issuer_within_bounds() {
    let stand = Stand::start().await;
    stand.issuer.say(json!({ "active": false }));
    let mut requests = JoinSet::new();
    for number in 0..300 {
        let api = stand.api.clone();
        requests.spawn(async move { api.private(&format!("invented-{number}")).await.status });
    }
    let statuses = requests.join_all().await;
    let refused = |status| statuses.iter().filter(|one| **one == status).count();
    let asked = refused(StatusCode::UNAUTHORIZED);
    assert_eq!(asked, stand.issuer.questions().len());
    assert_eq!(asked + refused(StatusCode::SERVICE_UNAVAILABLE), 300);
}

/// R04: no question for what cannot be a token.
#[tokio::test]
async fn what_cannot_be_a_token_is_not_asked_about() {
    let stand = Stand::start().await;
    for token in ["", "two words", &"x".repeat(20_000)] {
        assert_eq!(stand.api.private(token).await.status, StatusCode::UNAUTHORIZED);
    }
    assert!(stand.issuer.questions().is_empty());
}

/// R23: JWTs need no question.
#[tokio::test]
async fn a_signed_token_is_judged_without_the_issuer() {
    let stand = Stand::start().await;
    stand.issuer.say(json!({ "active": false }));
    let token = stand.key.token(&claims(&stand.issuer.url));
    assert_eq!(stand.api.private(&token).await.status, StatusCode::OK);
    assert!(stand.issuer.questions().is_empty());
}

/// R26.
#[tokio::test]
async fn a_revoked_jwt_is_refused_where_the_issuer_is_asked_about_all() {
    let stand = Stand::asking(Asked::All).await;
    let token = stand.key.token(&claims(&stand.issuer.url));
    stand.issuer.say(json!({ "active": true }));
    assert_eq!(stand.api.private(&token).await.status, StatusCode::OK);
    stand.issuer.say(json!({ "active": false }));
    stand.api.clock.advance(Duration::from_secs(30));
    assert_eq!(stand.api.private(&token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stand.issuer.questions().len(), 2);

    let forged = TestKey::p256("first").token(&claims(&stand.issuer.url));
    assert_eq!(stand.api.private(&forged).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stand.issuer.questions().len(), 2, "a bad signature needs no question");
}

/// R18, R23: RFC 9449 §6.2.
#[tokio::test]
async fn an_opaque_token_that_is_bound_to_a_key_needs_its_proof() {
    let mut client = Client::at(|setup| {
        let issuer = setup.rules.issuers[0].to_string();
        setup.introspection = Some(introspection(&issuer));
    })
    .await;
    let cnf = json!({ "cnf": { "jkt": client.key.thumbprint() }, "token_type": "DPoP" });
    client.issuer.say(with(active(&client.issuer), &cnf));
    OPAQUE.clone_into(&mut client.token);
    let proof = client.proof_but(&json!({}), &json!({ "htu": TARGET }));
    assert_eq!(client.private(&proof).await.status, StatusCode::OK);
    assert_eq!(client.api.private(OPAQUE).await.status, StatusCode::UNAUTHORIZED);
}

/// R24: the secret does not show.
#[test]
fn the_secret_is_not_printed() {
    let printed = format!("{:?}", introspection("https://issuer.test"));
    assert!(!printed.contains("secret\"") && !printed.contains("it's"), "{printed}");
}

/// R23: tokens go there, and this API's own secret.
#[test]
fn an_endpoint_on_the_way_to_which_questions_could_be_read_is_refused() {
    let at = |endpoint: &str| introspection("https://issuer.test").at(endpoint.parse().unwrap());
    assert!(at("https://issuer.test/introspect").is_ok());
    assert!(at("http://127.0.0.1:8080/introspect").is_ok());
    assert!(at("http://issuer.test/introspect").is_err());
}
