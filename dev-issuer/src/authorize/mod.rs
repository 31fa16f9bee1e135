//! The authorization endpoint and the pages that a sign-in leads through.
//!
//! 1. [`request`] parses and judges what came.
//! 2. [`step`] says what is missing.
//! 3. [`sign_in`], [`choose`], [`second_factor`] and [`consent`] ask for it, each bound to the browser
//!    that began and to a token in its form.
//! 4. [`answer`] sends the browser back with a code or an error. Where a device waits instead
//!    (`device/`), the last page says so.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::authorize::answer::{Answer, see_other};
use crate::authorize::prompt::{Prompt, Prompts};
use crate::authorize::request::{AnswerTo, AuthorizationRequest, CodeRequest, Refusal};
use crate::authorize::step::{Standing, Step};
use crate::browser::{self, Authentication, Interaction};
use crate::error::OAuthError;
use crate::grants::{CodeTerms, Grant, Subject};
use crate::params::Params;
use crate::provider::{Provider, Shared};
use crate::wire::Inbound;
use crate::{device, pages, secret};

pub(crate) mod answer;
pub(crate) mod choose;
pub(crate) mod consent;
pub(crate) mod prompt;
pub(crate) mod request;
pub(crate) mod second_factor;
pub(crate) mod sign_in;
mod step;

/// `GET /authorize`.
pub(crate) async fn by_query(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    authorize(&provider, &headers, &inbound.query)
}

/// `POST /authorize`, which OpenID Connect Core §3.1.2.1 asks for too.
pub(crate) async fn by_form(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    authorize(&provider, &headers, &inbound.form)
}

fn authorize(provider: &Provider, headers: &HeaderMap, params: &Params) -> Response {
    let request = match request::from_browser(params, provider) {
        Ok(request) => request,
        Err(Refusal::Page(why)) => return pages::problem(StatusCode::BAD_REQUEST, why),
        Err(Refusal::Redirect(to, error)) => return Answer::failure(error).send(&to, provider),
    };
    begin(provider, headers, &request)
}

/// Begins what a request asks of the person behind a browser.
pub(crate) fn begin(
    provider: &Provider,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
) -> Response {
    let browser = browser::named_by(headers, provider);
    let begun = match &request.prompts {
        Prompts::Silent => silently(provider, browser.as_deref(), request),
        Prompts::Asking(prompts) => with_pages(provider, browser, request, prompts.clone()),
    };
    begun.unwrap_or_else(|error| refuse(provider, request, error))
}

/// Ends a request with an error, told to whoever waits for its answer.
fn refuse(provider: &Provider, request: &AuthorizationRequest, error: OAuthError) -> Response {
    match &request.answer_to {
        AnswerTo::Browser(code) => Answer::failure(error).send(&code.address, provider),
        AnswerTo::Device(user_code) => device::verification::denied(provider, user_code),
    }
}

/// `prompt=none`: everything is known already, or the answer is an error.
fn silently(
    provider: &Provider,
    browser: Option<&str>,
    request: &AuthorizationRequest,
) -> Result<Response, OAuthError> {
    let session = session(provider, browser, request);
    let consented = session.as_ref().is_some_and(|session| consented(provider, session, request));
    let standing = Standing::of(session.as_ref(), request);
    match (step::next(&BTreeSet::new(), standing, consented), session) {
        (Step::Grant, Some(session)) => grant(provider, &session, request),
        (Step::Consent, _) => {
            Err(OAuthError::new("consent_required", "the person has not consented yet"))
        }
        _ => Err(OAuthError::new("login_required", "nobody is signed in, or not surely enough")),
    }
}

fn with_pages(
    provider: &Provider,
    browser: Option<String>,
    request: &AuthorizationRequest,
    mut remaining: BTreeSet<Prompt>,
) -> Result<Response, OAuthError> {
    if session(provider, browser.as_deref(), request).is_none() {
        remaining.insert(Prompt::Login);
    }
    let newcomer = browser.is_none();
    let browser = browser.map_or_else(secret::fresh, Ok)?;
    let interaction =
        Interaction::new(browser.clone(), request.clone(), remaining, provider.now())?;
    provider.browsers().open(interaction.clone(), provider.now());
    let mut response = advance(provider, &interaction);
    if newcomer {
        browser::name_it(&mut response, provider, &browser);
    }
    Ok(response)
}

/// The browser's session, if there is one that does for this request.
fn session(
    provider: &Provider,
    browser: Option<&str>,
    request: &AuthorizationRequest,
) -> Option<Authentication> {
    let session = provider.browsers().session(browser?).cloned()?;
    step::session_suffices(&session, request, provider.now()).then_some(session)
}

fn consented(
    provider: &Provider,
    session: &Authentication,
    request: &AuthorizationRequest,
) -> bool {
    provider.browsers().has_consented(session.account, request)
}

/// Sends the browser to what comes next.
fn advance(provider: &Provider, interaction: &Interaction) -> Response {
    let session = provider.browsers().session(&interaction.browser).cloned();
    let request = &interaction.request;
    let consented = session.as_ref().is_some_and(|session| consented(provider, session, request));
    let page = |path: &str| see_other(&format!("{path}?interaction={}", interaction.id));
    let standing = Standing::of(session.as_ref(), request);
    match (step::next(&interaction.remaining, standing, consented), session) {
        (Step::Choose, _) => page("/choose"),
        (Step::SecondFactor, _) => page("/second-factor"),
        (Step::Consent, _) => page("/consent"),
        (Step::Grant, Some(session)) => {
            provider.browsers().close(&interaction.id);
            grant(provider, &session, request)
                .unwrap_or_else(|error| refuse(provider, request, error))
        }
        (Step::SignIn | Step::Grant, _) => page("/sign-in"),
    }
}

/// Opens a session, under a new name for the browser, strikes off what has been done with it, and
/// goes on.
fn open_session(
    provider: &Provider,
    interaction: &Interaction,
    session: Authentication,
    done: &[Prompt],
) -> Response {
    let Ok(browser) = secret::fresh() else {
        let why = "This provider has no randomness to make a session of.";
        return pages::problem(StatusCode::INTERNAL_SERVER_ERROR, why);
    };
    let mut browsers = provider.browsers();
    browsers.sign_in(&interaction.browser, &browser, session);
    let done = browsers.done(&interaction.id, done);
    drop(browsers);
    let mut response = advance(provider, done.as_ref().unwrap_or(interaction));
    browser::name_it(&mut response, provider, &browser);
    response
}

/// Ends a sign-in with `access_denied`.
fn deny(provider: &Provider, interaction: &Interaction) -> Response {
    provider.browsers().close(&interaction.id);
    let error = OAuthError::new("access_denied", "the person said no");
    refuse(provider, &interaction.request, error)
}

fn grant(
    provider: &Provider,
    session: &Authentication,
    request: &AuthorizationRequest,
) -> Result<Response, OAuthError> {
    if request.subject.as_deref().is_some_and(|hinted| hinted != session.account.subject) {
        return Err(OAuthError::new("login_required", "someone else than the hinted signed in"));
    }
    let nonce = match &request.answer_to {
        AnswerTo::Browser(code) => code.nonce.clone(),
        AnswerTo::Device(_) => None,
    };
    let grant = Grant {
        client_id: request.client_id.clone(),
        subject: Subject::Person(session.clone()),
        scopes: request.scopes.clone(),
        resources: request.resources.clone(),
        nonce,
    };
    match &request.answer_to {
        AnswerTo::Browser(code) => send_code(provider, grant, code),
        AnswerTo::Device(user_code) => {
            Ok(device::verification::allowed(provider, user_code, grant))
        }
    }
}

fn send_code(
    provider: &Provider,
    grant: Grant,
    request: &CodeRequest,
) -> Result<Response, OAuthError> {
    let terms = CodeTerms {
        redirect_uri: request.address.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
        expires_at: provider.now() + provider.options.code_ttl.as_secs(),
    };
    let code = provider.grants().issue_code(grant, terms)?;
    Ok(Answer::success(code).send(&request.address, provider))
}

/// Finds the interaction that a page is for. A page that is too old, or another browser's, gets a
/// page that says so.
fn shown(
    provider: &Provider,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Interaction, Box<Response>> {
    let browser = browser::named_by(headers, provider);
    let open = params
        .get("interaction")
        .zip(browser)
        .and_then(|(id, browser)| provider.browsers().interaction(id, &browser, provider.now()));
    open.ok_or_else(|| {
        let why = "This sign-in has ended or was begun elsewhere. Start again in the application.";
        Box::new(pages::problem(StatusCode::BAD_REQUEST, why))
    })
}

/// The same for a form, which must also bring back its token.
fn submitted(
    provider: &Provider,
    headers: &HeaderMap,
    form: &Params,
) -> Result<Interaction, Box<Response>> {
    let interaction = shown(provider, headers, form)?;
    if secret::same(form.get("csrf").unwrap_or_default(), &interaction.csrf) {
        return Ok(interaction);
    }
    let why = "This form did not come from a page of this provider.";
    Err(Box::new(pages::problem(StatusCode::FORBIDDEN, why)))
}
