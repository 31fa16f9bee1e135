//! Other ways in at the certified `oidc-provider`: devices, registration, and services.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::world::{API, Session};

impl Session {
    fn config(&self) -> String {
        std::fs::read_to_string(self.path("home/.config/authbroker/config.toml")).unwrap()
    }

    fn write_private(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider, playwright-core and chromium: ./test.sh runs it"]
async fn a_code_typed_at_oidc_provider_signs_a_person_in_here() {
    let session = Session::without_bus();
    let (_provider, issuer) = session.oidc_provider("RS256", &[]).await;
    session.configure(&issuer, "memory");
    let _broker = session.brokerd().await;

    let mut login = session.start_brokerctl(&["login", "--device"]).await;
    let (address, code) = (login.line().await, login.line().await);
    assert_eq!(address, format!("{issuer}/device"));
    let page = session.browse_with_code(&address, &code).await;
    assert_eq!(page["steps"], json!(["code", "same code", "sign-in", "consent"]), "{page}");
    assert_eq!(page["title"], "Sign-in Success", "{page}");
    let id = login.line().await;
    assert!(login.ended().await.success());

    let accounts = session.brokerctl(&["accounts", "--json"]).await.json();
    assert_eq!((&accounts[0]["id"], &accounts[0]["subject"]), (&json!(id), &json!("erin")));
    let token = session.brokerctl(&["token", "--json"]).await.json();
    assert_eq!((&token["resource"], &token["scopes"]), (&json!([API]), &json!(["messages.read"])));
    let renewed = session.brokerctl(&["token", "--force"]).await.good();
    assert_ne!(token["access_token"], renewed, "it has a refresh token, and that works");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider, playwright-core and chromium: ./test.sh runs it"]
async fn a_code_for_tokens_that_are_bound_to_a_key_works_with_nonces() {
    let session = Session::without_bus();
    let (_provider, issuer) = session.oidc_provider("ES256", &["bound"]).await;
    session.configure(&issuer, "memory");
    session.add_to_configuration("[vault]", "flow = \"device\"\ndpop = \"always\"\n[vault]");
    let _broker = session.brokerd().await;
    let mut login = session.start_brokerctl(&["login"]).await;
    let (address, code) = (login.line().await, login.line().await);
    session.browse_with_code(&address, &code).await;
    let errors = login.errors();
    assert!(login.ended().await.success(), "{errors}");
    let token = session.brokerctl(&["token", "--force", "--json"]).await.json();
    assert_eq!(token["token_type"], "DPoP");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider, playwright-core and chromium: ./test.sh runs it"]
async fn oidc_provider_registers_a_client_that_people_sign_in_with() {
    let session = Session::without_bus();
    let (_provider, issuer) = session.oidc_provider("RS256", &["registration"]).await;
    let config = session.path("home/.config/authbroker/config.toml");
    std::fs::write(config, "# Mine.\n[vault]\nkey = \"memory\"\n").unwrap();
    let _broker = session.brokerd().await;

    let register = ["provider", "register", &issuer, "--name", "work"];
    let more = ["--resource", API, "--scope", "messages.read"];
    let registered = session.brokerctl(&[&register[..], &more].concat()).await;
    assert!(registered.stderr.contains("taken it up"), "{registered:?}");
    assert_eq!(registered.good(), "work");
    assert!(session.config().starts_with("# Mine.\n[vault]\n"), "{}", session.config());

    let kept = session.path("home/.local/state/authbroker/registrations/work.json");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let kept: Value = serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap();
    assert!(kept["registration_access_token"].is_string(), "{kept}");
    let address = kept["registration_client_uri"].as_str().unwrap();
    assert!(address.starts_with(&issuer), "{address}");

    let checked = session.brokerctl(&["provider", "check", "work", "--json"]).await.json();
    assert_eq!(checked[0]["usable"], true, "{checked}");

    let mut login = session.start_brokerctl(&["login", "work", "--no-browser"]).await;
    session.browse(&login.line().await).await;
    assert!(login.line().await.starts_with("work-"));
    assert!(login.ended().await.success());
    session.brokerctl(&["token", "--force"]).await.good();

    // The browser comes back after the sign-out, too: that address was registered as well.
    let logout = session.brokerctl(&["logout", "--no-browser"]).await.good();
    let page = session.browse(&logout).await;
    assert_eq!(page["steps"], json!(["sign-out"]), "{page}");
    assert!(page["address"].as_str().unwrap().contains("/signed-out"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider: ./test.sh runs it"]
async fn a_provider_that_wants_leave_registers_only_who_has_it() {
    let session = Session::without_bus();
    let (_provider, issuer) = session.oidc_provider("RS256", &["leave"]).await;
    let refused = session.brokerctl(&["provider", "register", &issuer]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("hint: ask the provider for an initial access token"));
    assert!(!session.path("home/.config/authbroker/config.toml").exists());

    let leave = session.write_private("leave", "leave-to-register\n");
    let arguments = ["provider", "register", &issuer, "--initial-access-token", &leave];
    assert_eq!(session.brokerctl(&arguments).await.good(), "local");
    assert!(!session.config().contains("leave-to-register"));
}

/// A service at oidc-provider gets a token, and another one.
async fn a_service_proves_itself(method: &str, member: &str, secret: Option<&str>) {
    let session = Session::without_bus();
    let (_provider, issuer) = session.oidc_provider("RS256", &[]).await;
    let file = match secret {
        Some(secret) => session.write_private("secret", secret),
        None => session.path("node/service.pem").display().to_string(),
    };
    session.configure(&issuer, "memory");
    session.add_to_configuration(
        "client_id = \"desktop-broker\"",
        &format!(
            "client_id = \"service:{method}\"\nflow = \"client_credentials\"\n\
         client_auth = {{ method = \"{method}\", {member} = {file:?} }}"
        ),
    );
    let people = "[\"openid\", \"profile\", \"email\", \"offline_access\", \"messages.read\"]";
    session.add_to_configuration(people, "[\"messages.read\"]");
    let _broker = session.brokerd().await;
    let token = session.brokerctl(&["token", "--json"]).await.json();
    assert_eq!((&token["resource"], &token["scopes"]), (&json!([API]), &json!(["messages.read"])));
    let other = session.brokerctl(&["token", "--force"]).await.good();
    assert_ne!(token["access_token"], other);
}

/// Whatever a form encodes, and what some encode in another way. (This provider takes no letters
/// beyond ASCII; the development issuer does.)
const ODD: &str = ":%+ &=~\"";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider: ./test.sh runs it"]
async fn a_secret_of_odd_characters_arrives_in_the_header_as_it_is() {
    a_service_proves_itself("client_secret_basic", "file", Some(ODD)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider: ./test.sh runs it"]
async fn a_secret_of_odd_characters_arrives_in_the_body_as_it_is() {
    a_service_proves_itself("client_secret_post", "file", Some(ODD)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider: ./test.sh runs it"]
async fn a_service_that_signs_is_believed() {
    a_service_proves_itself("private_key_jwt", "key_file", None).await;
}
