//! `brokerctl credential`, in the words of the tools that call it. `tests/real` has the tools.

use std::os::unix::fs::symlink;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use dev_issuer::Options;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::stand::{RESOURCE, Ran, Stand, claims};

/// A git server, and a registry on this machine.
const SERVERS: &str = "[credential.\"git.acme.example\"]\nscopes = [\"messages.read\"]\n\
                       [credential.\"http://localhost:5000\"]\naccount = \"dev\"\nusername = \"token\"";

const AT_ACME: &str = "protocol=https\nhost=git.acme.example\n\n";

async fn stand() -> Stand {
    let stand = Stand::configured(Options::default(), SERVERS).await;
    stand.sign_in("alice").await;
    stand
}

impl Stand {
    async fn git(&self, operation: &str, input: &str) -> Ran {
        self.ctl_with(["credential", "git", operation], input).await
    }
}

#[tokio::test]
async fn git_gets_a_name_a_token_and_its_end() {
    let stand = stand().await;
    let ran = stand.git("get", AT_ACME).await;
    let lines: Vec<_> = ran.line().lines().map(|line| line.split_once('=').unwrap()).collect();
    let [("username", "oauth2"), ("password", token), ("password_expiry_utc", end)] = lines[..]
    else {
        panic!("{ran:?}")
    };
    let claims = claims(token);
    assert_eq!(claims["exp"].to_string(), end);
    assert_eq!(claims["scope"], "messages.read");
}

#[tokio::test]
async fn git_that_knows_bearer_tokens_gets_one_where_the_server_wants_it() {
    let servers = "[credential.\"git.acme.example\"]\nscheme = \"bearer\"";
    let stand = Stand::configured(Options::default(), servers).await;
    stand.sign_in("alice").await;
    let new = stand.git("get", &format!("capability[]=authtype\n{AT_ACME}")).await;
    let expected = "capability[]=authtype\nauthtype=Bearer\ncredential=ey";
    assert!(new.line().starts_with(expected), "{new:?}");
    assert!(new.out.contains("\nephemeral=1\n"), "{new:?}");
    let old = stand.git("get", AT_ACME).await;
    assert!(old.line().starts_with("username=oauth2\npassword=ey"), "{old:?}");
}

#[tokio::test]
async fn what_is_not_ours_git_asks_somebody_else_for() {
    let stand = stand().await;
    for other in [
        "protocol=https\nhost=git.other.example\n\n",
        "protocol=http\nhost=git.acme.example\n\n",
        "protocol=https\nhost=git.acme.example:8443\n\n",
        "protocol=https\nhost=git.acme.example\nusername=bob\n\n",
        "",
    ] {
        let ran = stand.git("get", other).await;
        assert_eq!((ran.line(), ran.err.as_str()), ("", ""), "{other}");
    }
    for operation in ["store", "erase", "whatever-comes"] {
        assert_eq!(stand.git(operation, AT_ACME).await.line(), "");
    }
}

#[tokio::test]
async fn git_does_not_ask_for_a_password_that_would_not_help() {
    let stand = Stand::configured(Options::default(), SERVERS).await;
    let ran = stand.git("get", AT_ACME).await;
    ran.assert_says(3, "", "brokerctl login dev");
    assert_eq!(ran.out, "quit=1\n");
}

#[tokio::test]
async fn a_token_that_git_was_refused_with_is_renewed_once() {
    let stand = stand().await;
    let given = stand.git("get", AT_ACME).await;
    let erase = format!("protocol=https\nhost=git.acme.example\n{}", given.out);
    let renewed = stand.grants("refresh_token");
    assert_eq!(stand.git("erase", &erase).await.line(), "");
    assert_eq!(stand.grants("refresh_token"), renewed + 1);
    assert_ne!(stand.git("get", AT_ACME).await.out, given.out);
    // By now it is an old one, whose refusal says nothing.
    assert_eq!(stand.git("erase", &erase).await.line(), "");
    assert_eq!(stand.grants("refresh_token"), renewed + 1);
}

#[tokio::test]
async fn docker_finds_its_helper_by_a_link() {
    let stand = stand().await;
    let helper = stand.path("docker-credential-authbroker");
    symlink(env!("CARGO_BIN_EXE_brokerctl"), &helper).unwrap();
    let docker = async |operation: &str, input: &str| {
        let input = input.to_owned();
        stand.program_with(&helper, &[operation], &input).await
    };
    let given = docker("get", "localhost:5000\n").await.json();
    assert_eq!(
        (&given["ServerURL"], &given["Username"]),
        (&json!("localhost:5000"), &json!("token"))
    );
    assert_eq!(claims(given["Secret"].as_str().unwrap())["aud"], RESOURCE);
    let listed = docker("list", "").await.json();
    assert_eq!(
        listed,
        json!({"http://localhost:5000": "token", "https://git.acme.example": "oauth2"})
    );
    let ours = json!({"ServerURL": "localhost:5000", "Username": "token", "Secret": "s"});
    assert_eq!(docker("store", &ours.to_string()).await.line(), "");
    assert_eq!(docker("erase", "localhost:5000").await.line(), "");
}

#[tokio::test]
async fn docker_reads_on_standard_output_why_there_is_nothing() {
    let stand = Stand::configured(Options::default(), SERVERS).await;
    let unknown = stand.ctl_with(["credential", "docker", "get"], "registry.example").await;
    unknown.assert_says(3, "no account is configured for registry.example", "[credential.");
    // The words that docker looks for.
    assert_eq!(unknown.out, "credentials not found in native keychain\n");
    let signed_out = stand.ctl_with(["credential", "docker", "get"], "localhost:5000").await;
    signed_out.assert_says(3, "", "brokerctl login dev");
    assert!(signed_out.out.contains("brokerctl login dev"), "{signed_out:?}");
    let other = json!({"ServerURL": "registry.example", "Username": "u", "Secret": "hunter2"});
    let kept = stand.ctl_with(["credential", "docker", "store"], &other.to_string()).await;
    kept.assert_says(1, "passwords are not kept", "[credential.");
    assert!(!kept.out.contains("hunter2") && !kept.err.contains("hunter2"), "{kept:?}");
}

#[tokio::test]
async fn kubectl_gets_the_document_of_the_version_that_it_speaks() {
    let stand = stand().await;
    for (said, spoken) in [(None, "v1"), (Some("v1"), "v1"), (Some("v1beta1"), "v1beta1")] {
        let mut command = stand.ctl_command();
        command.args(["credential", "kubernetes", "dev", "--scope", "messages.read"]);
        command.env_remove("KUBERNETES_EXEC_INFO");
        if let Some(said) = said {
            command.env("KUBERNETES_EXEC_INFO", occasion(said).to_string());
        }
        let document = crate::stand::run(&mut command).await.json();
        assert_eq!(document["apiVersion"], format!("client.authentication.k8s.io/{spoken}"));
        assert_eq!(document["kind"], "ExecCredential");
        let claims = claims(document["status"]["token"].as_str().unwrap());
        let end: jiff::Timestamp =
            document["status"]["expirationTimestamp"].as_str().unwrap().parse().unwrap();
        assert_eq!(claims["exp"], end.as_second());
        assert_eq!(claims["scope"], "messages.read");
    }
    let mut command = stand.ctl_command();
    command.args(["credential", "kubernetes"]);
    command.env("KUBERNETES_EXEC_INFO", occasion("v2").to_string());
    crate::stand::run(&mut command).await.assert_fails(2, "neither", "");
}

fn occasion(version: &str) -> Value {
    json!({
        "apiVersion": format!("client.authentication.k8s.io/{version}"),
        "kind": "ExecCredential",
        "spec": {"interactive": false},
    })
}

/// What an STS was sent.
type Forms = Arc<Mutex<Vec<Vec<(String, String)>>>>;

/// An STS that gives keys for a token, or refuses.
async fn sts(answer: (StatusCode, &'static str)) -> (String, Forms) {
    let forms = Forms::default();
    let seen = forms.clone();
    let take = move |body: String| async move {
        let pairs = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        seen.lock().unwrap().push(pairs);
        answer
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, Router::new().route("/", post(take))).await });
    (address, forms)
}

const KEYS: &str = "<AssumeRoleWithWebIdentityResponse \
    xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult>\
    <Credentials><SessionToken>lent</SessionToken><SecretAccessKey>key</SecretAccessKey>\
    <Expiration>2026-12-01T10:00:00Z</Expiration><AccessKeyId>ASIA1</AccessKeyId></Credentials>\
    </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";

#[tokio::test]
async fn the_aws_tools_get_keys_that_a_token_was_exchanged_for() {
    let stand = stand().await;
    let (sts, forms) = sts((StatusCode::OK, KEYS)).await;
    let role = "arn:aws:iam::123456789012:role/reader";
    let ran = stand
        .ctl([
            "credential",
            "aws",
            "dev",
            "--role-arn",
            role,
            "--sts-endpoint",
            &sts,
            "--duration",
            "15m",
        ])
        .await;
    assert_eq!(
        ran.json(),
        json!({"Version": 1, "AccessKeyId": "ASIA1", "SecretAccessKey": "key",
               "SessionToken": "lent", "Expiration": "2026-12-01T10:00:00Z"})
    );
    let form = forms.lock().unwrap()[0].clone();
    let token = stand.ctl(["token", "dev"]).await;
    let expected = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", "authbroker"),
        ("WebIdentityToken", token.line()),
        ("DurationSeconds", "900"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(form, expected);
}

#[tokio::test]
async fn an_sts_that_refuses_is_quoted_and_nothing_is_sent_in_the_clear() {
    let stand = stand().await;
    let no = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized</Message>\
              </Error></ErrorResponse>";
    let (sts, _) = sts((StatusCode::FORBIDDEN, no)).await;
    let role = ["credential", "aws", "--role-arn", "arn:aws:iam::1:role/r", "--sts-endpoint"];
    let run = async |endpoint: &str| {
        let mut command = stand.ctl_command();
        crate::stand::run(command.args(role).arg(endpoint)).await
    };
    run(&sts).await.assert_fails(1, "AccessDenied: Not authorized", "trust policy");
    run("http://sts.example/").await.assert_fails(2, "is not sent to http://sts.example/", "https");
}

#[tokio::test]
async fn with_an_app_socket_alone_these_commands_are_one_app_among_others() {
    let places = format!("[resource.{RESOURCE:?}]\norigins = [\"https://api.example\"]\n{SERVERS}");
    let stand = Stand::configured(Options::default(), &places).await;
    stand.sign_in("alice").await;
    std::fs::remove_file(stand.path("run/admin.sock")).unwrap();
    let socket = stand.socket();
    let on_it = async |words: &[&str], input: &str| {
        let mut command = stand.ctl_command();
        // Where the other sockets would be is not even known, as in a container.
        command.env_remove("AUTHBROKER_RUNTIME_DIR").env("XDG_RUNTIME_DIR", "/nonexistent");
        command.env("AUTHBROKER_SOCKET", &socket).args(words);
        stand.feed(command, input).await
    };
    let token = on_it(&["token"], "").await;
    assert_eq!(on_it(&["exec", "--", "printenv", "ACCESS_TOKEN"], "").await.line(), token.line());
    let headers = on_it(&["headers", "GET", "https://api.example/"], "").await;
    assert!(headers.line().contains(token.line()), "{headers:?}");
    assert!(on_it(&["whoami"], "").await.line().contains("level"));
    assert!(on_it(&["credential", "git", "get"], AT_ACME).await.out.contains("password=ey"));
    assert_eq!(on_it(&["credential", "kubernetes"], "").await.json()["kind"], "ExecCredential");
    assert_eq!(on_it(&["status"], "").await.code, 6, "that one is for the broker's own user");
}
