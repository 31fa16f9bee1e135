//! The successful answer of the token endpoint (RFC 6749 §5.1).

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{TokenRequest, claims};
use crate::browser::Authentication;
use crate::draft::Draft;
use crate::error::OAuthError;
use crate::faults::Effect;
use crate::grants::{Grant, GrantId, Subject};
use crate::provider::Provider;
use crate::scope::ScopeSet;
use crate::secret;

/// What is to be issued on a grant.
pub(super) struct Issue {
    pub(super) grant: GrantId,
    pub(super) scopes: ScopeSet,
    pub(super) resources: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) refresh_token: Option<String>,
}

pub(super) fn give(
    request: &TokenRequest<'_>,
    grant: &Grant,
    issue: Issue,
) -> Result<Response, OAuthError> {
    let provider = request.provider;
    let access_token = access_token(request, grant, &issue)?;
    let token_type = if request.key.is_some() { "DPoP" } else { "Bearer" };
    let mut answer = Map::from_iter([
        ("token_type".to_owned(), json!(token_type)),
        ("expires_in".to_owned(), json!(provider.options.access_ttl.as_secs())),
        ("scope".to_owned(), json!(issue.scopes.to_string())),
    ]);
    if let Subject::Person(person) = &grant.subject
        && issue.scopes.contains("openid")
    {
        let id_token = id_token(request, person, &issue, &access_token);
        answer.insert("id_token".to_owned(), json!(id_token));
    }
    answer.insert("access_token".to_owned(), json!(access_token));
    if let Some(refresh_token) = issue.refresh_token {
        answer.insert("refresh_token".to_owned(), json!(refresh_token));
    }
    Ok(sent(provider, answer))
}

fn sent(provider: &Provider, mut answer: Map<String, Value>) -> Response {
    for change in provider.faults.take(|effect| match effect {
        Effect::TokenAnswer(change) => Some(change),
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
    let claims = claims::access(request, grant, &issue.scopes, &issue.resources, &jti);
    let expires_at = provider.now() + provider.options.access_ttl.as_secs();
    let mut grants = provider.grants();
    grants.note_access(jti, issue.grant, expires_at);
    grants.sweep(provider.now());
    drop(grants);
    let keys = provider.keys();
    Ok(Draft::new("at+jwt", provider.options.access_alg, &keys, claims).encode(&keys))
}

fn id_token(
    request: &TokenRequest<'_>,
    person: &Authentication,
    issue: &Issue,
    access_token: &str,
) -> String {
    let TokenRequest { provider, client, .. } = request;
    let changes = provider.faults.take(|effect| match effect {
        Effect::IdToken(change) => Some(change),
        _ => None,
    });
    let claims = claims::id(provider, &client.id, person, issue, access_token);
    let keys = provider.keys();
    let mut draft = Draft::new("JWT", provider.options.id_alg, &keys, claims);
    for change in changes {
        change(&mut draft);
    }
    draft.encode(&keys)
}
