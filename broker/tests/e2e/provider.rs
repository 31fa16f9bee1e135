//! `brokerctl provider`: adding, registering, listing and checking, without a daemon and with one.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use dev_issuer::{Issuer, Offer, Options, Switch};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stand::{Ran, Stand, run, tool};

/// A person's folder with a configuration, and no daemon.
struct Bare(TempDir);

impl Bare {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        Self(folder)
    }

    async fn provider<const N: usize>(&self, args: [&str; N]) -> Ran {
        let mut command = tool();
        command.arg("provider").args(args);
        for (option, name) in
            [("--config", "config.toml"), ("--runtime-dir", "run"), ("--state-dir", "state")]
        {
            command.arg(option).arg(self.0.path().join(name));
        }
        run(&mut command).await
    }

    fn config(&self) -> String {
        std::fs::read_to_string(self.0.path().join("config.toml")).unwrap()
    }
}

/// The findings about one thing, in `check --json` of one provider.
fn finding<'a>(document: &'a Value, about: &str) -> &'a Value {
    let findings = document["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["about"] == about).unwrap()
}

/// Asserts what `check` says of a problem, and that it fails.
async fn has_problem(bare: &Bare, about: &str, words: &str, cure: &str) {
    let ran = bare.provider(["check", "--json"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let document = &ran.json()[0];
    assert_eq!(document["usable"], false);
    let finding = finding(document, about);
    assert_eq!(finding["grade"], "problem", "{finding}");
    assert!(finding["text"].as_str().unwrap().contains(words), "{finding}");
    assert!(finding["hint"].as_str().unwrap().contains(cure), "{finding}");
}

fn entry(issuer: &str, more: &str) -> String {
    format!("[provider.dev]\nissuer = {issuer:?}\nclient_id = \"desktop-broker\"\n{more}\n")
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_provider_is_added_below_what_a_person_wrote_and_works_at_once() {
    let stand = Stand::new().await;
    let before =
        format!("# Mine.\n[vault] # here\nkey = \"file:{}\"\n", stand.path("key").display());
    std::fs::write(stand.path("config.toml"), &before).unwrap();
    let issuer = stand.issuer.url().to_owned();
    let ran = stand
        .ctl(["provider", "add", &issuer, "--client-id", "desktop-broker", "--name", "work"])
        .await;
    assert_eq!(ran.line(), "work");
    assert!(ran.err.contains("The running broker has taken it up."), "{ran:?}");
    assert!(ran.err.ends_with("Next: brokerctl login work\n"), "{ran:?}");
    let text = std::fs::read_to_string(stand.path("config.toml")).unwrap();
    assert!(text.starts_with(&before), "{text}");
    assert!(stand.sign_in("alice").await.starts_with("work-"));
}

#[tokio::test]
async fn an_entry_has_what_was_asked_for_and_a_name_of_its_own_is_found() {
    let issuer = Issuer::start(Options::default()).await.unwrap();
    let bare = Bare::new("");
    let url = issuer.url();
    let ran = bare
        .provider([
            "add",
            url,
            "--client-id",
            "c",
            "--scope",
            "mail.read",
            "--resource",
            "urn:a",
            "--port",
            "8400",
            "--flow",
            "device",
        ])
        .await;
    assert_eq!(ran.line(), "local");
    assert!(ran.err.contains("No broker is running"), "{ran:?}");
    let text = bare.config();
    for line in [
        "scopes = [\"openid\", \"profile\", \"email\", \"offline_access\", \"mail.read\"]",
        "resources = [\"urn:a\"]",
        "flow = \"device\"",
        "redirect = { ports = [8400] }",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let again = bare.provider(["add", url, "--client-id", "c"]).await;
    again.assert_fails(2, "has a provider local already", "--name");
    assert_eq!(bare.config(), text);
}

#[tokio::test]
async fn nothing_is_added_that_is_no_provider() {
    let issuer = Issuer::start(Options::default()).await.unwrap();
    let bare = Bare::new("# Mine.\n");
    let other = format!("{}/", issuer.url());
    let ran = bare.provider(["add", &other, "--client-id", "c", "--name", "a"]).await;
    ran.assert_fails(1, "names another issuer", "letter for letter");
    let ran = bare.provider(["add", "http://a.example", "--client-id", "c"]).await;
    ran.assert_fails(2, "must begin with https://", "provider add --help");
    let ran = bare.provider(["add", "https://1.2.3.4", "--client-id", "c", "--name", "No"]).await;
    ran.assert_fails(2, "is not a provider name", "provider add --help");
    assert_eq!(bare.config(), "# Mine.\n");
}

#[tokio::test]
async fn a_client_that_has_a_secret_is_added_with_the_place_of_it() {
    let issuer = Issuer::start(Options::default()).await.unwrap();
    let bare = Bare::new("");
    let file = bare.0.path().join("secret");
    std::fs::write(&file, "web-app-secret").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let file = file.to_str().unwrap();
    let args = ["add", issuer.url(), "--client-id", "web-app", "--secret-file", file];
    let ran = bare.provider(args).await;
    assert!(ran.err.contains("mode 0644"), "what is wrong with it is told: {ran:?}");
    assert!(ran.err.contains("Next: do what stands beside each problem"), "{ran:?}");
    let line = format!("client_auth = {{ method = \"client_secret_basic\", file = \"{file}\" }}");
    assert!(bare.config().contains(&line), "{}", bare.config());
    has_problem(&bare, "client", "mode 0644", "client_auth").await;
}

#[tokio::test]
async fn a_provider_registers_a_client_that_people_can_sign_in_with() {
    let options = Options { registration: Switch::On, ..Options::default() };
    let stand = Stand::with(options).await;
    std::fs::write(
        stand.path("config.toml"),
        format!("[vault]\nkey = \"file:{}\"\n", stand.path("key").display()),
    )
    .unwrap();
    let issuer = stand.issuer.url().to_owned();
    let ran = stand.ctl(["provider", "register", &issuer, "--name", "work", "--json"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let client_id = ran.json()["client_id"].as_str().unwrap().to_owned();

    let text = std::fs::read_to_string(stand.path("config.toml")).unwrap();
    assert!(text.contains(&format!("client_id = \"{client_id}\"")), "{text}");
    assert!(text.contains("post_logout_path = \"/signed-out\""), "{text}");
    let kept = stand.path("state/registrations/work.json");
    assert!(text.contains(kept.to_str().unwrap()), "{text}");
    assert_eq!((mode(&kept), mode(kept.parent().unwrap())), (0o600, 0o700));
    let kept: Value = serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap();
    assert_eq!((&kept["client_id"], &kept["issuer"]), (&json!(client_id), &json!(issuer)));
    let token = kept["registration_access_token"].as_str().unwrap();
    assert!(!text.contains(token) && !ran.out.contains(token) && !ran.err.contains(token));

    // The registration is what the standard asks of a native app (RFC 7591 §2, RFC 8252 §8.5).
    let there = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let there = there.get(kept["registration_client_uri"].as_str().unwrap()).bearer_auth(token);
    let there: Value = there.send().await.unwrap().json().await.unwrap();
    assert_eq!(there["application_type"], "native");
    assert_eq!(there["token_endpoint_auth_method"], "none");
    assert_eq!(there["redirect_uris"], json!(["http://127.0.0.1/callback"]));
    assert_eq!(there["post_logout_redirect_uris"], json!(["http://127.0.0.1/signed-out"]));
    let grants = there["grant_types"].as_array().unwrap();
    assert!(grants.contains(&json!("urn:ietf:params:oauth:grant-type:device_code")), "{there}");

    assert!(stand.sign_in("alice").await.starts_with("work-"));
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    assert_eq!(stand.ctl(["logout", "--no-browser"]).await.code, 0);
}

#[tokio::test]
async fn a_provider_that_registers_nobody_says_what_to_do_instead() {
    let issuer = Issuer::start(Options::default()).await.unwrap();
    let bare = Bare::new("");
    let ran = bare.provider(["register", issuer.url()]).await;
    ran.assert_fails(1, "does not register clients by itself", "provider add");
    assert_eq!(bare.config(), "");
    assert!(!bare.0.path().join("state").exists());
}

#[tokio::test]
async fn a_name_that_is_taken_is_found_before_anything_is_registered() {
    let options = Options { registration: Switch::On, ..Options::default() };
    let issuer = Issuer::start(options).await.unwrap();
    let bare = Bare::new(&entry(issuer.url(), ""));
    let ran = bare.provider(["register", issuer.url(), "--name", "dev"]).await;
    ran.assert_fails(2, "has a provider dev already", "--name");
    assert!(issuer.requests().is_empty(), "the provider was not even asked");
}

#[tokio::test]
async fn providers_are_listed_without_a_broker_and_counted_with_one() {
    let bare = Bare::new(&entry("https://login.acme.example", "flow = \"device\""));
    let listed = bare.provider(["list", "--json"]).await.json();
    let expected = json!([{
        "provider": "dev", "issuer": "https://login.acme.example", "client_id": "desktop-broker",
        "flow": "device", "accounts": null, "client_secret_expires_at": null,
    }]);
    assert_eq!(listed, expected);
    let stand = Stand::signed_in().await;
    let listed = stand.ctl(["provider", "list"]).await;
    let line = format!("dev\t{}\tdesktop-broker\tbrowser\t1\t", stand.issuer.url());
    assert_eq!(listed.out.trim_end_matches('\n'), line);
}

#[tokio::test]
async fn a_good_provider_is_found_good() {
    let issuer = Issuer::start(Options::default()).await.unwrap();
    let bare = Bare::new(&entry(issuer.url(), ""));
    let ran = bare.provider(["check"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("dev (http://127.0.0.1:"), "{ran:?}");
    assert!(!ran.out.contains("problem"), "{ran:?}");
    let document = &bare.provider(["check", "dev", "--json"]).await.json()[0];
    assert_eq!(document["usable"], true);
    assert_eq!(finding(document, "clock")["grade"], "ok");
    assert_eq!(finding(document, "PKCE")["text"], "S256");
    assert_eq!(issuer.requests().iter().filter(|request| request.method != "GET").count(), 0);
    bare.provider(["check", "other"]).await.assert_fails(2, "no provider other", "provider list");
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_with_what_helps() {
    let options = Options { device: Switch::Off, par: Offer::Off, ..Options::default() };
    let issuer = Issuer::start(options).await.unwrap();
    for (more, about, words, cure) in [
        ("flow = \"device\"", "sign-in", "device sign-in", "brokerctl login dev"),
        ("par = \"always\"", "pushed requests", "par is always", "check par"),
        (
            "client_auth = { method = \"client_secret_post\", file = \"/nonexistent\" }",
            "client",
            "cannot be read",
            "client_auth",
        ),
    ] {
        has_problem(&Bare::new(&entry(issuer.url(), more)), about, words, cure).await;
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    has_problem(&Bare::new(&entry(&dead, "")), "metadata", "cannot be reached", "network").await;
    let ran = Bare::new(&entry(&dead, "")).provider(["check"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("hint: do what stands beside each problem"), "{ran:?}");
}
