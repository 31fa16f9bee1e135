//! Answers the poll of a device (RFC 8628 §3.4).

use axum::response::Response;

use super::TokenRequest;
use super::answer::{self, Extras, Issue};
use crate::error::OAuthError;
use crate::resource;

pub(super) fn poll(request: &TokenRequest<'_>) -> Result<Response, OAuthError> {
    let device_code = request.required("device_code")?;
    let TokenRequest { provider, client, form, .. } = request;
    let grant = provider.devices().poll(device_code, &client.id, request.now)?;
    let id = provider.grants().open(grant.clone());
    let issue = Issue {
        grant: id,
        scopes: grant.scopes.clone(),
        resources: resource::narrow(form.resources(), &grant.resources)?,
        lifetime: request.access_ttl(),
        extras: Extras::SignIn {
            nonce: None,
            refresh_token: request.refresh_token_for(id, &grant)?,
        },
    };
    answer::give(request, &grant, &issue)
}
