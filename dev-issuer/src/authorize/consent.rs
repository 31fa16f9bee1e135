//! The consent page: who wants what, and a yes or a no.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{advance, deny, shown, submitted};
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
        Some(session) if !interaction.remaining.contains(&Prompt::Login) => {
            pages::consent::page(&interaction, session.account).send(StatusCode::OK)
        }
        _ => advance(&provider, &interaction),
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
    if inbound.form.get("decision") != Some("allow") {
        return deny(&provider, &interaction);
    }
    // A consent counts for whoever is signed in, so a sign-in that is still due comes first.
    if interaction.remaining.contains(&Prompt::Login) {
        return advance(&provider, &interaction);
    }
    let mut browsers = provider.browsers();
    if let Some(session) = browsers.session(&interaction.browser).cloned() {
        browsers.remember_consent(session.account, &interaction.request);
    }
    let done = browsers.done(&interaction.id, &[Prompt::Consent]);
    drop(browsers);
    advance(&provider, done.as_ref().unwrap_or(&interaction))
}
