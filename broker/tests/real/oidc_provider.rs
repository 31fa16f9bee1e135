//! A provider that nobody here wrote, the certified `oidc-provider`, and a real Chromium at it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use private_api::auth::Verifier;
use private_api::routes::{Api, router};
use private_api::verify::Rules;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::world::{API, Running, Session, program, run};

impl Session {
    /// Starts the provider; gives it and its issuer identifier.
    pub(crate) async fn oidc_provider(
        &self,
        id_token_alg: &str,
        words: &[&str],
    ) -> (Running, String) {
        let mut command = self.node("provider.mjs");
        command.args([id_token_alg, API]).args(words);
        let mut provider = self.start_program("provider", command).await;
        let issuer = provider.line().await;
        (provider, issuer)
    }

    /// Goes to an address with Chromium and answers every page as Erin; gives the last one.
    pub(crate) async fn browse(&self, address: &str) -> Value {
        let mut command = self.node("browser.mjs");
        command.env("CHROMIUM", program("chromium"));
        command.arg(self.path("chromium")).args([address, "erin"]);
        run(command).await.json()
    }

    /// The same where a device's code is typed.
    pub(crate) async fn browse_with_code(&self, address: &str, code: &str) -> Value {
        let mut command = self.node("browser.mjs");
        command.env("CHROMIUM", program("chromium"));
        command.arg(self.path("chromium")).args([address, "erin", code]);
        run(command).await.json()
    }
}

/// The API, as it runs beside its issuer.
async fn private_api(issuer: &str) -> String {
    let _already = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let rules = Rules::new(issuer.parse().unwrap(), API.parse().unwrap());
    let mut api = Api::new(Arc::new(Verifier::new(rules).unwrap()));
    api.required_scope = Some("messages.read".parse().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(private_api::server::serve(listener, router(api), std::future::pending()));
    url
}

/// Calls the API with a token.
async fn call(api: &str, token: &str) -> (u16, String) {
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let answer = http.get(format!("{api}/private")).bearer_auth(token).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn part(token: &str, index: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// A whole life of a sign-in, with ID tokens signed by `id_token_alg`.
async fn sign_in_renew_and_sign_out(id_token_alg: &str) {
    let session = Session::without_bus();
    let (_provider, issuer) = session.oidc_provider(id_token_alg, &[]).await;
    session.configure(&issuer, "memory");
    let _broker = session.brokerd().await;

    let mut login = session.start_brokerctl(&["login", "--no-browser"]).await;
    let page = session.browse(&login.line().await).await;
    assert_eq!(page["steps"], json!(["sign-in", "consent"]), "{page}");
    assert!(page["text"].as_str().unwrap().contains("erin Example"), "{page}");
    assert!(!page["address"].as_str().unwrap().contains("code="), "{page}");
    assert_eq!(page["complaints"], json!([]), "{page}");
    let id = login.line().await;
    assert!(login.ended().await.success());

    let accounts = session.brokerctl(&["accounts", "--json"]).await.json();
    let account = accounts[0].as_object().unwrap();
    assert_eq!((account["id"].as_str(), account["state"].as_str()), (Some(&*id), Some("ready")));
    assert_eq!(
        (account["issuer"].as_str(), account["subject"].as_str()),
        (Some(&*issuer), Some("erin"))
    );

    let api = private_api(&issuer).await;
    let mut tokens = vec![session.brokerctl(&["token"]).await.good()];
    for _ in 0..2 {
        tokens.push(session.brokerctl(&["token", "--force"]).await.good());
    }
    for token in &tokens {
        assert_eq!(part(token, 0)["typ"], "at+jwt");
        assert_eq!(part(token, 1)["aud"], API);
        let message = "Only authenticated users can read this message.".to_owned();
        assert_eq!(call(&api, token).await, (200, message));
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 3, "each renewal gave another token");
    assert_eq!(session.brokerctl(&["token"]).await.good(), tokens[2], "the last one is kept");

    let logout = session.brokerctl(&["logout", "--no-browser"]).await;
    assert!(logout.stderr.contains("the provider revoked the tokens"), "{logout:?}");
    let page = session.browse(&logout.good()).await;
    assert_eq!(
        (&page["steps"], &page["title"]),
        (&json!(["sign-out"]), &json!("Sign-out Success"))
    );
    assert_eq!(session.brokerctl(&["accounts", "--json"]).await.json(), json!([]));
    let refused = session.brokerctl(&["token"]).await;
    assert_eq!(refused.code, 3, "{refused:?}");

    // The session in the browser is gone, too: the next sign-in asks who it is.
    let mut login = session.start_brokerctl(&["login", "--no-browser"]).await;
    let page = session.browse(&login.line().await).await;
    assert_eq!(page["steps"], json!(["sign-in", "consent"]), "{page}");
    assert_eq!(login.line().await, id, "the same person is the same account");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider, playwright-core and chromium: ./test.sh runs it"]
async fn a_sign_in_at_oidc_provider_lives_from_login_to_logout() {
    sign_in_renew_and_sign_out("RS256").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider, playwright-core and chromium: ./test.sh runs it"]
async fn the_same_with_id_tokens_on_elliptic_curves() {
    sign_in_renew_and_sign_out("ES256").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider, playwright-core and chromium: ./test.sh runs it"]
async fn the_same_with_id_tokens_on_edwards_curves() {
    sign_in_renew_and_sign_out("EdDSA").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider, playwright-core and chromium: ./test.sh runs it"]
async fn a_provider_that_wants_pushed_requests_and_proofs_with_nonces_is_satisfied() {
    let session = Session::without_bus();
    let (_provider, issuer) = session.oidc_provider("ES256", &["par", "bound"]).await;
    let api = private_api(&issuer).await;
    session.configure(&issuer, "memory");
    session.add_to_configuration("[vault]", "dpop = \"always\"\n[vault]");
    let origins = format!("[resource.{API:?}]\norigins = [{api:?}]\n[vault]");
    session.add_to_configuration("[vault]", &origins);
    let _broker = session.brokerd().await;

    let mut login = session.start_brokerctl(&["login", "--no-browser"]).await;
    let address = login.line().await;
    assert!(address.contains("request_uri=") && !address.contains("state="), "{address}");
    session.browse(&address).await;
    let errors = login.errors();
    assert!(login.ended().await.success(), "{errors}");

    let private = format!("{api}/private");
    for force in [false, true] {
        if force {
            session.brokerctl(&["token", "--force"]).await.good();
        }
        let headers = session.brokerctl(&["headers", "GET", &private, "--json"]).await.json();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let mut request = http.get(&private);
        for (name, value) in headers["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{headers}");
        assert_eq!(headers["token_type"], "DPoP");
    }
    let bare = session.brokerctl(&["token"]).await.good();
    assert_eq!(call(&api, &bare).await.0, 401, "without its proof it is worth nothing");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider, playwright-core and chromium: ./test.sh runs it"]
async fn an_api_that_the_provider_does_not_know_is_refused_in_its_words() {
    let session = Session::without_bus();
    let (_provider, issuer) = session.oidc_provider("RS256", &[]).await;
    session.configure(&issuer, "memory");
    let _broker = session.brokerd().await;
    let arguments = ["login", "--no-browser", "--resource", "https://unknown.example"];
    let mut login = session.start_brokerctl(&arguments).await;
    let page = session.browse(&login.line().await).await;
    assert!(page["text"].as_str().unwrap().contains("invalid_target"), "{page}");
    let errors = login.errors();
    assert_eq!(login.ended().await.code(), Some(2), "{errors}");
}
