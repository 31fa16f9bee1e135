//! Between the words of the wire and those of the core. Both doors use the same.

use std::time::Duration;

use authbroker_client::wire::{SecretText, broker1 as wire};
use authbroker_core::caller::Caller;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::lifecycle::{Need, SignOutReach};
use authbroker_core::request::{
    AccountRef, CodePage, SignInRequest, SignOutRequest, TokenRequest, Way,
};
use authbroker_core::resource::{Resource, Resources};
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use authbroker_core::time::UnixTime;
use authbroker_core::token::TokenType;
use http::HeaderName;
use http::header::AUTHORIZATION;
use url::Url;

use crate::broker::{
    AccountView, ChallengeReport, Given, Headers, HeadersRequest, Reaction, Terms,
};
use crate::platform::clock;
use crate::sign_ins::Phase;

pub(super) fn token_request(wire: &wire::GetToken) -> Result<TokenRequest, Failure> {
    let least = Duration::from_secs(u64::from(wire.min_ttl.unwrap_or(0)));
    let need = if wire.force == Some(true) { Need::Renewed } else { Need::AtLeast(least) };
    Ok(TokenRequest {
        account: AccountRef::new(wire.account.clone()),
        resources: resources(&wire.resource)?,
        scopes: scopes(&wire.scopes)?,
        need,
        acr_values: wire.acr_values.clone(),
        max_age: wire.max_age.map(seconds),
        token_type: wire.token_type.as_deref().map(token_type).transpose()?,
        timeout: wire.timeout.map(seconds),
        correlation_id: wire.correlation_id.clone(),
    })
}

pub(super) fn headers_request(wire: &wire::GetHeaders) -> Result<HeadersRequest, Failure> {
    let token = token_request(&wire::GetToken {
        account: wire.account.clone(),
        resource: wire.resource.clone(),
        scopes: wire.scopes.clone(),
        min_ttl: wire.min_ttl,
        force: wire.force,
        max_age: wire.max_age,
        acr_values: wire.acr_values.clone(),
        token_type: wire.token_type.clone(),
        timeout: wire.timeout,
        correlation_id: wire.correlation_id.clone(),
    })?;
    let method = wire.method.parse().map_err(|_| {
        let message = format!("{:?} is no HTTP method", wire.method);
        Failure::new(Code::InvalidArgs, message, "say for example GET")
    })?;
    Ok(HeadersRequest { token, method, uri: uri(&wire.uri)? })
}

pub(super) fn challenge_report(wire: wire::ReportChallenge) -> Result<ChallengeReport, Failure> {
    let token = token_request(&wire::GetToken {
        account: wire.account,
        resource: wire.resource,
        scopes: wire.scopes,
        token_type: wire.token_type,
        correlation_id: wire.correlation_id,
        ..wire::GetToken::default()
    })?;
    Ok(ChallengeReport {
        token,
        uri: uri(&wire.uri)?,
        status: u16::try_from(wire.status).unwrap_or(0),
        www_authenticate: wire.www_authenticate,
        dpop_nonce: wire.dpop_nonce,
        ath: wire.ath,
    })
}

fn uri(text: &str) -> Result<Url, Failure> {
    Url::parse(text).map_err(|_| {
        let message = "uri is no absolute address";
        Failure::new(Code::InvalidArgs, message, "say the whole address of the request")
    })
}

pub(super) fn headers(headers: &Headers, correlation_id: Option<String>) -> wire::Headers {
    let token = token(&headers.given, correlation_id);
    // Letter case does not matter, and this is how people know them.
    let shown = |name: &HeaderName| if *name == AUTHORIZATION { "Authorization" } else { "DPoP" };
    let value = |value: &Secret| SecretText::from(value.expose().to_owned());
    let headers = headers.headers.iter();
    wire::Headers {
        headers: headers.map(|(name, text)| (shown(name).to_owned(), value(text))).collect(),
        token_type: token.token_type,
        expires_at: token.expires_at,
        scopes: token.scopes,
        resource: token.resource,
        account: token.account,
        subject: token.subject,
        acr: token.acr,
        correlation_id: token.correlation_id,
    }
}

pub(super) fn reaction(reaction: Reaction, correlation_id: Option<String>) -> wire::Reaction {
    let action = reaction.name().to_owned();
    let (terms, message) = match reaction {
        Reaction::Retry(terms) | Reaction::InteractionRequired(terms) => (terms, None),
        Reaction::NotMine(why) => (Terms::default(), Some(why.to_owned())),
    };
    wire::Reaction {
        action,
        scopes: terms.scopes.to_words(),
        acr_values: terms.step_up.acr_values,
        max_age: terms.step_up.max_age.map(|age| age.as_secs()),
        token_type: terms.token_type.map(|kind| kind.as_str().to_owned()),
        message,
        correlation_id,
    }
}

pub(super) fn acquire_request(wire: wire::Acquire) -> Result<SignInRequest, Failure> {
    Ok(SignInRequest {
        target: AccountRef::new(wire.account),
        way: Way::Configured,
        code_page: if wire.open == Some(true) { CodePage::Opened } else { CodePage::Told },
        scopes: scopes(&wire.scopes)?,
        resources: resources(&wire.resource)?,
        prompt: wire.prompt,
        acr_values: wire.acr_values,
        max_age: wire.max_age.map(seconds),
        token_type: wire.token_type.as_deref().map(token_type).transpose()?,
        login_hint: wire.login_hint,
        timeout: wire.timeout.map(seconds),
        correlation_id: wire.correlation_id,
    })
}

pub(super) fn sign_out_request(wire: wire::SignOut) -> SignOutRequest {
    let local = wire.local == Some(true);
    SignOutRequest {
        account: AccountRef::new(wire.account),
        reach: if local { SignOutReach::Local } else { SignOutReach::Provider },
        correlation_id: wire.correlation_id,
    }
}

pub(super) fn scopes(words: &[String]) -> Result<ScopeSet, Failure> {
    ScopeSet::from_words(words.iter().map(String::as_str)).map_err(|error| {
        Failure::new(Code::InvalidScope, error.to_string(), "brokerctl token --help")
    })
}

pub(super) fn resources(words: &[String]) -> Result<Resources, Failure> {
    words.iter().map(|word| Resource::parse(word)).collect::<Result<_, _>>().map_err(|error| {
        Failure::new(Code::InvalidTarget, error.to_string(), "brokerctl token --help")
    })
}

/// How a token is to be presented.
pub(super) fn token_type(word: &str) -> Result<TokenType, Failure> {
    TokenType::parse(word).ok_or_else(|| {
        let message = format!("{word:?} is no token type");
        Failure::new(Code::InvalidArgs, message, "say Bearer or DPoP")
    })
}

pub(super) fn seconds(count: u32) -> Duration {
    Duration::from_secs(u64::from(count))
}

/// The one place where an access token leaves the broker's own types for an app.
pub(super) fn token(given: &Given, correlation_id: Option<String>) -> wire::Token {
    wire::Token {
        access_token: given.access.value.expose().to_owned().into(),
        token_type: given.access.token_type().as_str().to_owned(),
        expires_at: given.expires_at.as_secs(),
        scopes: given.access.scopes.to_words(),
        resource: given.access.resources.iter().map(ToString::to_string).collect(),
        account: given.account.id.to_string(),
        subject: given.account.subject.clone(),
        acr: given.access.authentication.acr.clone(),
        correlation_id,
    }
}

pub(super) fn account(view: &AccountView) -> wire::Account {
    let account = &view.account;
    wire::Account {
        id: account.id.to_string(),
        provider: account.provider.to_string(),
        issuer: account.issuer.to_string(),
        username: account.username().to_owned(),
        label: account.label().to_owned(),
        subject: account.subject.clone(),
        picture: account.person.picture.clone().unwrap_or_default(),
        state: view.state.to_owned(),
        state_reason: view.reason.clone(),
        state_since: view.since.as_secs(),
        auth_time: account.auth_time.as_secs(),
        renewed_at: view.renewed.map_or(0, UnixTime::as_secs),
    }
}

pub(super) fn identity(caller: &Caller) -> wire::Identity {
    let (level, description) = (caller.level(), &caller.description);
    wire::Identity {
        level: level as u8,
        level_name: level.name().to_owned(),
        app: caller.app().to_string(),
        source: caller.identity.source().to_owned(),
        uid: caller.uid,
        pid: caller.pid,
        proves: caller.identity.proves().to_owned(),
        executable: description.executable.as_deref().map(str::to_owned),
        user_unit: description.user_unit.as_deref().map(str::to_owned),
        terminal: description.terminal.map(|terminal| terminal.leader),
        proxy: description.proxy.as_deref().map(str::to_owned),
    }
}

/// How a phase is told; the end is told otherwise.
pub(super) fn progress(phase: &Phase) -> Option<wire::Progress> {
    let named =
        |name: &str| wire::Progress { phase: Some(name.to_owned()), ..wire::Progress::default() };
    Some(match phase {
        Phase::Consent => named("consent"),
        Phase::Url(url) => wire::Progress { url: Some(url.to_string()), ..named("url") },
        Phase::DeviceCode { prompt, ends } => wire::Progress {
            url: Some(prompt.page.to_string()),
            user_code: Some(prompt.user_code.clone()),
            url_complete: prompt.complete.as_ref().map(ToString::to_string),
            expires_in: Some(clock::now().boot.until(*ends).as_secs()),
            ..named("device-code")
        },
        Phase::BrowserOpened => named("browser-opened"),
        Phase::BrowserMissing => {
            let message = "no browser could be opened; open the address by hand".to_owned();
            wire::Progress { message: Some(message), ..named("browser-missing") }
        }
        Phase::RejectedAnswer => {
            let message =
                "an answer came whose state is not this sign-in's; it was ignored".to_owned();
            wire::Progress { message: Some(message), ..named("rejected-answer") }
        }
        Phase::Exchanging => named("exchanging"),
        Phase::Report(text) => wire::Progress { message: Some(text.clone()), ..named("report") },
        Phase::EndSession(url) => {
            wire::Progress { url: Some(url.to_string()), ..named("end-session") }
        }
        Phase::Done(_) | Phase::Failed(_) => return None,
    })
}

pub(super) fn details(failure: &Failure, correlation_id: Option<String>) -> wire::ErrorDetails {
    let step_up = failure.step_up.as_deref().cloned().unwrap_or_default();
    wire::ErrorDetails {
        message: failure.message.clone(),
        hint: failure.hint.clone(),
        retry_after: failure.retry_after.map(|pause| pause.as_secs().max(1)),
        oauth_error: failure.oauth_error.clone(),
        acr_values: step_up.acr_values,
        max_age: step_up.max_age.map(|age| age.as_secs()),
        correlation_id,
    }
}
