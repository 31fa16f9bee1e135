//! The sign-in page: username and password.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{advance, deny, shown, submitted};
use crate::accounts::Account;
use crate::authorize::prompt::Prompt;
use crate::browser::{self, Authentication, Interaction};
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
    let (Ok(browser), Ok(sid)) = (secret::fresh(), secret::fresh()) else {
        let why = "This provider has no randomness to make a session of.";
        return pages::problem(StatusCode::INTERNAL_SERVER_ERROR, why);
    };
    let authentication = Authentication { account, auth_time: provider.now(), sid };
    let mut browsers = provider.browsers();
    browsers.sign_in(&interaction.browser, &browser, authentication);
    let done = browsers.done(&interaction.id, &[Prompt::Login, Prompt::SelectAccount]);
    drop(browsers);
    let mut response = advance(provider, done.as_ref().unwrap_or(interaction));
    browser::name_it(&mut response, provider, &browser);
    response
}
