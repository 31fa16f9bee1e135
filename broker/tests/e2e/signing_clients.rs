//! Clients that prove themselves by a signature (`private_key_jwt`, RFC 7523).

use std::time::Duration;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dev_issuer::user_agent::{Consent, UserAgent};
use dev_issuer::{Client, ClientKeys, Options, Recorded};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use crate::stand::{Stand, claims};

/// A client's private key, as its file has it, and what the provider knows of it.
struct Key {
    pem: String,
    public: ClientKeys,
}

impl Key {
    fn of(der: &[u8], key: &EncodingKey, algorithm: Algorithm) -> Self {
        let _already = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let jwk = Jwk::from_encoding_key(key, algorithm).unwrap();
        Self { pem: pem(der), public: ClientKeys::parse(&json!({"keys": [jwk]})).unwrap() }
    }

    fn p256() -> Self {
        let random = SystemRandom::new();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EncodingKey::from_ec_der(document.as_ref());
        Self::of(document.as_ref(), &key, Algorithm::ES256)
    }

    fn ed25519() -> Self {
        // The form that OpenSSL writes.
        let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
        let key = EncodingKey::from_ed_der(document.as_ref());
        Self::of(document.as_ref(), &key, Algorithm::EdDSA)
    }

    fn rsa() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let document: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let key = EncodingKey::from_rsa_pem(pem(document.as_ref()).as_bytes()).unwrap();
        Self::of(document.as_ref(), &key, Algorithm::PS256)
    }
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

/// A stand whose client has this key, in a private file.
async fn stand(key: &Key, more: &str) -> Stand {
    let client = Client::with_keys("signer", "Signer", key.public.clone());
    let device_interval = Some(Duration::from_secs(1));
    let options = Options { clients: vec![client], device_interval, ..Options::default() };
    let stand = Stand::with(options).await;
    stand.write_private("client.pem", &key.pem);
    let file = stand.path("client.pem").display().to_string();
    let auth = format!("client_auth = {{ method = \"private_key_jwt\", key_file = {file:?} }}");
    stand.configure("signer", &format!("{auth}\n{more}"));
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    stand
}

/// Every request at which the client proves itself.
fn as_client(stand: &Stand) -> Vec<Recorded> {
    let paths = ["/token", "/revoke", "/par", "/device_authorization"];
    let asked = stand.issuer.requests().into_iter();
    asked.filter(|request| paths.contains(&request.path.as_str())).collect()
}

/// Asserts that each carried a signature and nothing else that proves anything.
fn each_was_signed(stand: &Stand, paths: &[&str]) {
    let asked = as_client(stand);
    assert_eq!(asked.iter().map(|request| request.path.as_str()).collect::<Vec<_>>(), paths);
    for request in &asked {
        let has = |name: &str| request.parameters.iter().any(|known| known == name);
        assert!(has("client_assertion") && has("client_assertion_type"), "{request:?}");
        assert!(!has("client_secret") && request.authorization.is_none(), "{request:?}");
        assert_eq!(request.status.map(|status| status / 100), Some(2), "{request:?}");
    }
}

async fn lives_through_a_whole_sign_in(key: &Key) {
    let stand = stand(key, "par = \"always\"").await;
    stand.sign_in("alice").await;
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    let ran = stand.ctl(["logout", "--no-browser"]).await;
    assert!(ran.err.contains("the provider revoked the tokens"), "{ran:?}");
    let revoked = as_client(&stand).iter().filter(|request| request.path == "/revoke").count();
    let mut paths = vec!["/par", "/token", "/token"];
    paths.extend(vec!["/revoke"; revoked]);
    each_was_signed(&stand, &paths);
    assert!(!stand.log().contains(key.pem.lines().nth(1).unwrap()), "the key is in no log");
}

#[tokio::test]
async fn a_client_with_a_key_on_p_256_signs_who_it_is_all_the_way() {
    lives_through_a_whole_sign_in(&Key::p256()).await;
}

#[tokio::test]
async fn a_client_with_a_key_on_an_edwards_curve_does_so_too() {
    lives_through_a_whole_sign_in(&Key::ed25519()).await;
}

#[tokio::test]
async fn a_client_with_an_rsa_key_does_so_too() {
    lives_through_a_whole_sign_in(&Key::rsa()).await;
}

#[tokio::test]
async fn a_device_signs_when_it_asks_for_its_code_and_at_each_poll() {
    let stand = stand(&Key::p256(), "flow = \"device\"").await;
    let mut login = stand.begin_login([]).await;
    let (page, code) = (login.url.clone(), login.line().await);
    let browser = UserAgent::new().unwrap();
    browser.answer_device(&page, &code, "alice", "wonderland", Consent::Allow).await.unwrap();
    assert_eq!(login.end().await.code, 0);
    let asked = as_client(&stand);
    assert_eq!(asked[0].path, "/device_authorization");
    let signed =
        |request: &Recorded| request.parameters.iter().any(|name| name == "client_assertion");
    assert!(asked.iter().all(signed), "{asked:?}");
}

#[tokio::test]
async fn a_service_signs_for_its_tokens() {
    let stand = stand(&Key::p256(), "flow = \"client_credentials\"").await;
    // Nobody is signed in, so there is nobody to ask about.
    let text = std::fs::read_to_string(stand.path("config.toml")).unwrap();
    let only = "scopes = [\"messages.read\"]";
    let lines = text.lines().map(|line| if line.starts_with("scopes") { only } else { line });
    std::fs::write(stand.path("config.toml"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    let token = stand.ctl(["token"]).await;
    assert_eq!(claims(token.line())["client_id"], "signer");
    each_was_signed(&stand, &["/token"]);
}

#[tokio::test]
async fn a_key_that_the_provider_does_not_know_is_refused_in_its_words() {
    let (known, other) = (Key::p256(), Key::p256());
    let stand = stand(&known, "").await;
    stand.write_private("client.pem", &other.pem);
    let login = stand.begin_login([]).await;
    login.browse("alice").await;
    login.end().await.assert_fails(1, "invalid_client", "");
    // A key is read when it is used: a new one needs no restart.
    stand.write_private("client.pem", &known.pem);
    stand.sign_in("alice").await;
}

#[tokio::test]
async fn a_file_without_a_key_is_named_before_anything_is_sent() {
    let stand = stand(&Key::p256(), "").await;
    stand.write_private("client.pem", "no key\n");
    let login = stand.begin_login([]).await;
    login.browse("alice").await;
    login.end().await.assert_fails(7, "no private key in PEM", "client_auth");
    assert_eq!(as_client(&stand), []);
}
