//! APIs that ask for a stronger or more recent sign-in (RFC 9470).

use authbroker_client::{AcquireRequest, Error, ErrorCode, TokenRequest, http};
use private_api::auth::StepUp;

use crate::api_calls::World;
use crate::stand::{Stand, claims};

/// The stronger of the issuer's two classes.
const TWO_FACTOR: &str = "urn:dev-issuer:two-factor";

/// A stand whose API has a route for two factors only.
async fn strict() -> World {
    let recent = StepUp { max_age: None, acr_values: vec![TWO_FACTOR.parse().unwrap()] };
    World::with("", |_| {}, |api| api.recent = recent).await
}

fn code(error: &Error) -> Option<ErrorCode> {
    error.code()
}

#[tokio::test]
async fn a_challenge_leads_to_one_sign_in_and_the_next_silent_call_has_the_stronger_token() {
    let world = strict().await;
    let app = world.stand.app().await;
    let error = world.get(&app, "/private/recent").await.unwrap_err();
    let http::Error::InteractionRequired(interaction) = error else { panic!("{error:?}") };
    let said = world.stand.recorded(|line| line["event"] == "challenge").await;
    assert_eq!(said["detail"], format!("{} answered 401: interaction-required", world.api));
    let given = world.stand.recorded(|line| line["event"] == "token").await;
    assert_eq!(said["fingerprint"], given["fingerprint"], "the token that was refused");
    let mut pending = app.acquire(AcquireRequest::from(&*interaction)).await.unwrap();
    world.stand.browse_pending(&mut pending, "alice").await;
    pending.done().await.unwrap();
    assert_eq!(world.get(&app, "/private/recent").await.unwrap().status(), 200);
    let other = world.stand.app().await;
    assert_eq!(world.get(&other, "/private/recent").await.unwrap().status(), 200);
    let token = other.token(TokenRequest::new()).await.unwrap();
    assert_eq!(claims(token.expose())["acr"], TWO_FACTOR, "asked for or not");
    assert_eq!(world.stand.grants("authorization_code"), 2, "one sign-in, and one more");
}

#[tokio::test]
async fn once_stepped_up_an_acquire_for_it_is_silent() {
    let world = strict().await;
    let app = world.stand.app().await;
    let wish = || AcquireRequest::new().acr(TWO_FACTOR);
    let mut pending = app.acquire(wish()).await.unwrap();
    world.stand.browse_pending(&mut pending, "alice").await;
    let id = pending.done().await.unwrap();
    assert_eq!(app.acquire(wish()).await.unwrap().done().await.unwrap(), id);
    assert_eq!(world.stand.grants("authorization_code"), 2);
}

#[tokio::test]
async fn a_silent_call_says_how_the_person_must_sign_in() {
    let stand = Stand::signed_in().await;
    let app = stand.app().await;
    let error = app.token(TokenRequest::new().acr(TWO_FACTOR)).await.unwrap_err();
    assert_eq!(code(&error), Some(ErrorCode::StepUpRequired));
    let Error::Broker(refusal) = &error else { panic!("{error:?}") };
    assert_eq!(refusal.acr_values, [TWO_FACTOR]);
    assert!(error.hint().contains("--acr urn:dev-issuer:two-factor"), "{}", error.hint());
    assert_eq!(error.exit_code(), 3);
    let mischief = app.token(TokenRequest::new().acr("x; rm -rf ~")).await.unwrap_err();
    assert!(!mischief.hint().contains("rm"), "nobody pastes that: {}", mischief.hint());
}

#[tokio::test]
async fn another_person_cannot_step_up_for_the_first() {
    let stand = Stand::signed_in().await;
    let app = stand.app().await;
    let mut pending = app.acquire(AcquireRequest::new().acr(TWO_FACTOR)).await.unwrap();
    stand.browse_pending(&mut pending, "bob").await;
    let error = pending.done().await.unwrap_err();
    assert_eq!(code(&error), Some(ErrorCode::UserDenied), "{error}");
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_sign_in_that_is_weaker_than_asked_is_not_kept() {
    let stand = Stand::new().await;
    let login = stand.begin_login(["--acr", "urn:unknown:class"]).await;
    login.browse("alice").await;
    login.end().await.assert_fails(1, "unmet_authentication_requirements", "");
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json(), serde_json::json!([]));
}

#[tokio::test]
async fn a_recent_sign_in_meets_a_demand_for_one() {
    let stand = Stand::signed_in().await;
    let app = stand.app().await;
    let hour = std::time::Duration::from_hours(1);
    app.token(TokenRequest::new().max_age(hour)).await.unwrap();
    assert_eq!(stand.grants("refresh_token"), 0, "the token at hand is recent enough");
}
