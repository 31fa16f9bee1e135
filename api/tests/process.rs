//! The program itself: its settings, its first line, its log and its end.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use std::io::Write;
use std::process::Output;

use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::{Value, json};
use support::issuer::FakeIssuer;
use support::keys::TestKey;
use support::running::{Running, claims_now, program};
use support::{AUDIENCE, with};

#[tokio::test]
async fn it_says_where_it_listens_and_serves_there() {
    let key = TestKey::p256("first");
    let issuer = FakeIssuer::start(&[&key]).await;
    let running = Running::start(&issuer.url, &[]);
    assert!(running.url.starts_with("http://127.0.0.1:"));
    assert_eq!(running.private(&key.token(&claims_now(&issuer.url))).await, StatusCode::OK);
    assert_eq!(running.private("garbage").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn it_ends_cleanly_on_both_signals() {
    let issuer = FakeIssuer::start(&[&TestKey::p256("first")]).await;
    for signal in [Signal::TERM, Signal::INT] {
        let (status, _) = Running::start(&issuer.url, &[]).end(signal);
        assert_eq!(status.code(), Some(0));
    }
}

/// R16.
#[tokio::test]
async fn it_starts_without_its_issuer() {
    let address = support::issuer::Address::reserve();
    let running = Running::start(&address.url, &[]);
    let token = TestKey::p256("first").token(&claims_now(&address.url));
    assert_eq!(running.private(&token).await, StatusCode::SERVICE_UNAVAILABLE);
    let (status, log) = running.end(Signal::TERM);
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("the issuer cannot be reached"), "{log}");
}

/// R24.
#[tokio::test]
async fn no_token_reaches_the_log_at_any_level() {
    let key = TestKey::p256("first");
    let issuer = FakeIssuer::start(&[&key]).await;
    let running = Running::start(&issuer.url, &["--log", "trace"]);
    let good = key.token(&claims_now(&issuer.url));
    let bad = key.token(&with(claims_now(&issuer.url), &json!({ "aud": "urn:other" })));
    assert_eq!(running.private(&good).await, StatusCode::OK);
    assert_eq!(running.private(&bad).await, StatusCode::UNAUTHORIZED);
    let path = format!("/private?access_token={good}");
    assert_eq!(running.get(&path, &good).await, StatusCode::BAD_REQUEST);

    let (_, log) = running.end(Signal::TERM);
    assert!(log.contains("the token is for another audience"), "{log}");
    for token in [&good, &bad] {
        for part in token.split('.') {
            assert!(!log.contains(part), "{log}");
        }
    }
}

#[tokio::test]
async fn its_settings_reach_the_verdict() {
    let (first, rsa) = (TestKey::p256("first"), TestKey::rsa("rsa"));
    let issuer = FakeIssuer::start(&[&first, &rsa]).await;
    let foreign = with(claims_now(&issuer.url), &json!({ "client_id": null, "jti": null }));
    let jwt = json!({ "typ": "JWT" });

    let strict = Running::start(&issuer.url, &[]);
    assert_eq!(strict.private(&first.token(&foreign)).await, StatusCode::UNAUTHORIZED);

    let lenient = ["--accept-typ-jwt", "--accept-missing-claims", "--require-scope", "mail.read"];
    let lenient = Running::start(&issuer.url, &[&lenient[..], &["--alg", "ES256,PS256"]].concat());
    assert_eq!(lenient.private(&first.token_with(&jwt, &foreign)).await, StatusCode::OK);
    assert_eq!(lenient.private(&rsa.token(&foreign)).await, StatusCode::UNAUTHORIZED);
    let other = with(foreign, &json!({ "scope": "mail.write" }));
    assert_eq!(lenient.private(&first.token(&other)).await, StatusCode::FORBIDDEN);
}

#[test]
fn wrong_settings_are_named_and_end_it_with_code_2() {
    let base = ["--issuer", "https://issuer.test", "--audience", "urn:a"];
    for (wrong, named) in [
        (&["--issuer", "http://issuer.test"], "the issuer must be https"),
        (&["--audience", "a b"], "one word"),
        (&["--alg", "HS256"], "asymmetric"),
        (&["--alg", "none"], "asymmetric"),
        (&["--listen", "here"], "--listen"),
        (&["--require-scope", ""], "one word"),
    ] {
        let arguments: Vec<_> = base
            .chunks(2)
            .filter(|pair| pair[0] != wrong[0])
            .flatten()
            .chain(wrong)
            .copied()
            .collect();
        let output = program(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
}

#[tokio::test]
async fn the_environment_does_what_the_flags_do() {
    let mut command = program(&[]);
    command.env("AUTHBROKER_API_ISSUER", "https://issuer.test");
    command.env("AUTHBROKER_API_AUDIENCE", "urn:a");
    command.env("AUTHBROKER_API_ALG", "ES256,HS256");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("'HS256'"), "{}", stderr(&output));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_and_ends_it_with_code_1() {
    let issuer = FakeIssuer::start(&[&TestKey::p256("first")]).await;
    let running = Running::start(&issuer.url, &[]);
    let address = running.url.strip_prefix("http://").unwrap();
    let output = program(&["--issuer", &issuer.url, "--audience", "urn:a", "--listen", address])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("cannot listen on {address}")));
}

/// A file with settings, which is gone with the test.
fn config(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[tokio::test]
async fn the_file_does_what_the_flags_do_and_a_flag_wins() {
    let key = TestKey::p256("first");
    let issuer = FakeIssuer::start(&[&key]).await;
    let file = config(&format!(
        "issuer = [\"{}\"]\naudience = \"{AUDIENCE}\"\nlisten = \"127.0.0.1:0\"\n\
         accept_typ_jwt = true\nrequire_scope = \"mail.write\"\n",
        issuer.url
    ));
    let path = file.path().to_str().unwrap();
    let token = key.token_with(&json!({ "typ": "JWT" }), &claims_now(&issuer.url));
    let by_file = Running::spawn(&mut program(&["--config", path]));
    assert_eq!(by_file.private(&token).await, StatusCode::FORBIDDEN);
    let mut by_flag = program(&["--config", path, "--require-scope", "mail.read"]);
    assert_eq!(Running::spawn(&mut by_flag).private(&token).await, StatusCode::OK);
    let mut by_environment = program(&["--config", path]);
    by_environment.env("AUTHBROKER_API_ACCEPT_TYP_JWT", "false");
    assert_eq!(Running::spawn(&mut by_environment).private(&token).await, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_wrong_file_is_named_with_the_line_and_ends_it_with_code_2() {
    for (line, named) in [
        ("isuer = []", "isuer"),
        ("alg = [\"HS256\"]", "asymmetric"),
        ("issuer = [\"http://issuer.test\"]", "must be https"),
        ("listen = 3", "listen"),
        ("introspect = \"some\"", "some"),
    ] {
        let file = config(&format!("audience = \"urn:a\"\n{line}\n"));
        let path = file.path().to_str().unwrap();
        let output = program(&["--config", path]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(said.contains(path) && said.contains("line 2") && said.contains(named), "{said}");
    }
}

#[test]
fn what_is_missing_is_named_and_ends_it_with_code_2() {
    let base = ["--issuer", "https://issuer.test", "--audience", "urn:a"];
    for (arguments, named) in [
        (&base[..2], "--audience"),
        (&base[2..], "--issuer"),
        (&[&base[..], &["--introspect", "all"]].concat(), "--introspection-client-id"),
        (&[&base[..], &["--tls-cert", "cert.pem"]].concat(), "--tls-key"),
    ] {
        let output = program(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
}

/// R23.
#[tokio::test]
async fn it_asks_about_opaque_tokens_with_the_secret_of_a_file() {
    let issuer = FakeIssuer::start(&[&TestKey::p256("first")]).await;
    issuer.say(with(claims_now(&issuer.url), &json!({ "active": true })));
    let secret = config("s3cret\n");
    let secret = secret.path().to_str().unwrap();
    let asking = ["--introspect", "opaque", "--introspection-client-id", "api"];
    let asking = [&asking[..], &["--introspection-secret-file", secret]].concat();
    let running = Running::start(&issuer.url, &asking);
    assert_eq!(running.private("opaque-token").await, StatusCode::OK);
    let authorization = &issuer.questions()[0].authorization;
    assert_eq!(authorization, "Basic YXBpOnMzY3JldA==");
    let (_, log) = running.end(Signal::TERM);
    assert!(!log.contains("s3cret"), "{log}");
}

#[tokio::test]
async fn it_serves_tls_with_the_certificate_that_it_is_given() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");
    let (cert, key_file) = (format!("{fixtures}/cert.pem"), format!("{fixtures}/key.pem"));
    let key = TestKey::p256("first");
    let issuer = FakeIssuer::start(&[&key]).await;
    let running = Running::start(&issuer.url, &["--tls-cert", &cert, "--tls-key", &key_file]);
    assert!(running.url.starts_with("https://127.0.0.1:"), "{}", running.url);

    let root = reqwest::Certificate::from_pem(&std::fs::read(&cert).unwrap()).unwrap();
    let trusting = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap();
    let request = trusting.get(format!("{}/private", running.url));
    let answer = request.bearer_auth(key.token(&claims_now(&issuer.url))).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);

    let plain = running.url.replace("https:", "http:");
    assert!(trusting.get(format!("{plain}/public")).send().await.is_err());
}

#[test]
fn a_certificate_that_is_not_there_is_named() {
    let arguments = ["--issuer", "https://issuer.test", "--audience", "urn:a"];
    let tls = ["--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"];
    let output = program(&[arguments, tls].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("/nowhere/cert.pem"), "{}", stderr(&output));
}

#[tokio::test]
async fn it_counts_what_it_does() {
    let key = TestKey::p256("first");
    let issuer = FakeIssuer::start(&[&key]).await;
    let running = Running::start(&issuer.url, &[]);
    let token = key.token(&claims_now(&issuer.url));
    for _ in 0..3 {
        assert_eq!(running.private(&token).await, StatusCode::OK);
    }
    assert_eq!(running.private("garbage").await, StatusCode::UNAUTHORIZED);
    let figures = running.text("/metrics").await;
    for line in [
        r#"private_api_requests_total{route="/private",status="200"} 3"#,
        r#"private_api_requests_total{route="/private",status="401"} 1"#,
        r#"private_api_verdicts_total{by="signature"} 1"#,
        r#"private_api_verdicts_total{by="memory"} 2"#,
        r#"private_api_refusals_total{error="invalid_token"} 1"#,
        r#"private_api_request_duration_seconds_count{route="/private"} 4"#,
        r#"outcome="good"} 1"#,
    ] {
        assert!(figures.contains(line), "{line} is not in\n{figures}");
    }
}

#[tokio::test]
async fn its_log_can_be_json_with_the_id_of_the_request() {
    let issuer = FakeIssuer::start(&[&TestKey::p256("first")]).await;
    let running = Running::start(&issuer.url, &["--log-format", "json", "--log", "debug"]);
    assert_eq!(running.private("garbage").await, StatusCode::UNAUTHORIZED);
    let (_, log) = running.end(Signal::TERM);
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let answered = |line: &Value| line["fields"]["message"] == "answered";
    let line = lines.into_iter().find(answered).unwrap();
    assert_eq!(line["fields"]["status"], 401);
    assert_eq!(line["span"]["path"], "/private");
    assert!(line["span"]["id"].as_str().unwrap().len() > 16);
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
