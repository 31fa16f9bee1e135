//! The choice of an account: stay with the one that is signed in, or take another.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{advance, answer::see_other, shown, submitted};
use crate::authorize::prompt::Prompt;
use crate::pages;
use crate::provider::Shared;
use crate::wire::Inbound;

pub(crate) async fn show(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    let interaction = match shown(&provider, &headers, &inbound.query) {
        Ok(interaction) => interaction,
        Err(problem) => return *problem,
    };
    let session = provider.browsers().session(&interaction.browser).cloned();
    match session {
        Some(session) => pages::choose::page(&interaction, session.account).send(StatusCode::OK),
        None => advance(&provider, &interaction),
    }
}

pub(crate) async fn submit(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    let interaction = match submitted(&provider, &headers, &inbound.form) {
        Ok(interaction) => interaction,
        Err(problem) => return *problem,
    };
    if inbound.form.get("decision") != Some("stay") {
        return see_other(&format!("/sign-in?interaction={}", interaction.id));
    }
    let done = provider.browsers().done(&interaction.id, &[Prompt::SelectAccount]);
    advance(&provider, done.as_ref().unwrap_or(&interaction))
}
