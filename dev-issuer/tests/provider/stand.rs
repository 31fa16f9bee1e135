//! The world of the tests: an issuer, a browser, and the application that they are themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dev_issuer::user_agent::{Consent, UserAgent};
use dev_issuer::{Issuer, Options};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde_json::Value;
use url::Url;

/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Nobody listens there: the tests read answers out of the redirect.
pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/callback";
pub(crate) const API: &str = "https://api.example";
const ALL_SCOPES: &str = "openid profile email offline_access messages.read";

pub(crate) struct Stand {
    pub(crate) issuer: Issuer,
    pub(crate) browser: UserAgent,
    pub(crate) http: Client,
}

/// The query of an authorization request, or of its answer.
#[derive(Clone, Debug)]
pub(crate) struct Query(Vec<(String, String)>);

/// An answer of the token endpoint, or another in JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl Stand {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let issuer = Issuer::start(options).await.unwrap();
        Self { issuer, browser: UserAgent::new().unwrap(), http: client() }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.url())
    }

    pub(crate) fn authorization_url(&self, query: &Query) -> String {
        let mut url = Url::parse(&self.at("/authorize")).unwrap();
        url.query_pairs_mut().extend_pairs(&query.0);
        url.into()
    }

    /// Signs in as Alice, allows, and gives the answer.
    pub(crate) async fn answer(&self, query: &Query) -> Query {
        self.answer_to("alice", "wonderland", Consent::Allow, query).await
    }

    pub(crate) async fn answer_to(
        &self,
        username: &str,
        password: &str,
        consent: Consent,
        query: &Query,
    ) -> Query {
        let url = self.authorization_url(query);
        let answer = self.browser.answer(&url, username, password, consent).await.unwrap();
        Query(answer.query_pairs().into_owned().collect())
    }

    pub(crate) async fn code(&self, query: &Query) -> String {
        self.answer(query).await.get("code").unwrap().to_owned()
    }

    /// A whole sign-in of the public client, with every scope and one resource.
    pub(crate) async fn signed_in(&self) -> Answer {
        self.redeem(&self.code(&Query::good()).await).await
    }

    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        self.token(&code_form(code)).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        self.token(&refresh_form(refresh_token)).await
    }

    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.post("/token", form).await
    }

    pub(crate) async fn revoke(&self, token: &str) -> Answer {
        self.post("/revoke", &[("client_id", "desktop-broker"), ("token", token)]).await
    }

    pub(crate) async fn userinfo(&self, access_token: &str) -> Answer {
        Answer::of(self.http.get(self.at("/userinfo")).bearer_auth(access_token)).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        Answer::of(self.http.post(self.at(path)).form(form)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.http.get(self.at(path))).await
    }

    /// How many requests of this path have come.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.issuer.requests().iter().filter(|request| request.path == path).count()
    }
}

/// A client that follows no redirects: where they lead is what the tests look at.
pub(crate) fn client() -> Client {
    let builder = Client::builder().redirect(redirect::Policy::none());
    builder.no_proxy().tls_certs_only([]).build().unwrap()
}

pub(crate) fn code_form(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("client_id", "desktop-broker"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ]
}

pub(crate) fn refresh_form(refresh_token: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "refresh_token"),
        ("client_id", "desktop-broker"),
        ("refresh_token", refresh_token),
    ]
}

/// The same form, sent by the confidential client.
pub(crate) fn as_web_app<'a>(mut form: Vec<(&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    form.retain(|(name, _)| *name != "client_id");
    form.extend([("client_id", "web-app"), ("client_secret", "web-app-secret")]);
    form
}

impl Query {
    /// A request that nothing is wrong with.
    pub(crate) fn good() -> Self {
        let pairs = [
            ("response_type", "code"),
            ("client_id", "desktop-broker"),
            ("redirect_uri", REDIRECT),
            ("scope", ALL_SCOPES),
            ("resource", API),
            ("state", "state-1"),
            ("nonce", "nonce-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
    }

    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    /// The same as the fields of a form.
    pub(crate) fn pairs(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// Adds a parameter, even if it is there already.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    async fn read(response: Response) -> Self {
        let header = |(name, value): (&reqwest::header::HeaderName, &_)| {
            let value: &reqwest::header::HeaderValue = value;
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let status = response.status().as_u16();
        let headers = response.headers().iter().map(header).collect();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    pub(crate) fn text(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_else(|| panic!("no {member} in {self:?}"))
    }

    /// Asserts an error of RFC 6749 §5.2.
    pub(crate) fn assert_error(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.text("error")), (status, code), "{self:?}");
        assert_eq!(self.headers["cache-control"], "no-store");
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a token.
pub(crate) fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, index: usize) -> Value {
    let encoded = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
}

/// Puts a limit on what would otherwise wait for ever. Ten times what a slow machine needs.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work).await.unwrap()
}
