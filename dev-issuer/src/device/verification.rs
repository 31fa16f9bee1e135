//! `GET /device` (RFC 8628 §3.3): the person types the code that the device shows, or comes with it
//! from a link or a picture.
//!
//! A code alone decides nothing, so it may stand in an address: the sign-in comes next, and then
//! the question, which shows the code again and is asked every time.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{Decision, TooLate, UserCode, Wish};
use crate::acr::Acr;
use crate::authorize;
use crate::authorize::prompt::{Prompt, Prompts};
use crate::authorize::request::{AnswerTo, AuthorizationRequest};
use crate::grants::Grant;
use crate::pages;
use crate::pages::device::Trouble;
use crate::provider::{Provider, Shared};
use crate::wire::Inbound;

pub(crate) async fn show(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    let Some(typed) = inbound.query.get("user_code") else {
        return pages::device::page("", Trouble::None).send(StatusCode::OK);
    };
    match asked(&provider, typed) {
        Some(request) => authorize::begin(&provider, &headers, &request),
        None => {
            pages::device::page(typed, Trouble::UnknownCode).send(StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

/// What the device asks of whoever has typed its code.
fn asked(provider: &Provider, typed: &str) -> Option<AuthorizationRequest> {
    let user_code = UserCode::parse(typed)?;
    let wish = provider.devices().wish(&user_code, provider.now())?;
    let Wish { client_id, scopes, resources } = wish;
    Some(AuthorizationRequest {
        client_name: provider.client(&client_id)?.name.clone(),
        client_id,
        scopes,
        resources,
        answer_to: AnswerTo::Device(user_code),
        prompts: Prompts::Asking(BTreeSet::from([Prompt::Consent])),
        login_hint: None,
        acr: Acr::Password,
        max_age: None,
        subject: None,
    })
}

/// Ends the person's part: the device may have what it asked for.
pub(crate) fn allowed(provider: &Provider, user_code: &UserCode, grant: Grant) -> Response {
    decided(provider, user_code, Decision::Allowed(grant), pages::device::allowed())
}

/// Ends the person's part: the device gets nothing.
pub(crate) fn denied(provider: &Provider, user_code: &UserCode) -> Response {
    decided(provider, user_code, Decision::Denied, pages::device::denied())
}

fn decided(
    provider: &Provider,
    user_code: &UserCode,
    decision: Decision,
    page: pages::Page,
) -> Response {
    let now = provider.now();
    if let Err(TooLate) = provider.devices().decide(user_code, decision, now) {
        let why = "This code was answered before, or has expired. Start again on the device.";
        return pages::problem(StatusCode::BAD_REQUEST, why);
    }
    page.send(StatusCode::OK)
}
