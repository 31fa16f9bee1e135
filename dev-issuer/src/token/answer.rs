//! The successful answer of the token endpoint (RFC 6749 §5.1).

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::claims::IdClaims;
use super::{TokenRequest, claims, exchange};
use crate::draft::Draft;
use crate::error::OAuthError;
use crate::faults::{Effect, Endpoint};
use crate::grants::{Grant, GrantId, Subject};
use crate::provider::Provider;
use crate::scope::ScopeSet;
use crate::secret;

/// What is to be issued on a grant.
pub(super) struct Issue {
    pub(super) grant: GrantId,
    pub(super) scopes: ScopeSet,
    pub(super) resources: Vec<String>,
    /// How long the access token lives, in seconds.
    pub(super) lifetime: u64,
    pub(super) extras: Extras,
}

/// What comes beside the access token.
pub(super) enum Extras {
    /// What a sign-in brings: a refresh token perhaps, and an ID token where one is asked for. It
    /// has the `nonce` of the request only in answer to a code.
    SignIn { nonce: Option<String>, refresh_token: Option<String> },
    /// The type of what was exchanged, and nothing else (RFC 8693 §2.2.1).
    Exchange,
    /// Nothing.
    None,
}

pub(super) fn give(
    request: &TokenRequest<'_>,
    grant: &Grant,
    issue: &Issue,
) -> Result<Response, OAuthError> {
    let provider = request.provider;
    let access_token = access_token(request, grant, issue)?;
    rotate_keys_if_asked(provider)?;
    let token_type = if request.key.is_some() { "DPoP" } else { "Bearer" };
    let mut answer = Map::from_iter([
        ("token_type".to_owned(), json!(token_type)),
        ("expires_in".to_owned(), json!(issue.lifetime)),
        ("scope".to_owned(), json!(issue.scopes.to_string())),
    ]);
    answer.extend(extras(request, grant, issue, &access_token));
    answer.insert("access_token".to_owned(), json!(access_token));
    Ok(sent(provider, request.endpoint(), answer))
}

fn extras(
    request: &TokenRequest<'_>,
    grant: &Grant,
    issue: &Issue,
    access_token: &str,
) -> Map<String, Value> {
    let mut extras = Map::new();
    match (&issue.extras, &grant.subject) {
        (Extras::SignIn { nonce, refresh_token }, Subject::Person(person)) => {
            if issue.scopes.contains("openid") {
                let about = IdClaims { person, scopes: &issue.scopes, nonce, access_token };
                extras.insert("id_token".to_owned(), json!(id_token(request, &about)));
            }
            if let Some(refresh_token) = refresh_token {
                extras.insert("refresh_token".to_owned(), json!(refresh_token));
            }
        }
        (Extras::Exchange, _) => {
            extras.insert("issued_token_type".to_owned(), json!(exchange::ACCESS_TOKEN));
        }
        _ => {}
    }
    extras
}

fn sent(provider: &Provider, endpoint: Endpoint, mut answer: Map<String, Value>) -> Response {
    for change in provider.faults.take(|effect| match effect {
        Effect::TokenAnswer(set_for, change) if set_for.covers(endpoint) => Some(change),
        _ => None,
    }) {
        change(&mut answer);
    }
    Json(answer).into_response()
}

fn access_token(
    request: &TokenRequest<'_>,
    grant: &Grant,
    issue: &Issue,
) -> Result<String, OAuthError> {
    let (provider, jti) = (request.provider, secret::fresh()?);
    let claims = claims::access(request, grant, issue, &jti);
    let expires_at = request.now + issue.lifetime;
    let mut grants = provider.grants();
    grants.note_access(jti, issue.grant, expires_at);
    grants.sweep(request.now);
    drop(grants);
    let keys = provider.keys();
    Ok(Draft::new("at+jwt", provider.options.access_alg, &keys, claims).encode(&keys))
}

fn id_token(request: &TokenRequest<'_>, about: &IdClaims<'_>) -> String {
    let provider = request.provider;
    let claims = claims::id(request, about);
    let keys = provider.keys();
    let mut draft = Draft::new("JWT", provider.options.id_alg, &keys, claims);
    for change in provider.faults.take(|effect| match effect {
        Effect::IdToken(set_for, change) if set_for.covers(request.endpoint()) => Some(change),
        _ => None,
    }) {
        change(&mut draft);
    }
    for member in provider.faults.take(|effect| match effect {
        Effect::StrangersKey(member) => Some(member),
        _ => None,
    }) {
        draft.sign_as_a_stranger(member, &keys, &provider.options.elsewhere);
    }
    draft.encode(&keys)
}

fn rotate_keys_if_asked(provider: &Provider) -> Result<(), OAuthError> {
    let rotations = provider.faults.take(|effect| matches!(effect, Effect::Rotation).then_some(()));
    if !rotations.is_empty() {
        provider.rotate_keys()?;
    }
    Ok(())
}
