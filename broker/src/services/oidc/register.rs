//! A client of our own, where the provider makes one (RFC 7591).
//!
//! What is asked for is a public native client (RFC 8252 §8.5) whose answers come back to this
//! machine. A provider may decide otherwise; what it decided is read from its answer.

use ::http::header::{AUTHORIZATION, HeaderValue};
use authbroker_core::failure::{Code, Failure};
use authbroker_core::issuer::is_secure;
use authbroker_core::secret::Secret;
use authbroker_core::sign_in::Redirect;
use authbroker_core::time::UnixTime;
use openidconnect::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::answer::seconds;
use super::device::DEVICE_CODE;
use super::error::{TokenError, printable};
use super::{Metadata, Oidc};

/// The longest client id that is taken. Real ones have less than 200 characters.
const LONGEST_ID: usize = 1024;

/// What to register as.
#[derive(Debug, Clone)]
pub struct Registration {
    /// What people are shown when they are asked to agree.
    pub client_name: String,
    /// The provider's leave to register, where it wants one.
    pub initial_access_token: Option<Secret>,
}

/// What the provider registered.
#[derive(Debug, Clone)]
pub struct Registered {
    /// Who we are to it.
    pub client_id: String,
    /// What it wants us to prove ourselves with.
    pub proof: Proof,
    /// When that secret runs out, where it does.
    pub expires: Option<UnixTime>,
    /// What the registration can be read and removed with (RFC 7592), and where.
    pub access: Option<(Secret, Url)>,
}

/// How the registered client proves itself.
#[derive(Debug, Clone)]
pub enum Proof {
    /// Not at all, as was asked for.
    None,
    /// `client_secret_basic`.
    Basic(Secret),
    /// `client_secret_post`.
    Post(Secret),
}

#[derive(Deserialize)]
struct Answer {
    client_id: String,
    client_secret: Option<String>,
    #[serde(default)]
    client_secret_expires_at: Value,
    token_endpoint_auth_method: Option<String>,
    redirect_uris: Option<Vec<String>>,
    registration_access_token: Option<String>,
    registration_client_uri: Option<String>,
}

impl Oidc {
    /// Registers a client for the provider as it is configured. Whatever the configuration calls
    /// the client so far does not count.
    pub async fn register(&self, registration: &Registration) -> Result<Registered, Failure> {
        let metadata = self.metadata().await?;
        let endpoint = metadata.registration.as_ref().ok_or_else(|| self.no_registration())?;
        let wish = self.client_metadata(&metadata, &registration.client_name);
        let leave = registration.initial_access_token.as_ref();
        let request = request(endpoint, &wish, leave)?;
        let response = self.http.send(request).await.map_err(|error| error.to_failure())?;
        if !response.status().is_success() {
            return Err(refusal(&response));
        }
        read(response.body(), &self.redirect_uris())
            .map_err(|what| TokenError::Unusable(what.to_owned()).to_failure())
    }

    /// What is asked for (§2).
    fn client_metadata(&self, metadata: &Metadata, client_name: &str) -> Value {
        let mut grants = vec!["authorization_code", "refresh_token"];
        if metadata.device.is_some() {
            grants.push(DEVICE_CODE);
        }
        let mut wish = json!({
            "client_name": client_name,
            "application_type": "native",
            "token_endpoint_auth_method": "none",
            "grant_types": grants,
            "response_types": ["code"],
            "redirect_uris": self.redirect_uris(),
            "scope": self.settings().scopes.to_string(),
            "software_id": "org.authbroker.Broker1",
            "software_version": env!("CARGO_PKG_VERSION"),
        });
        let post_logout = self.settings().post_logout.as_ref();
        if let Some(redirect) = post_logout.filter(|_| metadata.end_session.is_some()) {
            wish["post_logout_redirect_uris"] = json!(self.on_any_port(redirect));
        }
        wish
    }

    /// Where the browser comes back to after a sign-in.
    fn redirect_uris(&self) -> Vec<String> {
        self.on_any_port(&self.settings().redirect)
    }

    /// An address of this machine as it is registered: for any port (RFC 8252 §7.3), and for each
    /// that is configured.
    fn on_any_port(&self, redirect: &Redirect) -> Vec<String> {
        let ports = self.settings().ports.iter().map(|port| redirect.uri(*port));
        std::iter::once(redirect.portless()).chain(ports).collect()
    }

    fn no_registration(&self) -> Failure {
        let issuer = &self.settings().issuer;
        let message = format!("{issuer} does not register clients by itself");
        let hint = format!(
            "register a public client with the redirect URI {} on its web page, then: \
             brokerctl provider add {issuer} --client-id ID",
            self.settings().redirect.portless()
        );
        Failure::new(Code::NotSupported, message, hint)
    }
}

/// Why there is no client, and what helps (§3.2.2).
fn refusal(response: &HttpResponse) -> Failure {
    let mut failure = TokenError::from_response(response).to_failure();
    let hint = match (response.status().as_u16(), failure.oauth_error.as_deref()) {
        (401 | 403, _) => {
            "ask the provider for an initial access token: --initial-access-token FILE"
        }
        (_, Some("invalid_redirect_uri")) => "it may want exact ports: --port 8400 --port 8401",
        (_, Some("invalid_client_metadata")) => {
            "register by hand, then: brokerctl provider add ISSUER --client-id ID"
        }
        _ => return failure,
    };
    hint.clone_into(&mut failure.hint);
    failure
}

fn request(endpoint: &Url, wish: &Value, leave: Option<&Secret>) -> Result<HttpRequest, Failure> {
    let request = ::http::Request::post(endpoint.as_str())
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .body(wish.to_string().into_bytes());
    let broken = |what: &str| Failure::new(Code::InvalidArgs, what, "check the command's options");
    let mut request = request.map_err(|_| broken("the request cannot be put together"))?;
    if let Some(leave) = leave {
        let value = HeaderValue::from_str(&format!("Bearer {}", leave.expose()));
        let mut value = value.map_err(|_| broken("the initial access token is no token"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// Reads what was registered (§3.2.1).
fn read(body: &[u8], asked: &[String]) -> Result<Registered, &'static str> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| "it registers something without a client_id")?;
    let Answer { client_id, redirect_uris, .. } = &answer;
    if client_id.is_empty() || client_id.len() > LONGEST_ID || printable(client_id) != *client_id {
        return Err("its client_id is malformed");
    }
    let kept = |uri: &String| redirect_uris.as_ref().is_none_or(|uris| uris.contains(uri));
    if !asked.iter().all(kept) {
        return Err("it registered other redirect URIs than it was asked for");
    }
    let expires = seconds(&answer.client_secret_expires_at).filter(|time| !time.is_zero());
    let token = answer.registration_access_token.map(Secret::new);
    let place = answer.registration_client_uri.as_deref().and_then(|uri| Url::parse(uri).ok());
    Ok(Registered {
        proof: proof(answer.token_endpoint_auth_method.as_deref(), answer.client_secret)?,
        expires: expires.map(|time| UnixTime::from_secs(time.as_secs())),
        access: token.zip(place.filter(is_secure)),
        client_id: answer.client_id,
    })
}

/// A provider that says nothing of the method has taken what it was asked for.
fn proof(method: Option<&str>, secret: Option<String>) -> Result<Proof, &'static str> {
    match (method.unwrap_or("none"), secret.filter(|secret| !secret.is_empty())) {
        ("none", _) => Ok(Proof::None),
        ("client_secret_basic", Some(secret)) => Ok(Proof::Basic(Secret::new(secret))),
        ("client_secret_post", Some(secret)) => Ok(Proof::Post(Secret::new(secret))),
        _ => Err("it wants its client to prove itself in a way that was not asked for"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str = "http://127.0.0.1/callback";

    fn answered(document: &Value) -> Result<Registered, &'static str> {
        read(document.to_string().as_bytes(), &[ASKED.to_owned()])
    }

    #[test]
    fn the_least_answer_is_a_client_without_a_secret_for_ever() {
        let client = answered(&json!({"client_id": "c1"})).unwrap();
        assert_eq!(client.client_id, "c1");
        assert!(matches!(client.proof, Proof::None));
        assert!(client.expires.is_none() && client.access.is_none());
    }

    #[test]
    fn a_secret_is_used_only_where_the_provider_wants_it() {
        let with = |method: &str| {
            json!({"client_id": "c1", "client_secret": "s", "client_secret_expires_at": 99,
                   "token_endpoint_auth_method": method})
        };
        assert!(matches!(answered(&with("none")).unwrap().proof, Proof::None));
        let basic = answered(&with("client_secret_basic")).unwrap();
        assert!(matches!(basic.proof, Proof::Basic(_)));
        assert_eq!(basic.expires, Some(UnixTime::from_secs(99)));
        assert!(matches!(answered(&with("client_secret_post")).unwrap().proof, Proof::Post(_)));
        assert!(answered(&with("tls_client_auth")).is_err());
        let bare = json!({"client_id": "c1", "token_endpoint_auth_method": "client_secret_basic"});
        assert!(answered(&bare).is_err(), "a method without its secret");
    }

    #[test]
    fn a_secret_that_never_ends_says_zero() {
        let answer = json!({"client_id": "c1", "client_secret_expires_at": 0});
        assert_eq!(answered(&answer).unwrap().expires, None);
    }

    #[test]
    fn a_registration_is_spoken_to_on_a_secure_address_only() {
        let access = |uri: &str| {
            let answer = json!({"client_id": "c1", "registration_access_token": "t",
                                "registration_client_uri": uri});
            answered(&answer).unwrap().access
        };
        assert!(access("https://a.example/register/c1").is_some());
        assert!(access("http://a.example/register/c1").is_none());
    }

    #[test]
    fn an_answer_that_registers_something_else_is_refused() {
        assert!(answered(&json!({})).is_err());
        assert!(answered(&json!({"client_id": "a\nb"})).is_err());
        let other = json!({"client_id": "c1", "redirect_uris": ["https://evil.example/"]});
        assert!(answered(&other).is_err());
        let more = json!({"client_id": "c1", "redirect_uris": ["https://x.example/", ASKED]});
        assert!(answered(&more).is_ok());
    }
}
