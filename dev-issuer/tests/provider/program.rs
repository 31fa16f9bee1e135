//! The `dev-issuer` program itself.

use std::fs;
use std::process::Stdio;

use dev_issuer::user_agent::UserAgent;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::keys::ClientKey;
use crate::stand::{Answer, client, soon};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dev-issuer"));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

/// Starts the program and reads its first line.
async fn started(arguments: &[&str]) -> (Child, String) {
    let mut child = program().args(arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = soon(lines.next_line()).await.unwrap().unwrap();
    (child, line)
}

#[tokio::test]
async fn the_first_line_is_the_issuers_url() {
    let (_child, url) = started(&["--access-ttl", "5s", "--client-id", "other"]).await;
    let visit = UserAgent::new().unwrap();
    let visit = visit.visit(&format!("{url}/.well-known/openid-configuration")).await.unwrap();
    assert!(visit.text.contains(&format!("\"issuer\":\"{url}\"")));
}

#[tokio::test]
async fn a_fault_can_be_named_on_the_command_line() {
    let (_child, url) = started(&["--fault", "jwks_500"]).await;
    let visit = UserAgent::new().unwrap().visit(&format!("{url}/jwks")).await.unwrap();
    assert_eq!(visit.status, 500);
}

/// The discovery document of a program that was started like this.
async fn discovered(arguments: &[&str]) -> Value {
    let (_child, url) = started(arguments).await;
    let address = format!("{url}/.well-known/openid-configuration");
    serde_json::from_str(&UserAgent::new().unwrap().visit(&address).await.unwrap().text).unwrap()
}

#[tokio::test]
async fn what_is_served_is_said_on_the_command_line() {
    let usual = discovered(&[]).await;
    assert_eq!(usual["require_pushed_authorization_requests"], false);
    assert!(usual["device_authorization_endpoint"].is_string());
    assert!(usual["dpop_signing_alg_values_supported"].is_null());
    assert!(usual["registration_endpoint"].is_null());

    let arguments = "--par required --dpop required --dpop-nonce --device off --registration on \
                     --token-exchange on --id-alg EdDSA --access-alg PS256";
    let strict = discovered(&arguments.split_whitespace().collect::<Vec<_>>()).await;
    assert_eq!(strict["require_pushed_authorization_requests"], true);
    assert!(strict["device_authorization_endpoint"].is_null());
    assert!(strict["dpop_signing_alg_values_supported"].is_array());
    assert!(strict["registration_endpoint"].is_string());
    assert!(strict["grant_types_supported"].to_string().contains("token-exchange"));
    assert_eq!(strict["id_token_signing_alg_values_supported"], json!(["EdDSA"]));
}

#[tokio::test]
async fn a_nonce_can_be_asked_for_and_the_interval_left_out() {
    let arguments = ["--dpop", "offered", "--dpop-nonce", "30s", "--device-interval", "none"];
    let (_child, url) = started(&arguments).await;
    let http = client();
    let form = [("client_id", "desktop-broker"), ("scope", "openid")];
    let codes = http.post(format!("{url}/device_authorization")).form(&form);
    assert!(Answer::of(codes).await.body["interval"].is_null());
    let token = http.post(format!("{url}/token")).form(&form);
    assert!(Answer::of(token).await.headers.contains_key("dpop-nonce"));
}

#[tokio::test]
async fn clients_with_secrets_and_keys_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("secret"), "from a file\n").unwrap();
    fs::write(path("jwks"), json!({ "keys": [ClientKey::p256().jwk()] }).to_string()).unwrap();
    let secret = format!("robot={}", path("secret"));
    let keys = format!("signer={}", path("jwks"));
    let arguments = ["--client-secret-file", &secret, "--client-keys", &keys];
    let (_child, url) = started(&arguments).await;
    let ask = |id: &str, secret: &str| {
        let request = client().post(format!("{url}/token")).basic_auth(id, Some(secret));
        Answer::of(request.form(&[("grant_type", "client_credentials")]))
    };
    assert_eq!(ask("robot", "from+a+file").await.status, 200);
    let signer = ask("signer", "a guess").await;
    assert!(signer.text("error_description").contains("signed assertion"), "{signer:?}");

    let bad = format!("signer={}", path("secret"));
    let output = program().args(["--client-keys", &bad]).stderr(Stdio::piped()).output();
    let output = soon(output).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("is no JSON"));
}

#[tokio::test]
async fn the_help_tells_the_accounts_and_the_faults() {
    let output = soon(program().arg("--help").output()).await.unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for words in ["alice (wonderland)", "What is served", "discovery_500", "RFC 9449"] {
        assert!(help.contains(words), "{words}: {help}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn either_signal_ends_it_cleanly() {
    use rustix::process::{Pid, Signal, kill_process};

    for signal in [Signal::TERM, Signal::INT] {
        let (mut child, _) = started(&[]).await;
        let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        assert!(soon(child.wait()).await.unwrap().success(), "{signal:?}");
    }
}

#[tokio::test]
async fn another_address_than_loopback_is_refused() {
    let status = soon(program().args(["--listen", "0.0.0.0:0"]).status()).await.unwrap();
    assert_eq!(status.code(), Some(1));
    let status = soon(program().args(["--access-ttl", "soon"]).status()).await.unwrap();
    assert_eq!(status.code(), Some(2));
}
