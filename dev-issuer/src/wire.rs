//! What stands around every request: limits, the record, the faults, the headers.
//!
//! 1. A request for another host is refused (a web page could otherwise reach this server under
//!    a name of its own: DNS rebinding), and so is a large body.
//! 2. Query and form are parsed and entered in the record.
//! 3. A fault set for the endpoint answers in the handler's place, or loses its answer.
//! 4. The answer gets the headers that every page and document carries.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::clock::{UnixSeconds, http_date};
use crate::error::OAuthError;
use crate::faults::{Effect, Endpoint, Lost};
use crate::params::Params;
use crate::provider::{Provider, Shared};
use crate::record::{Recorded, RecordedProof};

/// No request that this provider understands comes near it.
const BODY_LIMIT: usize = 64 * 1024;

/// The parameters of a request, as handlers take them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbound {
    pub(crate) query: Params,
    pub(crate) form: Params,
}

impl Inbound {
    /// The form of an endpoint that programs ask: all parameters in the body, none twice.
    pub(crate) fn body_only(&self) -> Result<&Params, OAuthError> {
        if self.query.names().next().is_some() {
            return Err(OAuthError::invalid_request("parameters belong in the body"));
        }
        match self.form.repeated() {
            Some(_) => Err(OAuthError::repeated_parameter()),
            None => Ok(&self.form),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Inbound {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

pub(crate) async fn around(
    State(provider): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let inbound = parse(&parts, &body);
    let place = provider.recorder.arrived(entry(&parts, &inbound));
    let endpoint = endpoint(parts.uri.path(), &inbound);
    parts.extensions.insert(inbound);

    let work = answer(&provider, next, Request::from_parts(parts, body.into()));
    let mut response = with_faults(&provider, endpoint, work).await;
    if response.extensions().get::<Lost>().is_none() {
        provider.recorder.answered(place, response.status().as_u16());
    }
    add_headers(response.headers_mut(), provider.now());
    response
}

fn parse(parts: &Parts, body: &Bytes) -> Inbound {
    let form = is_form(&parts.headers).then(|| Params::parse(body));
    Inbound {
        query: Params::parse(parts.uri.query().unwrap_or_default().as_bytes()),
        form: form.unwrap_or_default(),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn entry(parts: &Parts, inbound: &Inbound) -> Recorded {
    let parameters = [&inbound.query, &inbound.form];
    let mut entry = Recorded::new(parts.method.as_str(), parts.uri.path(), &parameters);
    let credentials = parts.headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    entry.authorization = credentials.map(scheme);
    let proof = parts.headers.get("dpop").map(|proof| proof.to_str().unwrap_or_default());
    entry.proof = proof.map(RecordedProof::read);
    entry
}

/// The first word of an Authorization header, if it looks like a scheme at all.
fn scheme(credentials: &[u8]) -> String {
    match credentials.split(|byte| *byte == b' ').next().map(str::from_utf8) {
        Some(Ok(word)) if word.len() <= 16 && word.len() < credentials.len() => word.to_owned(),
        _ => String::new(),
    }
}

fn endpoint(path: &str, inbound: &Inbound) -> Option<Endpoint> {
    match (path, inbound.form.get("grant_type")) {
        ("/.well-known/openid-configuration", _) => Some(Endpoint::Discovery),
        ("/.well-known/oauth-authorization-server", _) => Some(Endpoint::OauthMetadata),
        ("/jwks", _) => Some(Endpoint::Jwks),
        ("/token", grant_type) => Some(Endpoint::of_token_request(grant_type)),
        ("/par", _) => Some(Endpoint::Par),
        ("/device_authorization", _) => Some(Endpoint::Device),
        ("/revoke", _) => Some(Endpoint::Revocation),
        _ => None,
    }
}

async fn answer(provider: &Provider, next: Next, request: Request) -> Response {
    if names_this_host(provider, &request) {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "this is another host\n").into_response()
    }
}

fn names_this_host(provider: &Provider, request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    host.is_some() && host == provider.url.strip_prefix("http://")
}

async fn with_faults(
    provider: &Provider,
    asked: Option<Endpoint>,
    work: impl Future<Output = Response>,
) -> Response {
    let fault = asked.and_then(|asked| {
        let answers = provider.faults.take(|effect| match effect {
            Effect::Answer(endpoint, answer) if endpoint.covers(asked) => Some(answer),
            _ => None,
        });
        answers.into_iter().next()
    });
    match fault {
        None => work.await,
        Some(fault) => fault.give(provider, work).await,
    }
}

fn add_headers(headers: &mut HeaderMap, now: UnixSeconds) {
    const OURS: [(HeaderName, &str); 3] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in OURS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // By the clock that its tokens are dated by.
    if let Ok(date) = http_date(now).try_into() {
        headers.insert(header::DATE, date);
    }
}

/// Answers a path that exists with a method that does not.
pub(crate) async fn wrong_method(method: Method) -> Response {
    let text = format!("{method} is not served here\n");
    (StatusCode::METHOD_NOT_ALLOWED, text).into_response()
}
