//! Proof of possession at the API: one test per check of RFC 9449 §4.3, and what a client sees.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use private_api::origin::OverTls;
use serde_json::{Value, json};
use support::api::Answer;
use support::keys::{TestKey, b64};
use support::proof::{Client, TARGET};
use support::{NOW, claims, with};

const PRIVATE: &str = "Only authenticated users can read this message.";

/// That the proof was refused, with the word of the standard.
fn assert_refused(answer: &Answer, why: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{why}");
    assert!(answer.challenge().starts_with("DPoP realm="), "{answer:?}");
    assert!(answer.challenge().contains(r#"error="invalid_dpop_proof""#), "{answer:?}");
    assert!(answer.challenge().contains(why), "{answer:?}");
    assert_eq!(answer.json()["error"], "invalid_dpop_proof");
}

/// The answer to a proof that differs in its header.
async fn with_header(header: Value) -> Answer {
    let client = Client::start().await;
    client.private(&client.proof_but(&header, &json!({}))).await
}

/// The answer to a proof that differs in its payload.
async fn with_payload(payload: Value) -> Answer {
    let client = Client::start().await;
    client.private(&client.proof_but(&json!({}), &payload)).await
}

/// R17.
#[tokio::test]
async fn a_bound_token_with_a_proof_of_its_key_reads_the_private_message() {
    let client = Client::start().await;
    let answer = client.private(&client.proof()).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, PRIVATE), "{answer:?}");
}

/// R17.
#[tokio::test]
async fn keys_of_every_kind_prove() {
    for key in [TestKey::rsa("client"), TestKey::ed25519("client")] {
        let mut client = Client::start().await;
        let bound = json!({ "cnf": { "jkt": key.thumbprint() } });
        client.token = client.issuer_key.token(&with(claims(&client.issuer.url), &bound));
        client.key = key;
        assert_eq!(client.private(&client.proof()).await.status, StatusCode::OK);
    }
}

/// R17: §4.3, 1.
#[tokio::test]
async fn there_must_be_exactly_one_proof() {
    let client = Client::start().await;
    let authorization = format!("DPoP {}", client.token);
    let none = client.api.get("/private", &[("authorization", &authorization)]).await;
    assert_refused(&none, "exactly one DPoP header");
    let proof = client.proof();
    let two = client.private_from("api.test", &proof, &[("dpop", &proof)]).await;
    assert_refused(&two, "exactly one DPoP header");
}

/// R17: §4.3, 2.
#[tokio::test]
async fn what_is_no_jwt_is_no_proof() {
    let client = Client::start().await;
    let good = client.proof();
    for proof in ["", "x", "a.b.c"] {
        assert_refused(&client.private(proof).await, "malformed");
    }
    for proof in [format!("{good}.x"), format!("{good}, {good}")] {
        assert_refused(&client.private(&proof).await, "");
    }
    let padded = json!({ "padding": "x".repeat(9000) });
    let long = client.proof_but(&json!({}), &padded);
    assert_refused(&client.private(&long).await, "malformed");
}

/// R17: §4.3, 3.
#[tokio::test]
async fn every_claim_must_be_there() {
    for (claim, why) in [
        ("jti", "lacks a claim"),
        ("htm", "another method"),
        ("htu", "another address"),
        ("iat", "lacks a claim"),
        ("ath", "another access token"),
    ] {
        assert_refused(&with_payload(json!({ claim: null })).await, why);
    }
    assert_refused(&with_payload(json!({ "jti": "" })).await, "lacks a claim");
    assert_refused(&with_payload(json!({ "iat": "now" })).await, "malformed");
}

/// R17: §4.3, 4.
#[tokio::test]
async fn the_type_must_be_that_of_a_proof() {
    for typ in [json!("at+jwt"), json!("JWT"), Value::Null] {
        assert_refused(&with_header(json!({ "typ": typ })).await, "type is not dpop+jwt");
    }
    assert_refused(&with_header(json!({ "crit": ["exp"] })).await, "type is not dpop+jwt");
}

/// R17: §4.3, 5.
#[tokio::test]
async fn the_algorithm_must_be_asymmetric_and_on_the_list() {
    for alg in ["none", "HS256", "ES384"] {
        assert_refused(&with_header(json!({ "alg": alg })).await, "algorithm");
    }
    assert_refused(&with_header(json!({ "alg": "RS256" })).await, "key is missing or cannot");
}

/// R17: §4.3, 6.
#[tokio::test]
async fn the_signature_must_be_by_the_key_in_the_proof() {
    let other = TestKey::p256("other").bare_jwk();
    assert_refused(&with_header(json!({ "jwk": other })).await, "signature is wrong");
    assert_refused(&with_header(json!({ "jwk": null })).await, "key is missing");
    assert_refused(&with_header(json!({ "jwk": { "kty": "EC" } })).await, "key is missing");
}

/// R17: §4.3, 7.
#[tokio::test]
async fn a_proof_that_gives_away_its_private_key_is_refused() {
    let jwk = TestKey::p256("client").bare_jwk();
    let jwk = with(jwk, &json!({ "d": b64(&[7; 32]) }));
    assert_refused(&with_header(json!({ "jwk": jwk })).await, "private key");
}

/// R17: §4.3, 8.
#[tokio::test]
async fn the_method_must_be_the_requests_own() {
    for method in ["POST", "get", ""] {
        assert_refused(&with_payload(json!({ "htm": method })).await, "another method");
    }
}

/// R17: §4.3, 9.
#[tokio::test]
async fn the_address_must_be_the_requests_own() {
    for address in [
        "https://api.test/private",
        "http://other.test/private",
        "http://api.test:8080/private",
        "http://api.test/public",
        "http://api.test/private/",
        "http://api.test/Private",
        "http://api.test/private%2F",
        "/private",
        "",
    ] {
        assert_refused(&with_payload(json!({ "htu": address })).await, "another address");
    }
}

/// R17: §4.3, 9.
#[tokio::test]
async fn the_same_address_may_be_written_in_other_ways() {
    for address in [
        "HTTP://API.test/private",
        "http://api.test:80/private",
        "http://api.test/x/../private",
        "http://api.test/%70rivate",
        "http://api.test/private?query#fragment",
    ] {
        let answer = with_payload(json!({ "htu": address })).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}: {answer:?}");
    }
}

/// A request with a good proof for `target`, from `peer`, with headers of a proxy.
fn proxied(client: &Client, target: &str, peer: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let proof = client.proof_but(&json!({}), &json!({ "htu": target, "jti": target }));
    let mut request = Request::get("/private")
        .header("host", "internal:3000")
        .header("authorization", format!("DPoP {}", client.token))
        .header("dpop", proof)
        .extension(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

/// R17.
#[tokio::test]
async fn forwarded_headers_are_believed_from_a_trusted_proxy_alone() {
    let trusted = |setup: &mut private_api::auth::Setup| {
        setup.addressing.trusted_proxies = vec!["10.1.0.0/16".parse().unwrap()];
    };
    let client = Client::at(trusted).await;
    let headers = [("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.test, api.test")];
    let status =
        async |target, peer| client.api.send(proxied(&client, target, peer, &headers)).await.status;
    assert_eq!(status("https://api.test/private", "10.1.2.3:5").await, StatusCode::OK);
    assert_eq!(status("https://api.test/private", "10.2.2.3:5").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status("https://evil.test/private", "10.1.2.3:5").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status("http://internal:3000/private", "10.2.2.3:5").await, StatusCode::OK);
}

/// R17.
#[tokio::test]
async fn the_public_url_of_the_settings_is_the_address_whatever_the_request_says() {
    let public = |setup: &mut private_api::auth::Setup| {
        setup.addressing.public_url = Some("https://api.acme.test/v1/".parse().unwrap());
    };
    let client = Client::at(public).await;
    let proof = client.proof_but(&json!({}), &json!({ "htu": "https://api.acme.test/v1/private" }));
    assert_eq!(client.private_from("any.test", &proof, &[]).await.status, StatusCode::OK);
    assert_refused(&client.private(&client.proof()).await, "another address");
}

/// R17.
#[tokio::test]
async fn a_connection_with_tls_makes_the_address_https() {
    let client = Client::start().await;
    let proof = client.proof_but(&json!({}), &json!({ "htu": "https://api.test/private" }));
    let request = Request::get("/private")
        .header("host", "api.test")
        .header("authorization", format!("DPoP {}", client.token))
        .header("dpop", proof)
        .extension(OverTls);
    let answer = client.api.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// R17: §4.3, 11.
#[tokio::test]
async fn a_proof_is_good_for_a_minute() {
    for (iat, good) in [(NOW - 59, true), (NOW - 60, false), (NOW + 10, true), (NOW + 11, false)] {
        let answer = with_payload(json!({ "iat": iat })).await;
        if good {
            assert_eq!(answer.status, StatusCode::OK, "{iat}");
        } else {
            assert_refused(&answer, "too old or from the future");
        }
    }
}

/// R17: §4.3, 12.
#[tokio::test]
async fn a_proof_for_another_token_is_refused() {
    assert_refused(&with_payload(json!({ "ath": b64(&[0; 32]) })).await, "another access token");
}

/// R17: §4.3, 12.
#[tokio::test]
async fn a_proof_by_another_key_is_refused() {
    let mut client = Client::start().await;
    client.key = TestKey::p256("thief");
    assert_refused(&client.private(&client.proof()).await, "another key");
}

/// R17.
#[tokio::test]
async fn a_proof_is_accepted_once() {
    let client = Client::start().await;
    let proof = client.proof();
    assert_eq!(client.private(&proof).await.status, StatusCode::OK);
    assert_refused(&client.private(&proof).await, "used before");
    let later = client.proof_but(&json!({}), &json!({ "iat": NOW + 5 }));
    assert_refused(&client.private(&later).await, "used before");
    let next = client.proof_but(&json!({}), &json!({ "jti": "proof-2" }));
    assert_eq!(client.private(&next).await.status, StatusCode::OK);
}

/// R18.
#[tokio::test]
async fn a_bound_token_shown_as_a_bearer_token_is_refused() {
    let client = Client::start().await;
    let authorization = format!("Bearer {}", client.token);
    let headers = [("host", "api.test"), ("authorization", &authorization)];
    let proof = client.proof();
    for headers in [&headers[..], &[&headers[..], &[("dpop", &proof)]].concat()] {
        let answer = client.api.get("/private", headers).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let [bearer, dpop] = answer.challenges()[..] else { panic!("{answer:?}") };
        assert!(bearer.starts_with("Bearer ") && bearer.contains(r#"error="invalid_token""#));
        assert!(dpop.starts_with("DPoP ") && !dpop.contains("error="), "says what would do");
    }
}

/// R18.
#[tokio::test]
async fn a_token_that_is_not_bound_does_not_pass_with_a_proof() {
    let mut client = Client::start().await;
    client.token = client.issuer_key.token(&claims(&client.issuer.url));
    let answer = client.private(&client.proof()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.challenge().starts_with("DPoP "));
    assert!(answer.challenge().contains(r#"error="invalid_token""#));
}

/// R18: a certificate's hash cannot be checked here, so such a token is no good in either way.
#[tokio::test]
async fn a_token_bound_in_a_way_that_cannot_be_checked_is_refused() {
    let mut client = Client::start().await;
    let cnf = json!({ "jkt": client.key.thumbprint(), "x5t#S256": b64(&[1; 32]) });
    let claims = with(claims(&client.issuer.url), &json!({ "cnf": cnf }));
    client.token = client.issuer_key.token(&claims);
    assert_eq!(client.private(&client.proof()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(client.api.private(&client.token).await.status, StatusCode::UNAUTHORIZED);
}

/// R18, R20.
#[tokio::test]
async fn where_proofs_are_required_bearer_tokens_are_refused_and_not_offered() {
    let client = Client::at(|setup| setup.proofs.required = true).await;
    assert_eq!(client.private(&client.proof()).await.status, StatusCode::OK);
    let unbound = client.issuer_key.token(&claims(&client.issuer.url));
    let refused = client.api.private(&unbound).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.challenges().iter().all(|told| told.starts_with("DPoP ")), "{refused:?}");
    let answer = client.api.get("/private", &[]).await;
    let dpop = r#"DPoP realm="urn:test:api", algs="RS256 PS256 ES256 EdDSA""#;
    assert_eq!(answer.challenges(), [dpop]);
}

/// The client's next proof, with a nonce.
fn with_nonce(client: &Client, jti: &str, nonce: &str) -> String {
    client.proof_but(&json!({}), &json!({ "jti": jti, "nonce": nonce }))
}

/// R19.
#[tokio::test]
async fn a_proof_without_a_nonce_is_told_which_one_to_use() {
    let client = Client::at(|setup| setup.proofs.nonces = true).await;
    let refused = client.private(&client.proof()).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.challenge().contains(r#"error="use_dpop_nonce""#), "{refused:?}");
    let nonce = refused.header("dpop-nonce");
    let answer = client.private(&with_nonce(&client, "second", nonce)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("dpop-nonce"), "", "it need not change yet");
}

/// R19.
#[tokio::test]
async fn a_new_nonce_is_sent_ahead_before_the_old_one_ends() {
    let client = Client::at(|setup| setup.proofs.nonces = true).await;
    let first = client.private(&client.proof()).await.header("dpop-nonce").to_owned();

    client.api.clock.set(NOW + 60);
    let ahead = client.private(&with_nonce(&client, "second", &first)).await;
    assert_eq!(ahead.status, StatusCode::OK);
    let second = ahead.header("dpop-nonce").to_owned();
    assert!(!second.is_empty() && second != first);

    client.api.clock.set(NOW + 120);
    let old = client.private(&with_nonce(&client, "third", &first)).await;
    assert!(old.challenge().contains(r#"error="use_dpop_nonce""#));
    let new = client.private(&with_nonce(&client, "fourth", &second)).await;
    assert_eq!(new.status, StatusCode::OK);
}

/// R19: a nonce carries the flow of a client whose clock is wrong.
#[tokio::test]
async fn with_a_nonce_the_clients_clock_does_not_matter() {
    let client = Client::at(|setup| setup.proofs.nonces = true).await;
    let nonce = client.private(&client.proof()).await.header("dpop-nonce").to_owned();
    for (jti, iat) in [("slow", NOW - 3600), ("fast", NOW + 3600)] {
        let payload = json!({ "jti": jti, "iat": iat, "nonce": nonce });
        let proof = client.proof_but(&json!({}), &payload);
        assert_eq!(client.private(&proof).await.status, StatusCode::OK);
        assert_refused(&client.private(&proof).await, "used before");
    }
}

/// R19, R24.
#[tokio::test]
async fn a_nonce_of_somebody_else_is_none() {
    let [client, other] = [
        Client::at(|setup| setup.proofs.nonces = true).await,
        Client::at(|setup| setup.proofs.nonces = true).await,
    ];
    let foreign = other.private(&other.proof()).await.header("dpop-nonce").to_owned();
    for nonce in [foreign.as_str(), "", "x", &b64(&[0; 40]), &b64(&[0; 8])] {
        let answer = client.private(&with_nonce(&client, "proof-2", nonce)).await;
        assert!(answer.challenge().contains(r#"error="use_dpop_nonce""#), "{nonce}");
    }
}

/// R04: neither token nor proof comes back.
#[tokio::test]
async fn no_answer_echoes_a_proof() {
    let client = Client::start().await;
    let proof = client.proof_but(&json!({}), &json!({ "htu": format!("{TARGET}/elsewhere") }));
    let answer = client.private(&proof).await;
    let said = format!("{answer:?}");
    for part in proof.split('.').chain(client.token.split('.')) {
        assert!(!said.contains(part));
    }
}
