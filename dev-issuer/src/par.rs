//! `POST /par` (RFC 9126): the client pushes its authorization request, and the browser only brings
//! the name that it got.
//!
//! 1. The client proves itself as at the token endpoint.
//! 2. The request is judged as at the authorization endpoint, but what is wrong with it is told to
//!    the client at once, in JSON.
//! 3. It waits under a `request_uri` that is good once, for this client, and not for long.

use std::collections::HashMap;
use std::io;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::authorize::request::{self, AuthorizationRequest, Refusal};
use crate::clock::UnixSeconds;
use crate::dpop::{self, Target};
use crate::error::OAuthError;
use crate::provider::{Provider, Shared};
use crate::wire::Inbound;
use crate::{client_auth, secret};

/// What the names of pushed requests begin with (§2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The requests that wait for a browser.
#[derive(Debug, Default)]
pub(crate) struct PushedRequests(HashMap<String, Pushed>);

#[derive(Debug)]
struct Pushed {
    request: AuthorizationRequest,
    expires_at: UnixSeconds,
}

impl PushedRequests {
    /// Keeps a request, and gives the name to ask for it with.
    fn keep(
        &mut self,
        request: AuthorizationRequest,
        expires_at: UnixSeconds,
        now: UnixSeconds,
    ) -> io::Result<String> {
        self.0.retain(|_, pushed| now < pushed.expires_at);
        let request_uri = format!("{PREFIX}{}", secret::fresh()?);
        self.0.insert(request_uri.clone(), Pushed { request, expires_at });
        Ok(request_uri)
    }

    /// Takes a request out. A stranger's try leaves it where it is.
    pub(crate) fn take(
        &mut self,
        request_uri: &str,
        client_id: &str,
        now: UnixSeconds,
    ) -> Option<AuthorizationRequest> {
        let pushed = self.0.get(request_uri).filter(|pushed| now < pushed.expires_at)?;
        if pushed.request.client_id != client_id {
            return None;
        }
        self.0.remove(request_uri).map(|pushed| pushed.request)
    }
}

/// Says whether a `request_uri` may be one of ours, and not the address of a request object.
pub(crate) fn is_request_uri(uri: &str) -> bool {
    uri.starts_with(PREFIX)
}

/// The answer to a request that was not pushed and had to be (§5).
pub(crate) fn required() -> OAuthError {
    OAuthError::invalid_request("requests must be pushed here (RFC 9126)")
}

/// `POST /par`.
pub(crate) async fn serve(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    let pushed = push(&provider, &headers, &inbound);
    let mut response = pushed.unwrap_or_else(IntoResponse::into_response);
    dpop::add_nonce(&provider, &mut response);
    response
}

fn push(
    provider: &Provider,
    headers: &HeaderMap,
    inbound: &Inbound,
) -> Result<Response, OAuthError> {
    let form = inbound.body_only()?;
    client_auth::authenticate(provider, headers, form)?;
    let target = Target { method: "POST", url: &provider.at("/par"), access_token: None };
    let key = dpop::presented(provider, headers, target)?;
    let request = request::parse(form, key, provider).map_err(told_to_the_client)?;
    let (now, ttl) = (provider.now(), provider.options.par_ttl.as_secs());
    let request_uri = provider.pushed().keep(request, now + ttl, now)?;
    let answer = json!({ "request_uri": request_uri, "expires_in": ttl });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// Here the client itself listens, whatever is wrong (§2.3).
fn told_to_the_client(refusal: Refusal) -> OAuthError {
    match refusal {
        Refusal::Page(why) => OAuthError::invalid_request(why),
        Refusal::Redirect(_, error) => error,
    }
}
