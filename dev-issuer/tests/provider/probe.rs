//! One list of behaviours for any provider, over HTTP only: sign-in, refresh, reuse detection,
//! revocation, logout, device. What passes here and at providers that others wrote is an OpenID
//! Provider, so the tests that stand on this one stand on firm ground.

use dev_issuer::{Alg, Offer, Options};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use reqwest::Client;
use serde_json::Value;
use url::Url;

use self::person::{Ending, Person};
use crate::keys::fresh_id;
use crate::stand::{API, Answer, CHALLENGE, REDIRECT, Stand, VERIFIER, client};

#[cfg(unix)]
mod oidc_provider;
mod person;

const CLIENT: &str = "desktop-broker";
const SCOPES: &str = "openid profile email offline_access messages.read";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A provider, known by what it says of itself.
struct Probe {
    http: Client,
    metadata: Value,
    person: Person,
}

#[tokio::test]
async fn this_provider_passes_the_probe() {
    let stand = Stand::new().await;
    probe(stand.issuer.url()).await;
}

#[tokio::test]
async fn this_provider_passes_the_probe_with_other_algorithms_and_everything_offered() {
    let (access_alg, id_alg) = (Alg::EdDsa, Alg::Ps256);
    let dpop = Offer::Offered;
    let stand = Stand::with(Options { access_alg, id_alg, dpop, ..Options::default() }).await;
    probe(stand.issuer.url()).await;
}

async fn probe(issuer: &str) {
    let mut probe = Probe::discover(issuer).await;
    let tokens = probe.signs_in().await;
    let tokens = probe.refreshes(tokens).await;
    probe.detects_reuse(tokens).await;
    probe.revokes().await;
    probe.signs_out().await;
    probe.serves_a_device().await;
}

impl Probe {
    async fn discover(issuer: &str) -> Self {
        let http = client();
        let address = format!("{issuer}/.well-known/openid-configuration");
        let document = Answer::of(http.get(address)).await;
        assert_eq!((document.status, document.text("issuer")), (200, issuer));
        // oidc-provider's own pages take any password.
        let person = Person::new("alice", "wonderland");
        Self { http, metadata: document.body, person }
    }

    async fn signs_in(&mut self) -> Answer {
        let nonce = fresh_id();
        let answer = self.authorize(&nonce).await;
        assert_eq!(value(&answer, "iss"), self.metadata["issuer"].as_str().map(str::to_owned));
        let code = value(&answer, "code").unwrap_or_else(|| panic!("no code in {answer}"));
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("code", &code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let tokens = self.post("token_endpoint", &form).await;
        assert_eq!(tokens.status, 200, "{tokens:?}");
        assert!(tokens.text("token_type").eq_ignore_ascii_case("Bearer"));
        let claims = self.verified(tokens.text("id_token")).await;
        assert_eq!(claims["nonce"], nonce);
        assert!(claims["sub"].as_str().is_some_and(|subject| !subject.is_empty()));

        // A code is good once, and a second use ends what the first one brought.
        let again = self.post("token_endpoint", &form).await;
        again.assert_error(400, "invalid_grant");
        self.refresh(tokens.text("refresh_token")).await.assert_error(400, "invalid_grant");
        self.tokens().await
    }

    async fn refreshes(&mut self, tokens: Answer) -> [Answer; 2] {
        let renewed = self.refresh(tokens.text("refresh_token")).await;
        assert_eq!(renewed.status, 200, "{renewed:?}");
        assert_ne!(renewed.text("access_token"), tokens.text("access_token"));
        assert_ne!(renewed.text("refresh_token"), tokens.text("refresh_token"));
        let (before, after) = (tokens.text("id_token"), renewed.text("id_token"));
        let (before, after) = (self.verified(before).await, self.verified(after).await);
        assert_eq!((&before["sub"], &before["aud"]), (&after["sub"], &after["aud"]));
        [tokens, renewed]
    }

    async fn detects_reuse(&self, [old, new]: [Answer; 2]) {
        self.refresh(old.text("refresh_token")).await.assert_error(400, "invalid_grant");
        self.refresh(new.text("refresh_token")).await.assert_error(400, "invalid_grant");
    }

    async fn revokes(&mut self) {
        let tokens = self.tokens().await;
        let token = tokens.text("refresh_token");
        for token in [token, token, "never-issued"] {
            let form = [("client_id", CLIENT), ("token", token)];
            let answer = self.post("revocation_endpoint", &form).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        self.refresh(token).await.assert_error(400, "invalid_grant");
    }

    async fn signs_out(&mut self) {
        let tokens = self.tokens().await;
        let typed = self.person.passwords();
        self.tokens().await;
        assert_eq!(self.person.passwords(), typed, "the session goes on");
        let hint = [("id_token_hint", tokens.text("id_token")), ("client_id", CLIENT)];
        let address = Url::parse_with_params(self.at("end_session_endpoint"), hint).unwrap();
        assert_eq!(self.person.walk(address.as_str()).await, Ending::Page);
        self.tokens().await;
        assert_eq!(self.person.passwords(), typed + 1, "the session has ended");
    }

    async fn serves_a_device(&mut self) {
        let form = [("client_id", CLIENT), ("scope", SCOPES), ("resource", API)];
        let codes = self.post("device_authorization_endpoint", &form).await;
        assert_eq!(codes.status, 200, "{codes:?}");
        assert!(codes.body["expires_in"].as_u64().is_some_and(|seconds| seconds > 0));
        self.poll(&codes).await.assert_error(400, "authorization_pending");
        self.person.holds_device(codes.text("user_code"));
        assert_eq!(self.person.walk(codes.text("verification_uri")).await, Ending::Page);
        let tokens = self.poll(&codes).await;
        assert_eq!(tokens.status, 200, "{tokens:?}");
        self.verified(tokens.text("id_token")).await;
        assert_eq!(self.refresh(tokens.text("refresh_token")).await.status, 200);
        self.poll(&codes).await.assert_error(400, "invalid_grant");
    }

    /// A sign-in with nothing to say about it.
    async fn tokens(&mut self) -> Answer {
        let answer = self.authorize("a nonce").await;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("code", &value(&answer, "code").unwrap()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.post("token_endpoint", &form).await
    }

    /// Sends the person to sign in, and gives where they are sent back to.
    async fn authorize(&mut self, nonce: &str) -> Url {
        let state = fresh_id();
        let request = [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT),
            ("scope", SCOPES),
            ("resource", API),
            ("state", &state),
            ("nonce", nonce),
            ("prompt", "consent"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let address = Url::parse_with_params(self.at("authorization_endpoint"), request).unwrap();
        let ending = self.person.walk(address.as_str()).await;
        let Ending::Application(answer) = ending else { panic!("{ending:?}") };
        assert!(answer.as_str().starts_with(REDIRECT));
        assert_eq!(value(&answer, "state"), Some(state));
        answer
    }

    async fn refresh(&self, refresh_token: &str) -> Answer {
        let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.post("token_endpoint", &[&grant[..], &[("client_id", CLIENT)]].concat()).await
    }

    async fn poll(&self, codes: &Answer) -> Answer {
        let form = [
            ("grant_type", DEVICE),
            ("client_id", CLIENT),
            ("device_code", codes.text("device_code")),
        ];
        self.post("token_endpoint", &form).await
    }

    /// The claims of an ID token, verified as a client does.
    async fn verified(&self, token: &str) -> Value {
        let keys = Answer::of(self.http.get(self.at("jwks_uri"))).await;
        let keys: JwkSet = serde_json::from_value(keys.body).unwrap();
        let header = decode_header(token).unwrap();
        let announced = self.metadata["id_token_signing_alg_values_supported"].to_string();
        assert!(announced.contains(&format!("{:?}", header.alg)), "{announced}");
        let mut rules = Validation::new(header.alg);
        rules.set_issuer(&[self.metadata["issuer"].as_str().unwrap()]);
        rules.set_audience(&[CLIENT]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let key = keys.find(&header.kid.unwrap()).unwrap();
        decode(token, &DecodingKey::from_jwk(key).unwrap(), &rules).unwrap().claims
    }

    async fn post(&self, endpoint: &str, form: &[(&str, &str)]) -> Answer {
        Answer::of(self.http.post(self.at(endpoint)).form(form)).await
    }

    fn at(&self, endpoint: &str) -> &str {
        self.metadata[endpoint].as_str().unwrap_or_else(|| panic!("no {endpoint} is announced"))
    }
}

fn value(answer: &Url, name: &str) -> Option<String> {
    answer.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
