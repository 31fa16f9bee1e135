//! What a client sees: statuses, challenges, bodies.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use support::api::{Answer, Stand, TestApi};
use support::keys::TestKey;
use support::{NOW, claims, with};

const PUBLIC: &str = "Everyone in the world can read this message.";
const PRIVATE: &str = "Only authenticated users can read this message.";

#[tokio::test]
async fn everybody_reads_the_public_message() {
    let api = Stand::start().await.api;
    let answer = api.get("/public", &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, PUBLIC));
    assert!(answer.header("content-type").starts_with("text/plain"));
}

#[tokio::test]
async fn a_good_token_reads_the_private_message() {
    let stand = Stand::start().await;
    let answer = stand.api.private(&stand.token()).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, PRIVATE));
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn messages_are_json_when_that_is_asked_for() {
    let stand = Stand::start().await;
    let authorization = format!("Bearer {}", stand.token());
    let headers = [("accept", "application/json"), ("authorization", authorization.as_str())];
    assert_eq!(stand.api.get("/public", &headers).await.json(), json!({ "message": PUBLIC }));
    let answer = stand.api.get("/private", &headers).await;
    assert_eq!(answer.json(), json!({ "message": PRIVATE }));
    assert_eq!(answer.header("vary"), "accept");
}

#[tokio::test]
async fn the_form_follows_the_accept_header() {
    let api = Stand::start().await.api;
    for (accept, is_json) in [
        ("application/json", true),
        ("application/json, text/plain, */*", true),
        ("Application/JSON;charset=utf-8", true),
        ("text/html, application/json;q=0.5", true),
        ("text/plain, application/json;q=0.5", false),
        ("application/json;q=0", false),
        ("*/*", false),
        ("text/plain", false),
        ("application/jsonx", false),
    ] {
        let answer = api.get("/public", &[("accept", accept)]).await;
        assert_eq!(answer.header("content-type") == "application/json", is_json, "{accept}");
    }
}

/// R02, R14, R20.
#[tokio::test]
async fn without_credentials_the_challenge_has_no_error_code() {
    let api = Stand::start().await.api;
    for headers in [&[][..], &[("authorization", "Basic YTpi")]] {
        let answer = api.get("/private", headers).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let bearer = r#"Bearer realm="urn:test:api""#;
        let dpop = r#"DPoP realm="urn:test:api", algs="RS256 PS256 ES256 EdDSA""#;
        assert_eq!(answer.challenges(), [bearer, dpop]);
        assert_eq!(answer.json()["error"], "unauthorized");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

/// R01.
#[tokio::test]
async fn the_scheme_is_read_in_any_letter_case() {
    let stand = Stand::start().await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let authorization = format!("{scheme} {}", stand.token());
        let answer = stand.api.get("/private", &[("authorization", &authorization)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{scheme}");
    }
}

/// R03.
#[tokio::test]
async fn two_authorization_headers_are_a_bad_request() {
    let stand = Stand::start().await;
    let authorization = format!("Bearer {}", stand.token());
    let twice = [("authorization", authorization.as_str()); 2];
    let answer = stand.api.get("/private", &twice).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.challenge().contains(r#"error="invalid_request""#));
    assert_eq!(answer.json()["error"], "invalid_request");
}

/// R01.
#[tokio::test]
async fn a_token_in_the_query_counts_for_nothing() {
    let stand = Stand::start().await;
    let path = format!("/private?access_token={}", stand.token());
    let answer = stand.api.get(&path, &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.challenge(), r#"Bearer realm="urn:test:api""#);
}

/// R03.
#[tokio::test]
async fn a_token_in_the_query_next_to_one_in_the_header_is_a_bad_request() {
    let stand = Stand::start().await;
    let authorization = format!("Bearer {}", stand.token());
    for path in ["/private?access_token=x", "/private?a=b&access%5Ftoken="] {
        let answer = stand.api.get(path, &[("authorization", &authorization)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

/// R04, R14.
#[tokio::test]
async fn every_bad_token_gets_the_same_answer_and_no_echo() {
    let stand = Stand::start().await;
    let url = &stand.issuer.url;
    let claims = claims(url);
    let changed = |changes| stand.key.token(&with(claims.clone(), &changes));
    let with_header = |changes| stand.key.token_with(&changes, &claims);
    let tokens = [
        String::new(),
        "garbage".to_owned(),
        format!("{} two", stand.token()),
        changed(json!({ "aud": "urn:other" })),
        changed(json!({ "aud": null })),
        changed(json!({ "iss": "https://other.test" })),
        changed(json!({ "iss": null })),
        changed(json!({ "exp": NOW - 60 })),
        changed(json!({ "nbf": NOW + 60 })),
        with_header(json!({ "typ": "JWT" })),
        with_header(json!({ "kid": "unknown" })),
        with_header(json!({ "crit": ["exp"] })),
        TestKey::p256("first").token(&claims),
    ];
    let mut answers = Vec::new();
    for token in &tokens {
        answers.push(stand.api.private(token).await);
    }
    for answer in &answers {
        assert_is_invalid_token(answer);
        assert_eq!(answer.body, answers[0].body);
    }
}

fn assert_is_invalid_token(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let expected = concat!(
        r#"Bearer realm="urn:test:api", error="invalid_token", "#,
        r#"error_description="The access token is not valid here or has expired""#
    );
    assert_eq!(answer.challenge(), expected);
    assert_eq!(answer.json()["error"], "invalid_token");
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// R04.
#[tokio::test]
async fn bytes_that_are_no_text_are_an_invalid_token() {
    let api = Stand::start().await.api;
    let request = Request::get("/private").header("authorization", &b"Bearer \xff\xfe"[..]);
    let answer = api.send(request.body(Body::empty()).unwrap()).await;
    assert_is_invalid_token(&answer);
}

/// R13, R14.
#[tokio::test]
async fn a_missing_scope_is_forbidden_and_named() {
    let stand = Stand::start().await;
    for (required, granted) in [("mail", false), ("mail.write", false), ("mail.read", true)] {
        let api = TestApi::new(&stand.issuer.url, Some(required));
        let answer = api.private(&stand.token()).await;
        if granted {
            assert_eq!(answer.status, StatusCode::OK);
        } else {
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            assert_eq!(answer.json()["error"], "insufficient_scope");
            assert!(answer.challenge().contains(r#"error="insufficient_scope""#));
            assert!(answer.challenge().ends_with(&format!("scope=\"{required}\"")));
        }
    }
}

/// R14.
#[tokio::test]
async fn errors_of_the_framework_are_json_too() {
    let api = Stand::start().await.api;
    let nowhere = api.get("/nowhere", &[]).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    assert_eq!(nowhere.json()["error"], "not_found");
    assert_eq!(nowhere.header("cache-control"), "no-store");

    let post = api.send(Request::post("/private").body(Body::empty()).unwrap()).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.json()["error"], "method_not_allowed");
    assert_eq!(post.header("allow"), "GET,HEAD");
}

/// R24.
#[tokio::test]
async fn a_body_that_nobody_asked_for_is_bounded() {
    let api = Stand::start().await.api;
    let large = Request::get("/public").header("content-length", "1000000");
    let answer = api.send(large.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.json()["error"], "payload_too_large");
}

#[tokio::test]
async fn the_process_is_healthy_while_it_serves() {
    let answer = Stand::start().await.api.get("/healthz", &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "ok"));
}
