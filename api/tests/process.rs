//! The program itself: its settings, its first line, its log and its end.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::issuer::FakeIssuer;
use support::keys::TestKey;
use support::{AUDIENCE, claims, with};

/// The program, without anything of this test's own environment.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_private-api"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// A running program; it is killed if a test fails.
struct Running {
    child: Child,
    url: String,
    /// Read all the time, or a full pipe would stop the program.
    log: Option<JoinHandle<String>>,
}

impl Running {
    fn start(issuer: &str, more: &[&str]) -> Self {
        let mut command =
            program(&["--issuer", issuer, "--audience", AUDIENCE, "--listen", "127.0.0.1:0"]);
        command.args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.strip_prefix("private-api listening on ").unwrap().trim_end().to_owned();
        let stderr = child.stderr.take().unwrap();
        let log = Some(thread::spawn(|| std::io::read_to_string(stderr).unwrap()));
        Self { child, url, log }
    }

    async fn private(&self, token: &str) -> StatusCode {
        self.get("/private", token).await
    }

    async fn get(&self, path: &str, token: &str) -> StatusCode {
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let request = client.get(format!("{}{path}", self.url)).bearer_auth(token);
        request.send().await.unwrap().status()
    }

    /// Ends it as a supervisor would; gives its exit status and what it logged.
    fn end(mut self, signal: Signal) -> (ExitStatus, String) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
        let status = self.child.wait().unwrap();
        (status, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Claims that are good now, by the machine's clock.
fn claims_now(issuer: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    with(claims(issuer), &json!({ "iat": now - 60, "exp": now + 600 }))
}

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

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
