//! A client whose token is bound to a key, and the proofs that it makes.

use aws_lc_rs::digest::{SHA256, digest};
use private_api::auth::Setup;
use serde_json::{Value, json};

use super::api::{Answer, TestApi, rules};
use super::issuer::FakeIssuer;
use super::keys::{TestKey, b64};
use super::{NOW, claims, with};

/// Where the requests of these tests go.
pub const TARGET: &str = "http://api.test/private";

/// A client with a bound token, and an API that believes the token's issuer.
pub struct Client {
    pub api: TestApi,
    pub key: TestKey,
    pub token: String,
    pub issuer: FakeIssuer,
    pub issuer_key: TestKey,
}

impl Client {
    pub async fn start() -> Self {
        Self::at(|_| {}).await
    }

    /// At an API whose settings are others.
    pub async fn at(change: impl FnOnce(&mut Setup)) -> Self {
        let (key, issuer_key) = (TestKey::p256("client"), TestKey::p256("first"));
        let issuer = FakeIssuer::start(&[&issuer_key]).await;
        let mut setup = Setup::new(rules(&issuer.url));
        change(&mut setup);
        let api = TestApi::made(setup, None);
        let bound = json!({ "cnf": { "jkt": key.thumbprint() } });
        let token = issuer_key.token(&with(claims(&issuer.url), &bound));
        Self { api, key, token, issuer, issuer_key }
    }

    /// What a good proof says.
    pub fn payload(&self) -> Value {
        json!({
            "jti": "proof-1",
            "htm": "GET",
            "htu": TARGET,
            "iat": NOW,
            "ath": b64(digest(&SHA256, self.token.as_bytes()).as_ref()),
        })
    }

    /// A good proof but for these members of its header and payload.
    pub fn proof_but(&self, header: &Value, payload: &Value) -> String {
        let usual = json!({ "typ": "dpop+jwt", "kid": null, "jwk": self.key.bare_jwk() });
        self.key.token_with(&with(usual, header), &with(self.payload(), payload))
    }

    pub fn proof(&self) -> String {
        self.proof_but(&json!({}), &json!({}))
    }

    /// GET /private with the token and a proof.
    pub async fn private(&self, proof: &str) -> Answer {
        self.private_from("api.test", proof, &[]).await
    }

    /// The same at another host and with more headers.
    pub async fn private_from(&self, host: &str, proof: &str, more: &[(&str, &str)]) -> Answer {
        let authorization = format!("DPoP {}", self.token);
        let own = [("host", host), ("authorization", authorization.as_str()), ("dpop", proof)];
        self.api.get("/private", &[&own, more].concat()).await
    }
}
