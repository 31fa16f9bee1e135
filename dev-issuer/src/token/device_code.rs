//! Answers the poll of a device (RFC 8628 §3.4).

use axum::response::Response;

use super::TokenRequest;
use super::answer::{self, Issue};
use crate::error::OAuthError;
use crate::resource;

pub(super) fn poll(request: &TokenRequest<'_>) -> Result<Response, OAuthError> {
    let device_code = request.required("device_code")?;
    let TokenRequest { provider, client, form, .. } = request;
    let grant = provider.devices().poll(device_code, &client.id, provider.now())?;
    let id = provider.grants().open(grant.clone());
    let issue = Issue {
        grant: id,
        scopes: grant.scopes.clone(),
        resources: resource::narrow(form.resources(), &grant.resources)?,
        nonce: None,
        refresh_token: request.refresh_token_for(id, &grant)?,
    };
    answer::give(request, &grant, issue)
}
