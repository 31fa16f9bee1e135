//! When the issuer is asked for its keys, and how often.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use std::time::Duration;

use axum::http::StatusCode;
use private_api::issuer::Issuer;
use serde_json::json;
use support::api::{Stand, TestApi};
use support::issuer::{Address, FakeIssuer};
use support::keys::TestKey;
use support::{claims, eventually};
use tokio::task::JoinSet;

const RETRY: Duration = Duration::from_secs(5);

/// A token by the stand's key, but under another key id.
fn token_under(stand: &Stand, kid: &str) -> String {
    stand.key.token_with(&json!({ "kid": kid }), &claims(&stand.issuer.url))
}

async fn status(api: &TestApi, token: &str) -> StatusCode {
    api.private(token).await.status
}

#[tokio::test]
async fn the_keys_are_fetched_once_and_then_at_hand() {
    let stand = Stand::start().await;
    for _ in 0..10 {
        assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
    }
    assert_eq!(stand.issuer.jwks_requests(), 1);
}

#[tokio::test]
async fn warming_up_fetches_before_the_first_request() {
    let key = TestKey::p256("first");
    let issuer = FakeIssuer::start(&[&key]).await;
    let api = TestApi::new(&issuer.url, None);
    api.verifier.warm_up();
    eventually(|| issuer.jwks_requests() == 1).await;
    assert_eq!(status(&api, &key.token(&claims(&issuer.url))).await, StatusCode::OK);
    assert_eq!(issuer.jwks_requests(), 1);
}

/// R15.
#[tokio::test]
async fn without_any_request_the_keys_are_renewed_before_they_end() {
    let stand = Stand::start().await;
    stand.api.verifier.warm_up();
    eventually(|| stand.api.clock.sleepers() == 1).await;
    for fetches in 2..5 {
        stand.api.clock.advance(Duration::from_secs(449));
        assert_eq!(stand.issuer.jwks_requests(), fetches - 1);
        stand.api.clock.advance(Duration::from_secs(1));
        eventually(|| stand.issuer.jwks_requests() == fetches).await;
        eventually(|| stand.api.clock.sleepers() == 1).await;
    }
}

/// R16: it recovers by itself.
#[tokio::test]
async fn without_any_request_an_issuer_that_was_down_is_found() {
    let key = TestKey::p256("first");
    let address = Address::reserve();
    let api = TestApi::new(&address.url, None);
    api.verifier.warm_up();
    eventually(|| api.clock.sleepers() == 1).await;

    let issuer = address.open(&[&key]);
    api.clock.advance(RETRY);
    eventually(|| issuer.jwks_requests() == 1).await;
    eventually(|| api.verifier.readiness().iter().all(|(_, ready)| *ready)).await;
}

#[tokio::test]
async fn a_cache_that_is_gone_fetches_nothing_more() {
    let stand = Stand::start().await;
    stand.api.verifier.warm_up();
    eventually(|| stand.api.clock.sleepers() == 1).await;
    let (clock, issuer) = (stand.api.clock.clone(), stand.issuer.clone());
    drop(stand);
    clock.advance(Duration::from_hours(1));
    eventually(|| clock.sleepers() == 0).await;
    assert_eq!(issuer.jwks_requests(), 1);
}

/// R15.
#[tokio::test]
async fn many_first_requests_share_one_fetch() {
    let stand = Stand::start().await;
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let (api, token) = (stand.api.clone(), stand.token());
        requests.spawn(async move { status(&api, &token).await });
    }
    assert!(requests.join_all().await.iter().all(|status| *status == StatusCode::OK));
    assert_eq!(stand.issuer.jwks_requests(), 1);
}

#[tokio::test]
async fn a_token_that_is_no_good_anyway_does_not_reach_the_issuer() {
    let stand = Stand::start().await;
    assert_eq!(stand.api.get("/private", &[]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stand.api.get("/public", &[]).await.status, StatusCode::OK);
    assert_eq!(stand.issuer.jwks_requests(), 0);
}

#[tokio::test]
async fn a_rotated_key_is_found_by_one_refetch() {
    let stand = Stand::start().await;
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);

    let second = TestKey::p256("second");
    stand.issuer.publish(&[&second, &stand.key]);
    let token = second.token(&claims(&stand.issuer.url));
    assert_eq!(status(&stand.api, &token).await, StatusCode::OK);
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
    assert_eq!(stand.issuer.jwks_requests(), 2);
}

#[tokio::test]
async fn a_withdrawn_key_is_forgotten_with_the_next_fetch() {
    let stand = Stand::start().await;
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
    let second = TestKey::p256("second");
    stand.issuer.publish(&[&second]);
    assert_eq!(status(&stand.api, &second.token(&claims(&stand.issuer.url))).await, StatusCode::OK);
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::UNAUTHORIZED);
}

/// R15.
#[tokio::test]
async fn an_unknown_key_id_causes_exactly_one_refetch() {
    let stand = Stand::start().await;
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
    assert_eq!(status(&stand.api, &token_under(&stand, "no")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(stand.issuer.jwks_requests(), 2);
}

/// R15.
#[tokio::test]
async fn a_thousand_random_key_ids_cause_one_refetch_in_thirty_seconds() {
    let stand = Stand::start().await;
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
    let mut requests = JoinSet::new();
    for number in 0..1000 {
        let (api, token) = (stand.api.clone(), token_under(&stand, &format!("random-{number}")));
        requests.spawn(async move { status(&api, &token).await });
    }
    assert!(requests.join_all().await.iter().all(|status| *status == StatusCode::UNAUTHORIZED));
    assert_eq!(stand.issuer.jwks_requests(), 2);

    stand.api.clock.advance(Duration::from_secs(29));
    status(&stand.api, &token_under(&stand, "random")).await;
    assert_eq!(stand.issuer.jwks_requests(), 2);

    stand.api.clock.advance(Duration::from_secs(1));
    status(&stand.api, &token_under(&stand, "random")).await;
    assert_eq!(stand.issuer.jwks_requests(), 3);
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_take_the_fetch_along() {
    let stand = Stand::start().await;
    stand.issuer.hold();
    let (api, token) = (stand.api.clone(), stand.token());
    let leaves = tokio::spawn(async move { status(&api, &token).await });
    eventually(|| stand.issuer.jwks_requests() == 1).await;
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());

    stand.issuer.release();
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
    assert_eq!(stand.issuer.jwks_requests(), 1);
}

#[tokio::test]
async fn ageing_keys_are_renewed_behind_the_answer() {
    let stand = Stand::start().await;
    status(&stand.api, &stand.token()).await;
    stand.issuer.hold();
    stand.api.clock.advance(Duration::from_mins(8));
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
    eventually(|| stand.issuer.jwks_requests() == 2).await;
    stand.issuer.release();
}

#[tokio::test]
async fn keys_past_their_time_are_renewed_before_the_answer() {
    let stand = Stand::start().await;
    status(&stand.api, &stand.token()).await;
    let second = TestKey::p256("second");
    stand.issuer.publish(&[&second]);
    stand.api.clock.advance(Duration::from_mins(10));
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_issuer_says_how_long_its_keys_hold_within_bounds() {
    // A fetch behind the answer begins at three quarters of the time, so that is what shows.
    for (cache_control, seconds) in [
        ("", 600),
        ("public, max-age=3600", 3600),
        ("max-age=\"3600\"", 3600),
        ("max-age=3600, no-cache", 60),
        ("max-age=1", 60),
        ("No-Store", 60),
        ("max-age=99999999", 24 * 60 * 60),
        ("max-age=soon", 600),
    ] {
        let stand = Stand::start().await;
        stand.issuer.set_cache_control(cache_control);
        status(&stand.api, &stand.token()).await;
        stand.api.clock.advance(Duration::from_secs(seconds * 3 / 4 - 1));
        status(&stand.api, &stand.token()).await;
        assert_eq!(stand.issuer.jwks_requests(), 1, "{cache_control}");
        stand.api.clock.advance(Duration::from_secs(1));
        status(&stand.api, &stand.token()).await;
        eventually(|| stand.issuer.jwks_requests() == 2).await;
    }
}

/// R16.
#[tokio::test]
async fn an_issuer_that_is_down_at_the_start_is_found_when_it_comes_up() {
    let key = TestKey::p256("first");
    let address = Address::reserve();
    let api = TestApi::new(&address.url, None);
    let token = key.token(&claims(&address.url));

    let answer = api.private(&token).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
    assert_eq!(api.get("/healthz", &[]).await.status, StatusCode::OK);

    let issuer = address.open(&[&key]);
    assert_eq!(status(&api, &token).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(issuer.jwks_requests(), 0, "not asked again within the pause");
    api.clock.advance(RETRY);
    assert_eq!(status(&api, &token).await, StatusCode::OK);
}

/// R15.
#[tokio::test]
async fn known_keys_keep_working_while_the_issuer_is_down() {
    let stand = Stand::start().await;
    status(&stand.api, &stand.token()).await;
    stand.issuer.fail_with(StatusCode::INTERNAL_SERVER_ERROR);
    for hours in [1, 5, 10] {
        stand.api.clock.advance(Duration::from_hours(hours));
        assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_issuer_that_hangs_is_not_waited_for_twice() {
    let stand = Stand::start().await;
    status(&stand.api, &stand.token()).await;
    stand.issuer.fail_with(StatusCode::BAD_GATEWAY);
    stand.api.clock.advance(Duration::from_mins(10));
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);

    stand.issuer.fail_with(StatusCode::OK);
    stand.issuer.hold();
    stand.api.clock.advance(RETRY);
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
    eventually(|| stand.issuer.jwks_requests() == 2).await;
    stand.api.clock.advance(RETRY);
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
    assert_eq!(stand.issuer.jwks_requests(), 2, "the fetch is still under way");
    stand.issuer.release();
}

#[tokio::test]
async fn keys_that_nobody_confirmed_for_a_day_are_not_believed() {
    let stand = Stand::start().await;
    status(&stand.api, &stand.token()).await;
    stand.issuer.fail_with(StatusCode::INTERNAL_SERVER_ERROR);
    stand.api.clock.advance(Duration::from_hours(25));
    let answer = stand.api.private(&stand.token()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_answer_without_keys_does_not_replace_those_known() {
    for useless in [json!({ "keys": [] }), json!("oops"), json!({ "keys": [{ "kty": "oct" }] })] {
        let stand = Stand::start().await;
        status(&stand.api, &stand.token()).await;
        stand.issuer.publish_raw(useless);
        stand.api.clock.advance(Duration::from_mins(10));
        assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
        assert_eq!(stand.issuer.jwks_requests(), 2);
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_is_not_believed() {
    let stand = Stand::start().await;
    let url = &stand.issuer.url;
    let jwks_uri = format!("{url}/jwks");
    for metadata in [
        json!({ "issuer": "https://other.test", "jwks_uri": jwks_uri }),
        json!({ "issuer": format!("{url}/"), "jwks_uri": jwks_uri }),
        json!({ "issuer": url.to_uppercase(), "jwks_uri": jwks_uri }),
        json!({ "jwks_uri": jwks_uri }),
        json!({ "issuer": url }),
        json!({ "issuer": url, "jwks_uri": "/jwks" }),
        // Linux takes this address for its own, so the request would arrive.
        json!({ "issuer": url, "jwks_uri": jwks_uri.replace("127.0.0.1", "0.0.0.0") }),
        json!({ "issuer": url, "jwks_uri": "file:///etc/passwd" }),
        json!([]),
    ] {
        stand.issuer.set_metadata(metadata.clone());
        let answer = stand.api.private(&stand.token()).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{metadata}");
        stand.api.clock.advance(RETRY);
    }
    assert_eq!(stand.issuer.jwks_requests(), 0);
}

#[tokio::test]
async fn metadata_may_be_where_rfc_8414_has_it() {
    let stand = Stand::start().await;
    stand.issuer.move_metadata_to("/.well-known/oauth-authorization-server");
    assert_eq!(status(&stand.api, &stand.token()).await, StatusCode::OK);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let stand = Stand::start().await;
    stand.issuer.redirect_keys();
    let answer = stand.api.private(&stand.token()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(stand.issuer.jwks_requests(), 1);
}

#[tokio::test]
async fn a_document_of_more_than_a_mebibyte_is_not_read() {
    let stand = Stand::start().await;
    let padding = "x".repeat(1024 * 1024);
    stand.issuer.publish_raw(json!({ "keys": [stand.key.jwk()], "padding": padding }));
    let answer = stand.api.private(&stand.token()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn only_https_and_this_machine_can_be_an_issuer() {
    for good in ["https://a.test", "https://a.test/tenant", "http://127.0.0.1:1", "http://[::1]:1"]
    {
        assert_eq!(good.parse::<Issuer>().unwrap().as_str(), good);
    }
    for bad in [
        "http://a.test",
        "http://127.0.0.2",
        "http://localhost.a.test",
        "https://a.test?x",
        "https://a.test#x",
        "https://user@a.test",
        "ftp://127.0.0.1",
        "a.test",
        "",
    ] {
        assert!(bad.parse::<Issuer>().is_err(), "{bad}");
    }
}
