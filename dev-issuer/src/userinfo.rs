//! `/userinfo` (OpenID Connect Core §5.3).
//!
//! It takes access tokens of its own audience: those asked for without a `resource`, or with this
//! endpoint's URL as one. A token made for an API is refused, so that the API cannot use it here.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::provider::{Provider, Shared};
use crate::scope::ScopeSet;
use crate::token::claims_about;

/// Why a token is refused (RFC 6750 §3.1).
enum Refused {
    NoToken,
    TwoTokens,
    InvalidToken,
    InsufficientScope,
}

pub(crate) async fn serve(State(provider): State<Shared>, headers: HeaderMap) -> Response {
    match answer(&provider, &headers) {
        Ok(claims) => Json(claims).into_response(),
        Err(refused) => refused.into_response(),
    }
}

fn answer(provider: &Provider, headers: &HeaderMap) -> Result<Map<String, Value>, Refused> {
    let claims = provider.keys().verify(bearer(headers)?).ok_or(Refused::InvalidToken)?;
    if !is_for(&claims, &provider.userinfo_url()) {
        return Err(Refused::InvalidToken);
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let grants = provider.grants();
    let grant = grants.behind_access(text("jti"), provider.now()).ok_or(Refused::InvalidToken)?;
    let scopes = ScopeSet::parse(text("scope"));
    if !scopes.contains("openid") {
        return Err(Refused::InsufficientScope);
    }
    Ok(claims_about(grant.account, &scopes, provider))
}

fn bearer(headers: &HeaderMap) -> Result<&str, Refused> {
    let mut credentials = headers.get_all(header::AUTHORIZATION).iter();
    let one = match (credentials.next(), credentials.next()) {
        (None, _) => return Err(Refused::NoToken),
        (Some(_), Some(_)) => return Err(Refused::TwoTokens),
        (Some(one), None) => one.to_str().map_err(|_| Refused::InvalidToken)?,
    };
    match one.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Refused::NoToken),
    }
}

fn is_for(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one == audience),
        _ => false,
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, challenge) = match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, "Bearer realm=\"userinfo\""),
            Self::TwoTokens => (StatusCode::BAD_REQUEST, "Bearer error=\"invalid_request\""),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\""),
            Self::InsufficientScope => {
                (StatusCode::FORBIDDEN, "Bearer error=\"insufficient_scope\", scope=\"openid\"")
            }
        };
        let body = Json(json!({ "error": self.code() }));
        (status, [(header::WWW_AUTHENTICATE, challenge)], body).into_response()
    }
}

impl Refused {
    fn code(&self) -> &'static str {
        match self {
            Self::NoToken | Self::InvalidToken => "invalid_token",
            Self::TwoTokens => "invalid_request",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}
