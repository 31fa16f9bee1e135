//! `/end_session` (OpenID Connect RP-Initiated Logout 1.0).
//!
//! An ID token of ours, for the person who is signed in, ends the session at once. Without one
//! the person is asked first: any page could have sent the browser here. Refresh tokens outlive
//! the session; `/revoke` ends them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value;

use crate::authorize::answer::{see_other, with_parameters};
use crate::browser::{self, Authentication};
use crate::options::Client;
use crate::pages;
use crate::params::Params;
use crate::provider::{Provider, Shared};
use crate::redirect_uri;
use crate::wire::Inbound;

/// `GET /end_session`.
pub(crate) async fn by_query(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    end(&provider, &headers, &inbound.query)
}

/// `POST /end_session`.
pub(crate) async fn by_form(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    end(&provider, &headers, &inbound.form)
}

/// What a good `id_token_hint` says.
struct Hint {
    client_id: String,
    subject: String,
}

fn end(provider: &Provider, headers: &HeaderMap, params: &Params) -> Response {
    let hint = hint(provider, params);
    let destination = match destination(provider, params, hint.as_ref()) {
        Ok(destination) => destination,
        Err(why) => return pages::problem(StatusCode::BAD_REQUEST, why),
    };
    let browser = browser::named_by(headers, provider).unwrap_or_default();
    let session = provider.browsers().session(&browser).cloned();
    match session {
        Some(session) if !is_meant(hint.as_ref(), &session) => {
            ask(provider, browser, &session, destination.as_deref())
        }
        _ => signed_out(provider, &browser, destination.as_deref()),
    }
}

fn is_meant(hint: Option<&Hint>, session: &Authentication) -> bool {
    hint.is_some_and(|hint| hint.subject == session.account.subject)
}

/// An ID token may have expired long ago and still be a good hint (§2).
fn hint(provider: &Provider, params: &Params) -> Option<Hint> {
    let claims = provider.keys().verify(params.get("id_token_hint")?)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    // Access tokens have the same signatures, but another audience than a client.
    let client_id = text("aud").filter(|id| provider.client(id).is_some())?;
    Some(Hint { client_id, subject: text("sub")? })
}

/// Where to go afterwards: only to an address registered for the client that the hint or
/// `client_id` names, with the `state` that came.
fn destination(
    provider: &Provider,
    params: &Params,
    hint: Option<&Hint>,
) -> Result<Option<String>, &'static str> {
    if params.repeated().is_some() {
        return Err("The request repeats a parameter.");
    }
    let client = client(provider, params, hint)?;
    let Some(asked) = params.get("post_logout_redirect_uri") else { return Ok(None) };
    let client = client.ok_or("The request does not say which application it is from.")?;
    let mut registered = client.post_logout_redirect_uris.iter();
    if !registered.any(|registered| redirect_uri::matches(registered, asked)) {
        return Err("The address to go to is not one of the application's.");
    }
    let state = params.get("state").map(|state| ("state", state.to_owned()));
    Ok(Some(match state {
        Some(state) => with_parameters(asked, &[state]),
        None => asked.to_owned(),
    }))
}

fn client(
    provider: &Provider,
    params: &Params,
    hint: Option<&Hint>,
) -> Result<Option<Arc<Client>>, &'static str> {
    let named = params.get("client_id");
    if let (Some(named), Some(hint)) = (named, hint)
        && named != hint.client_id
    {
        return Err("The ID token is another application's.");
    }
    match named.or(hint.map(|hint| hint.client_id.as_str())) {
        None => Ok(None),
        Some(id) => {
            let known = provider.client(id).map(Some);
            known.ok_or("The application that sent you here is not registered.")
        }
    }
}

fn ask(
    provider: &Provider,
    browser: String,
    session: &Authentication,
    destination: Option<&str>,
) -> Response {
    let asked = provider.browsers().ask_sign_out(browser, destination, provider.now());
    let page = asked.map(|token| pages::sign_out::question(session.account, &token, destination));
    page.map_or_else(
        |_| {
            let why = "This provider has no randomness to ask a question with.";
            pages::problem(StatusCode::INTERNAL_SERVER_ERROR, why)
        },
        |page| page.send(StatusCode::OK),
    )
}

/// `POST /sign-out`: the person's answer.
pub(crate) async fn confirmed(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    let browser = browser::named_by(&headers, &provider).unwrap_or_default();
    let token = inbound.form.get("token").unwrap_or_default();
    let pending = provider.browsers().take_sign_out(token, &browser, provider.now());
    match (pending, inbound.form.get("decision")) {
        (None, _) => {
            let why = "This form did not come from a page of this provider.";
            pages::problem(StatusCode::FORBIDDEN, why)
        }
        (Some(pending), Some("sign-out")) => {
            signed_out(&provider, &browser, pending.destination.as_deref())
        }
        (Some(_), _) => pages::sign_out::stayed().send(StatusCode::OK),
    }
}

fn signed_out(provider: &Provider, browser: &str, destination: Option<&str>) -> Response {
    provider.browsers().sign_out(browser);
    let mut response = match destination {
        Some(destination) => see_other(destination),
        None => pages::sign_out::done().send(StatusCode::OK),
    };
    browser::unname_it(&mut response, provider);
    response
}
