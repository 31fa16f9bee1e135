//! The sign-in page: username and password.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{deny, open_session, shown, submitted};
use crate::accounts::Account;
use crate::acr::Acr;
use crate::authorize::prompt::Prompt;
use crate::browser::{Authentication, Interaction};
use crate::pages;
use crate::pages::sign_in::Trouble;
use crate::provider::{Provider, Shared};
use crate::secret;
use crate::wire::Inbound;

pub(crate) async fn show(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    match shown(&provider, &headers, &inbound.query) {
        Ok(interaction) => {
            let hint = interaction.request.login_hint.as_deref().unwrap_or_default();
            pages::sign_in::page(&interaction, hint, Trouble::None).send(StatusCode::OK)
        }
        Err(problem) => *problem,
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
    let username = form.get("username").unwrap_or_default();
    match Account::sign_in(username, form.get("password").unwrap_or_default()) {
        Some(account) => signed_in(&provider, &interaction, account),
        None => pages::sign_in::page(&interaction, username, Trouble::WrongPassword)
            .send(StatusCode::UNPROCESSABLE_ENTITY),
    }
}

fn signed_in(
    provider: &Provider,
    interaction: &Interaction,
    account: &'static Account,
) -> Response {
    let Ok(sid) = secret::fresh() else {
        let why = "This provider has no randomness to make a session of.";
        return pages::problem(StatusCode::INTERNAL_SERVER_ERROR, why);
    };
    let session = Authentication { account, auth_time: provider.now(), acr: Acr::Password, sid };
    open_session(provider, interaction, session, &[Prompt::Login, Prompt::SelectAccount])
}
