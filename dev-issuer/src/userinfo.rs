//! `/userinfo` (OpenID Connect Core §5.3).
//!
//! It takes access tokens of its own audience: those asked for without a `resource`, or with this
//! endpoint's URL as one. A token made for an API is refused, so that the API cannot use it here.
//! A token that is bound to a key comes with a proof of it, and never as a bearer token.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::dpop::{self, Target};
use crate::error::OAuthError;
use crate::grants::Subject;
use crate::jose;
use crate::options::Offer;
use crate::provider::{Provider, Shared};
use crate::scope::ScopeSet;
use crate::token::claims_about;

/// Why a token is refused (RFC 6750 §3.1, RFC 9449 §7.1).
enum Refused {
    NoToken,
    TwoTokens,
    InvalidToken,
    InsufficientScope,
    Proof(OAuthError),
}

/// A token, in the scheme that it came in.
#[derive(Clone, Copy)]
enum Presented<'a> {
    Bearer(&'a str),
    Dpop(&'a str),
}

/// `GET` and `POST /userinfo`.
pub(crate) async fn serve(
    State(provider): State<Shared>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let mut response = match answer(&provider, &method, &headers) {
        Ok(claims) => Json(claims).into_response(),
        Err(refused) => refused.send(&provider),
    };
    dpop::add_nonce(&provider, &mut response);
    response
}

fn answer(
    provider: &Provider,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Map<String, Value>, Refused> {
    let presented = presented(provider, headers)?;
    let claims = provider.keys().verify(presented.token()).ok_or(Refused::InvalidToken)?;
    if !is_for(&claims, &provider.userinfo_url()) {
        return Err(Refused::InvalidToken);
    }
    proven(provider, method, headers, presented, &claims)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let grants = provider.grants();
    let live = grants.behind_access(text("jti"), provider.now());
    let (_, grant) = live.ok_or(Refused::InvalidToken)?;
    let scopes = ScopeSet::parse(text("scope"));
    match &grant.subject {
        Subject::Person(person) if scopes.contains("openid") => {
            Ok(claims_about(person.account, &scopes, provider))
        }
        _ => Err(Refused::InsufficientScope),
    }
}

/// Where DPoP is off, its scheme is one of those that nobody knows.
fn presented<'a>(provider: &Provider, headers: &'a HeaderMap) -> Result<Presented<'a>, Refused> {
    let mut credentials = headers.get_all(header::AUTHORIZATION).iter();
    let one = match (credentials.next(), credentials.next()) {
        (None, _) => return Err(Refused::NoToken),
        (Some(_), Some(_)) => return Err(Refused::TwoTokens),
        (Some(one), None) => one.to_str().map_err(|_| Refused::InvalidToken)?,
    };
    let (scheme, token) = one.split_once(' ').ok_or(Refused::NoToken)?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(Presented::Bearer(token.trim())),
        "dpop" if provider.options.dpop.is_served() => Ok(Presented::Dpop(token.trim())),
        _ => Err(Refused::NoToken),
    }
}

/// Holds the scheme, the token's binding and the proof against each other.
fn proven(
    provider: &Provider,
    method: &Method,
    headers: &HeaderMap,
    presented: Presented<'_>,
    claims: &Map<String, Value>,
) -> Result<(), Refused> {
    let bound_to = claims.get("cnf").and_then(|cnf| cnf.get("jkt")?.as_str());
    match (presented, bound_to) {
        (Presented::Bearer(_), None) => Ok(()),
        (Presented::Dpop(token), Some(jkt)) => {
            let url = provider.userinfo_url();
            let target = Target { method: method.as_str(), url: &url, access_token: Some(token) };
            let key = dpop::presented(provider, headers, target).map_err(Refused::Proof)?;
            let key = key.ok_or_else(|| Refused::Proof(dpop::missing()))?;
            if key.as_str() == jkt { Ok(()) } else { Err(Refused::InvalidToken) }
        }
        (Presented::Bearer(_), Some(_)) | (Presented::Dpop(_), None) => Err(Refused::InvalidToken),
    }
}

fn is_for(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one == audience),
        _ => false,
    }
}

impl<'a> Presented<'a> {
    fn token(self) -> &'a str {
        match self {
            Self::Bearer(token) | Self::Dpop(token) => token,
        }
    }
}

impl Refused {
    fn send(self, provider: &Provider) -> Response {
        let status = match &self {
            Self::NoToken | Self::InvalidToken | Self::Proof(_) => StatusCode::UNAUTHORIZED,
            Self::TwoTokens => StatusCode::BAD_REQUEST,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
        };
        let mut response = (status, Json(json!({ "error": self.code() }))).into_response();
        for challenge in self.challenges(provider) {
            if let Ok(value) = HeaderValue::from_str(&challenge) {
                response.headers_mut().append(header::WWW_AUTHENTICATE, value);
            }
        }
        response
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoToken | Self::InvalidToken => "invalid_token",
            Self::TwoTokens => "invalid_request",
            Self::InsufficientScope => "insufficient_scope",
            Self::Proof(error) => error.code,
        }
    }

    /// One challenge for each scheme that is taken; both say the same, but for the proof's errors.
    fn challenges(&self, provider: &Provider) -> Vec<String> {
        let error = match self {
            Self::NoToken => String::new(),
            Self::InsufficientScope => {
                ", error=\"insufficient_scope\", scope=\"openid\"".to_owned()
            }
            other => format!(", error=\"{}\"", other.code()),
        };
        let bearer = format!("Bearer realm=\"userinfo\"{error}");
        let dpop = format!("DPoP algs=\"{}\"{error}", jose::ALGORITHMS.join(" "));
        match (self, provider.options.dpop) {
            (_, Offer::Off) => vec![bearer],
            (Self::Proof(_), _) | (_, Offer::Required) => vec![dpop],
            (_, Offer::Offered) => vec![bearer, dpop],
        }
    }
}
