//! The page that asks for the account's code, where a password is not enough.
//!
//! Who has typed it has authenticated just now, so the session's time is that of the code.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{advance, deny, open_session, shown, submitted};
use crate::acr::Acr;
use crate::authorize::prompt::Prompt;
use crate::browser::{Authentication, Interaction};
use crate::pages::second_factor::{Trouble, page};
use crate::provider::{Provider, Shared};
use crate::secret;
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
    match signed_in(&provider, &interaction) {
        Some(session) => page(&interaction, session.account, Trouble::None).send(StatusCode::OK),
        None => advance(&provider, &interaction),
    }
}

pub(crate) async fn submit(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    let form = &inbound.form;
    let interaction = match submitted(&provider, &headers, form) {
        Ok(interaction) => interaction,
        Err(problem) => return *problem,
    };
    if form.get("decision") == Some("cancel") {
        return deny(&provider, &interaction);
    }
    let Some(session) = signed_in(&provider, &interaction) else {
        return advance(&provider, &interaction);
    };
    if !secret::same(form.get("code").unwrap_or_default(), session.account.second_factor) {
        return page(&interaction, session.account, Trouble::WrongCode)
            .send(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let stronger = Authentication { acr: Acr::TwoFactor, auth_time: provider.now(), ..session };
    open_session(&provider, &interaction, stronger, &[])
}

/// Whose code is to be typed. A sign-in that is still due comes first.
fn signed_in(provider: &Provider, interaction: &Interaction) -> Option<Authentication> {
    if interaction.remaining.contains(&Prompt::Login) {
        return None;
    }
    provider.browsers().session(&interaction.browser).cloned()
}
