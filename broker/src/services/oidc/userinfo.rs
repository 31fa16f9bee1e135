//! A name for the person, where the ID token has none (OpenID Connect Core §5.3).
//!
//! Some providers put the claims of a scope behind the UserInfo endpoint only. It is asked only when
//! the access token is for the provider itself: a token for an API goes to that API and nowhere
//! else. Without an answer the account is called by its subject; nothing else depends on it.

use ::http::HeaderValue;
use authbroker_core::account::Person;
use authbroker_core::token::AccessToken;
use openidconnect::HttpResponse;
use serde::Deserialize;
use url::Url;

use super::error::printable;
use super::{Metadata, Oidc};

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    preferred_username: Option<String>,
    name: Option<String>,
    email: Option<String>,
    picture: Option<String>,
}

impl Oidc {
    /// What the provider tells about `subject`, if it does.
    pub(super) async fn person(
        &self,
        metadata: &Metadata,
        access: &AccessToken,
        subject: &str,
    ) -> Option<Person> {
        let endpoint = metadata.userinfo.as_ref().filter(|_| access.resources.is_empty())?;
        let mut response = self.ask_userinfo(endpoint, access).await?;
        if response.status() == 401 && access.bound_to.is_some() {
            // It may have asked for a nonce in the proof, and has given one (RFC 9449 §9).
            response = self.ask_userinfo(endpoint, access).await?;
        }
        let told: UserInfo = serde_json::from_slice(response.body()).ok()?;
        // §5.3.2: another subject means that the answer is not about this person.
        (response.status() == 200 && told.sub == subject).then(|| {
            let text = |value: Option<String>| {
                value.map(|text| printable(&text)).filter(|text| !text.is_empty())
            };
            Person {
                username: text(told.preferred_username),
                name: text(told.name),
                email: text(told.email),
                picture: text(told.picture),
            }
        })
    }

    async fn ask_userinfo(&self, endpoint: &Url, access: &AccessToken) -> Option<HttpResponse> {
        let mut request = ::http::Request::get(endpoint.as_str())
            .header("accept", "application/json")
            .body(Vec::new())
            .ok()?;
        let headers = self.nonces.present(access, "GET", endpoint).ok()?;
        for (name, value) in headers {
            request.headers_mut().insert(name, HeaderValue::from_str(value.expose()).ok()?);
        }
        let response = self.http.send(request).await.ok()?;
        self.nonces.note_from(endpoint, response.headers());
        Some(response)
    }
}
