//! A fuzzer that reads the OpenAPI document and holds the API to it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use std::process::Command;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use private_api::auth::Verifier;
use private_api::routes::{Api, router};
use private_api::server::serve;
use serde_json::json;
use support::api::rules;
use support::issuer::FakeIssuer;
use support::keys::TestKey;
use support::{claims, eventually, with};
use tokio::net::TcpListener;

const SCHEMATHESIS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.test/python/bin/schemathesis");

/// Starts an API whose issuer's keys are there; gives its address and a good header.
async fn start() -> (String, String) {
    let key = TestKey::p256("first");
    let issuer = FakeIssuer::start(&[&key]).await;
    let verifier = Arc::new(Verifier::new(rules(&issuer.url)).unwrap());
    verifier.warm_up();
    eventually(|| verifier.readiness()[0].1).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, router(Api::new(verifier)), std::future::pending()));

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let times = json!({ "iat": now, "exp": now + 3600, "auth_time": now });
    let token = key.token(&with(claims(&issuer.url), &times));
    (url, format!("Authorization: Bearer {token}"))
}

/// Runs the fuzzer; gives what it said if it found something.
async fn fuzz(url: &str, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new(SCHEMATHESIS);
    command.args(["run", &format!("{url}/openapi.json"), "--no-color", "--seed=1"]);
    command.args(["--max-examples=100", "--checks=all"]).args(arguments);
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

#[tokio::test]
#[ignore = "needs schemathesis: ./test.sh runs it"]
async fn to_a_caller_without_a_token_the_api_answers_as_it_is_described() {
    let (url, _) = start().await;
    fuzz(&url, &[]).await.unwrap();
}

#[tokio::test]
#[ignore = "needs schemathesis: ./test.sh runs it"]
async fn to_a_caller_with_a_token_the_api_answers_as_it_is_described() {
    let (url, authorization) = start().await;
    fuzz(&url, &["--header", &authorization]).await.unwrap();
}
