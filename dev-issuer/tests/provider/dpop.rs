//! Tokens bound to a key of the client.

use std::time::Duration;

use dev_issuer::{Nonces, Offer, Options};
use serde_json::{Value, json};

use crate::keys::{ClientKey, b64, now};
use crate::stand::{Answer, Query, Stand, as_web_app, claims, code_form, refresh_form};

const ROTATION: Duration = Duration::from_hours(1);

async fn offered() -> Stand {
    Stand::with(Options { dpop: Offer::Offered, ..Options::default() }).await
}

async fn with_nonces() -> Stand {
    let dpop_nonces = Nonces::Asked { rotation: ROTATION };
    Stand::with(Options { dpop: Offer::Offered, dpop_nonces, ..Options::default() }).await
}

async fn post(stand: &Stand, path: &str, form: &[(&str, &str)], proof: &str) -> Answer {
    Answer::of(stand.http.post(stand.at(path)).header("DPoP", proof).form(form)).await
}

/// Asks the token endpoint with a good proof.
async fn token(stand: &Stand, form: &[(&str, &str)], key: &ClientKey) -> Answer {
    let proof = key.proof("POST", &stand.at("/token"));
    post(stand, "/token", form, &proof.sign()).await
}

async fn signed_in(stand: &Stand, key: &ClientKey) -> Answer {
    let code = stand.code(&Query::good().without("resource")).await;
    token(stand, &code_form(&code), key).await
}

/// Presents a token at the UserInfo endpoint.
async fn userinfo(stand: &Stand, scheme: &str, token: &str, proof: &str) -> Answer {
    let request = stand.http.get(stand.at("/userinfo"));
    let request = request.header("authorization", format!("{scheme} {token}"));
    Answer::of(request.header("DPoP", proof)).await
}

fn jkt(tokens: &Answer) -> Value {
    claims(tokens.text("access_token"))["cnf"]["jkt"].clone()
}

#[tokio::test]
async fn a_proof_binds_the_tokens_to_its_key() {
    let stand = offered().await;
    for key in [ClientKey::p256(), ClientKey::ed25519(), ClientKey::rsa()] {
        let tokens = signed_in(&stand, &key).await;
        assert_eq!(tokens.status, 200, "{tokens:?}");
        assert_eq!(tokens.body["token_type"], "DPoP");
        assert_eq!(jkt(&tokens), key.thumbprint());
        let access_token = tokens.text("access_token");
        let proof = key.proof("GET", &stand.at("/userinfo")).with_token(access_token);
        let info = userinfo(&stand, "DPoP", access_token, &proof.sign()).await;
        assert_eq!((info.status, &info.body["name"]), (200, &json!("Alice Adams")));
    }
}

#[tokio::test]
async fn without_a_proof_tokens_are_bearer_tokens() {
    let stand = offered().await;
    let tokens = stand.signed_in().await;
    assert_eq!(tokens.body["token_type"], "Bearer");
    assert!(jkt(&tokens).is_null());
}

#[tokio::test]
async fn where_it_is_off_nobody_looks_at_a_proof() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good().with("dpop_jkt", "anything")).await;
    let tokens = post(&stand, "/token", &code_form(&code), "garbage").await;
    assert_eq!((tokens.status, &tokens.body["token_type"]), (200, &json!("Bearer")));
    let document = stand.get("/.well-known/openid-configuration").await.body;
    assert!(document["dpop_signing_alg_values_supported"].is_null());
}

#[tokio::test]
async fn where_it_is_required_a_request_without_a_proof_costs_nothing() {
    let stand = Stand::with(Options { dpop: Offer::Required, ..Options::default() }).await;
    let document = stand.get("/.well-known/openid-configuration").await.body;
    let algorithms = json!(["ES256", "EdDSA", "PS256"]);
    assert_eq!(document["dpop_signing_alg_values_supported"], algorithms);
    let code = stand.code(&Query::good()).await;
    stand.redeem(&code).await.assert_error(400, "invalid_dpop_proof");
    assert_eq!(token(&stand, &code_form(&code), &ClientKey::p256()).await.status, 200);
}

#[tokio::test]
async fn every_flaw_of_a_proof_is_found_before_the_code_is_spent() {
    let stand = offered().await;
    let (key, other) = (ClientKey::p256(), ClientKey::p256());
    let code = stand.code(&Query::good()).await;
    let url = stand.at("/token");
    let good = || key.proof("POST", &url);
    let mut with_private = key.jwk();
    with_private["d"] = json!("x");
    let secret = b"secret";
    for (flaw, proof) in [
        ("no JWT", "a.b".to_owned()),
        ("no typ", good().header("typ", Value::Null).sign()),
        ("another typ", good().header("typ", "JWT").sign()),
        ("alg none", good().header("alg", "none").sign()),
        ("another alg", good().header("alg", "ES384").sign()),
        ("the alg of another key", good().header("alg", "EdDSA").sign()),
        ("a crit", good().header("crit", json!(["b64"])).sign()),
        ("no jwk", good().header("jwk", Value::Null).sign()),
        ("a private jwk", good().header("jwk", with_private).sign()),
        ("a jwk of another", good().header("jwk", other.jwk()).sign()),
        (
            "a shared secret",
            good()
                .header("alg", "HS256")
                .header("jwk", json!({ "kty": "oct", "k": b64(secret) }))
                .sign_with_hmac(secret),
        ),
        ("another htm", good().claim("htm", "GET").sign()),
        ("an htm in lower case", good().claim("htm", "post").sign()),
        ("no htm", good().claim("htm", Value::Null).sign()),
        ("another htu", good().claim("htu", stand.at("/par")).sign()),
        ("an htu with a query", good().claim("htu", format!("{url}?x=1")).sign()),
        ("no htu", good().claim("htu", Value::Null).sign()),
        ("no jti", good().claim("jti", Value::Null).sign()),
        ("an endless jti", good().claim("jti", "x".repeat(257)).sign()),
        ("no iat", good().claim("iat", Value::Null).sign()),
        ("iat as text", good().claim("iat", now().to_string()).sign()),
        ("too old", good().claim("iat", now() - 120).sign()),
        ("from the future", good().claim("iat", now() + 120).sign()),
    ] {
        let answer = post(&stand, "/token", &code_form(&code), &proof).await;
        assert_eq!((answer.status, answer.text("error")), (400, "invalid_dpop_proof"), "{flaw}");
    }
    let request = stand.http.post(&url).form(&code_form(&code));
    let two = request.header("DPoP", good().sign()).header("DPoP", good().sign());
    Answer::of(two).await.assert_error(400, "invalid_dpop_proof");
    assert_eq!(token(&stand, &code_form(&code), &key).await.status, 200);
}

#[tokio::test]
async fn a_proof_is_used_once() {
    let stand = offered().await;
    let (key, code) = (ClientKey::ed25519(), stand.code(&Query::good()).await);
    let proof = key.proof("POST", &stand.at("/token")).sign();
    let first = post(&stand, "/token", &code_form(&code), &proof).await;
    let form = refresh_form(first.text("refresh_token"));
    post(&stand, "/token", &form, &proof).await.assert_error(400, "invalid_dpop_proof");
    assert_eq!(token(&stand, &form, &key).await.status, 200);
}

#[tokio::test]
async fn the_refresh_token_of_a_public_client_is_bound_to_the_key() {
    let stand = offered().await;
    let (key, thief) = (ClientKey::p256(), ClientKey::p256());
    let tokens = signed_in(&stand, &key).await;
    let form = refresh_form(tokens.text("refresh_token"));
    stand.token(&form).await.assert_error(400, "invalid_dpop_proof");
    token(&stand, &form, &thief).await.assert_error(400, "invalid_grant");
    let renewed = token(&stand, &form, &key).await;
    assert_eq!((renewed.status, jkt(&renewed)), (200, json!(key.thumbprint())));
}

#[tokio::test]
async fn a_confidential_client_may_change_its_key() {
    let stand = offered().await;
    let code = stand.code(&Query::good().with("client_id", "web-app")).await;
    let first = token(&stand, &as_web_app(code_form(&code)), &ClientKey::p256()).await;
    let (key, form) = (ClientKey::ed25519(), refresh_form(first.text("refresh_token")));
    let second = token(&stand, &as_web_app(form), &key).await;
    assert_eq!((second.status, jkt(&second)), (200, json!(key.thumbprint())));
}

#[tokio::test]
async fn a_code_can_be_bound_to_the_key_beforehand() {
    let stand = offered().await;
    let (key, other) = (ClientKey::p256(), ClientKey::p256());
    let query = Query::good().with("dpop_jkt", &key.thumbprint());
    let code = stand.code(&query).await;
    token(&stand, &code_form(&code), &other).await.assert_error(400, "invalid_grant");
    let code = stand.code(&query).await;
    stand.redeem(&code).await.assert_error(400, "invalid_dpop_proof");
    let code = stand.code(&query).await;
    assert_eq!(token(&stand, &code_form(&code), &key).await.status, 200);
    let answer = stand.answer(&Query::good().with("dpop_jkt", "no-thumbprint")).await;
    assert_eq!(answer.get("error"), Some("invalid_request"));
}

#[tokio::test]
async fn a_proof_at_the_push_binds_the_code() {
    let stand = offered().await;
    let (key, other) = (ClientKey::p256(), ClientKey::p256());
    let push = async |query: &Query| {
        let proof = key.proof("POST", &stand.at("/par")).sign();
        post(&stand, "/par", &query.pairs(), &proof).await
    };
    let code = async || {
        let pushed = push(&Query::good()).await;
        let brought =
            [("client_id", "desktop-broker"), ("request_uri", pushed.text("request_uri"))];
        stand.code(&Query::of(&brought)).await
    };
    let bound = code().await;
    token(&stand, &code_form(&bound), &other).await.assert_error(400, "invalid_grant");
    let bound = code().await;
    assert_eq!(token(&stand, &code_form(&bound), &key).await.status, 200);

    let same = push(&Query::good().with("dpop_jkt", &key.thumbprint())).await;
    assert_eq!(same.status, 201);
    let contradiction = push(&Query::good().with("dpop_jkt", &other.thumbprint())).await;
    contradiction.assert_error(400, "invalid_dpop_proof");
    let elsewhere = key.proof("POST", &stand.at("/token")).sign();
    let answer = post(&stand, "/par", &Query::good().pairs(), &elsewhere).await;
    answer.assert_error(400, "invalid_dpop_proof");
}

#[tokio::test]
async fn a_bound_token_is_no_bearer_token_and_needs_its_own_proof() {
    let stand = offered().await;
    let (key, thief) = (ClientKey::p256(), ClientKey::p256());
    let tokens = signed_in(&stand, &key).await;
    let token = tokens.text("access_token");
    let url = stand.at("/userinfo");
    let proof = |key: &ClientKey| key.proof("GET", &url).with_token(token).sign();
    let without_hash = key.proof("GET", &url).sign();
    let for_another = key.proof("GET", &url).with_token("another").sign();
    for (error, scheme, proof) in [
        ("invalid_token", "Bearer", proof(&key)),
        ("invalid_token", "DPoP", proof(&thief)),
        ("invalid_dpop_proof", "DPoP", without_hash),
        ("invalid_dpop_proof", "DPoP", for_another),
    ] {
        let answer = userinfo(&stand, scheme, token, &proof).await;
        assert_eq!((answer.status, answer.text("error")), (401, error));
    }
    let bare = stand.http.get(&url).header("authorization", format!("DPoP {token}"));
    let bare = Answer::of(bare).await;
    assert_eq!((bare.status, bare.text("error")), (401, "invalid_dpop_proof"));
    assert_eq!(userinfo(&stand, "dpop", token, &proof(&key)).await.status, 200);
}

#[tokio::test]
async fn an_unbound_token_does_not_pass_in_the_dpop_scheme() {
    let stand = offered().await;
    let tokens = stand.redeem(&stand.code(&Query::good().without("resource")).await).await;
    let token = tokens.text("access_token");
    let proof = ClientKey::p256().proof("GET", &stand.at("/userinfo")).with_token(token).sign();
    assert_eq!(userinfo(&stand, "DPoP", token, &proof).await.status, 401);
    assert_eq!(stand.userinfo(token).await.status, 200);
}

#[tokio::test]
async fn the_challenges_name_both_schemes_and_the_algorithms() {
    let stand = offered().await;
    let response = stand.http.get(stand.at("/userinfo")).send().await.unwrap();
    let challenges = response.headers().get_all("www-authenticate").iter();
    let challenges: Vec<_> = challenges.map(|value| value.to_str().unwrap()).collect();
    assert_eq!(challenges, ["Bearer realm=\"userinfo\"", "DPoP algs=\"ES256 EdDSA PS256\""]);
}

#[tokio::test]
async fn a_nonce_is_asked_for_before_anything_is_spent() {
    let stand = with_nonces().await;
    let (key, code) = (ClientKey::p256(), stand.code(&Query::good()).await);
    let (form, url) = (code_form(&code), stand.at("/token"));
    let refused = token(&stand, &form, &key).await;
    refused.assert_error(400, "use_dpop_nonce");
    let nonce = refused.headers["dpop-nonce"].as_str();
    let made_up = key.proof("POST", &url).claim("nonce", "made-up").sign();
    post(&stand, "/token", &form, &made_up).await.assert_error(400, "use_dpop_nonce");
    let proof = key.proof("POST", &url).claim("nonce", nonce).sign();
    let tokens = post(&stand, "/token", &form, &proof).await;
    assert_eq!(tokens.status, 200);
    assert_eq!(tokens.headers["dpop-nonce"], nonce, "it is still the current one");
}

#[tokio::test]
async fn the_retry_with_the_nonce_needs_a_new_id() {
    let stand = with_nonces().await;
    let (key, form) = (ClientKey::p256(), refresh_form("x"));
    let proof = || key.proof("POST", &stand.at("/token")).claim("jti", "the-same");
    let refused = post(&stand, "/token", &form, &proof().sign()).await;
    refused.assert_error(400, "use_dpop_nonce");
    let retry = proof().claim("nonce", refused.headers["dpop-nonce"].as_str());
    let answer = post(&stand, "/token", &form, &retry.sign()).await;
    answer.assert_error(400, "invalid_dpop_proof");
}

#[tokio::test]
async fn par_and_userinfo_ask_for_the_same_nonce() {
    let stand = with_nonces().await;
    let key = ClientKey::p256();
    let proof = key.proof("POST", &stand.at("/par")).sign();
    let push = post(&stand, "/par", &Query::good().pairs(), &proof).await;
    push.assert_error(400, "use_dpop_nonce");
    let nonce = push.headers["dpop-nonce"].as_str();

    let code = stand.code(&Query::good().without("resource")).await;
    let proof = key.proof("POST", &stand.at("/token")).claim("nonce", nonce).sign();
    let tokens = post(&stand, "/token", &code_form(&code), &proof).await;
    let token = tokens.text("access_token");
    let proof = || key.proof("GET", &stand.at("/userinfo")).with_token(token);
    let refused = userinfo(&stand, "DPoP", token, &proof().sign()).await;
    assert_eq!((refused.status, refused.text("error")), (401, "use_dpop_nonce"));
    assert!(refused.headers["www-authenticate"].starts_with("DPoP "));
    assert!(refused.headers["www-authenticate"].contains("error=\"use_dpop_nonce\""));
    let proof = proof().claim("nonce", refused.headers["dpop-nonce"].as_str()).sign();
    assert_eq!(userinfo(&stand, "DPoP", token, &proof).await.status, 200);
}

#[tokio::test]
async fn nonces_rotate_and_the_one_before_is_taken_for_a_while() {
    let stand = with_nonces().await;
    let key = ClientKey::p256();
    let ask = async |nonce: &str| {
        let proof = key.proof("POST", &stand.at("/token")).claim("nonce", nonce).sign();
        post(&stand, "/token", &refresh_form("x"), &proof).await
    };
    let first = ask("none yet").await.headers["dpop-nonce"].clone();
    stand.issuer.advance_clock(ROTATION);
    let late = ask(&first).await;
    late.assert_error(400, "invalid_grant");
    assert_ne!(late.headers["dpop-nonce"], first);
    stand.issuer.advance_clock(ROTATION);
    ask(&first).await.assert_error(400, "use_dpop_nonce");
}

#[tokio::test]
async fn with_a_nonce_the_clients_clock_does_not_count() {
    let stand = with_nonces().await;
    let key = ClientKey::p256();
    let proof = || key.proof("POST", &stand.at("/token")).claim("iat", now() - 3600);
    let refused = post(&stand, "/token", &refresh_form("x"), &proof().sign()).await;
    refused.assert_error(400, "use_dpop_nonce");
    let proof = proof().claim("nonce", refused.headers["dpop-nonce"].as_str()).sign();
    post(&stand, "/token", &refresh_form("x"), &proof).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn the_record_tells_what_a_proof_said() {
    let stand = with_nonces().await;
    let key = ClientKey::p256();
    let refused = token(&stand, &refresh_form("x"), &key).await;
    let nonce = refused.headers["dpop-nonce"].as_str();
    let proof = key.proof("POST", &stand.at("/token")).claim("nonce", nonce);
    post(&stand, "/token", &refresh_form("x"), &proof.with_token("y").sign()).await;
    post(&stand, "/token", &refresh_form("x"), "garbage").await;
    stand.refresh("x").await;

    let proofs: Vec<_> = stand.issuer.requests().into_iter().map(|request| request.proof).collect();
    let [Some(first), Some(retry), Some(garbage), None] = proofs.as_slice() else {
        panic!("{proofs:?}")
    };
    assert_eq!((&first.jkt, &retry.jkt), (&key.thumbprint(), &key.thumbprint()));
    assert_ne!(first.jti, retry.jti);
    assert_eq!((first.nonce.as_deref(), retry.nonce.as_deref()), (None, Some(nonce)));
    assert!(first.ath.is_none() && retry.ath.is_some());
    assert_eq!((garbage.jkt.as_str(), garbage.jti.as_str()), ("", ""));
}
