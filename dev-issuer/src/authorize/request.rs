//! The authorization request, parsed and judged.
//!
//! The client and the redirect URI come first: until both are known, errors go on a page of ours
//! and never to an address that a stranger chose (RFC 6749 §4.1.2.1). After that, every error is
//! sent to the client.

use std::sync::Arc;

use crate::acr::Acr;
use crate::authorize::answer::ReturnAddress;
use crate::authorize::prompt::Prompts;
use crate::device::UserCode;
use crate::error::OAuthError;
use crate::jose::Thumbprint;
use crate::options::{Client, GrantType, Offer, Options};
use crate::params::Params;
use crate::provider::Provider;
use crate::scope::ScopeSet;
use crate::{dpop, par, redirect_uri, resource};

/// A request that may be served.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    pub(crate) client_name: String,
    pub(crate) scopes: ScopeSet,
    pub(crate) resources: Vec<String>,
    pub(crate) answer_to: AnswerTo,
    pub(crate) prompts: Prompts,
    pub(crate) login_hint: Option<String>,
    /// How surely the person must have signed in.
    pub(crate) acr: Acr,
    /// The greatest age of the sign-in, in seconds.
    pub(crate) max_age: Option<u64>,
    /// The subject that `id_token_hint` names.
    pub(crate) subject: Option<String>,
}

/// Who waits for the person's answer.
#[derive(Clone, Debug)]
pub(crate) enum AnswerTo {
    /// The application behind the browser: it gets a code.
    Browser(CodeRequest),
    /// A device that shows this code, and polls.
    Device(UserCode),
}

/// What a code is to be sent to and bound to.
#[derive(Clone, Debug)]
pub(crate) struct CodeRequest {
    pub(crate) address: ReturnAddress,
    pub(crate) nonce: Option<String>,
    /// The S256 challenge (RFC 7636 §4.2).
    pub(crate) challenge: String,
    /// The key that the code's tokens must be bound to (RFC 9449 §10).
    pub(crate) dpop_jkt: Option<Thumbprint>,
}

impl AnswerTo {
    /// Where the browser goes in the end, if it is sent anywhere.
    pub(crate) fn redirect_uri(&self) -> Option<&str> {
        match self {
            Self::Browser(code) => Some(&code.address.redirect_uri),
            Self::Device(_) => None,
        }
    }
}

/// Why a request is not served, and who is told.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The person, on a page: there is no address that could be trusted.
    Page(&'static str),
    /// The client.
    Redirect(ReturnAddress, OAuthError),
}

/// Takes what a browser brought to the authorization endpoint: a request, or the name of a pushed
/// one.
pub(crate) fn from_browser(
    params: &Params,
    provider: &Provider,
) -> Result<AuthorizationRequest, Refusal> {
    let offer = provider.options.par;
    match params.get("request_uri").filter(|uri| par::is_request_uri(uri)) {
        Some(request_uri) if offer.is_served() => pushed(params, request_uri, provider),
        _ if offer == Offer::Required => Err(not_pushed(params, provider)),
        _ => parse(params, None, provider),
    }
}

fn not_pushed(params: &Params, provider: &Provider) -> Refusal {
    let address = client(params, provider).and_then(|client| return_address(params, &client));
    match address {
        Ok(address) => Refusal::Redirect(address, par::required()),
        Err(refusal) => refusal,
    }
}

/// With a pushed request come two parameters and no third: what the browser adds, nobody vouches
/// for (RFC 9126 §4).
fn pushed(
    params: &Params,
    request_uri: &str,
    provider: &Provider,
) -> Result<AuthorizationRequest, Refusal> {
    let client = client(params, provider)?;
    let mut names: Vec<&str> = params.names().collect();
    names.sort_unstable();
    if names != ["client_id", "request_uri"] {
        return Err(Refusal::Page("The request adds to what the application has pushed."));
    }
    let request = provider.pushed().take(request_uri, &client.id, provider.now());
    request.ok_or(Refusal::Page("The pushed request has ended, was used, or never existed."))
}

/// Parses and judges a request, whoever brought it, and with it the key that it proved.
pub(crate) fn parse(
    params: &Params,
    proven: Option<Thumbprint>,
    provider: &Provider,
) -> Result<AuthorizationRequest, Refusal> {
    let client = client(params, provider)?;
    let address = return_address(params, &client)?;
    let judged = judge(params, &client, &address, proven, provider);
    judged.map_err(|error| Refusal::Redirect(address, error))
}

fn client(params: &Params, provider: &Provider) -> Result<Arc<Client>, Refusal> {
    if params.is_repeated("client_id") {
        return Err(Refusal::Page("The request names its application more than once."));
    }
    let client = params.get("client_id").and_then(|id| provider.client(id));
    client.ok_or(Refusal::Page("The application that sent you here is not registered."))
}

fn return_address(params: &Params, client: &Client) -> Result<ReturnAddress, Refusal> {
    if params.is_repeated("redirect_uri") {
        return Err(Refusal::Page("The request says more than once where to return to."));
    }
    let asked = params
        .get("redirect_uri")
        .ok_or(Refusal::Page("The request does not say where to return to."))?;
    if !client.redirect_uris.iter().any(|registered| redirect_uri::matches(registered, asked)) {
        return Err(Refusal::Page("The address to return to is not one of the application's."));
    }
    let state = params.get("state").filter(|_| !params.is_repeated("state"));
    Ok(ReturnAddress { redirect_uri: asked.to_owned(), state: state.map(str::to_owned) })
}

fn judge(
    params: &Params,
    client: &Client,
    address: &ReturnAddress,
    proven: Option<Thumbprint>,
    provider: &Provider,
) -> Result<AuthorizationRequest, OAuthError> {
    if params.repeated().is_some() {
        return Err(OAuthError::repeated_parameter());
    }
    client.may_use(GrantType::AuthorizationCode)?;
    no_unsupported(params)?;
    code_flow(params)?;
    let code = CodeRequest {
        address: address.clone(),
        nonce: params.get("nonce").map(str::to_owned),
        challenge: challenge(params)?,
        dpop_jkt: dpop_jkt(params, proven, &provider.options)?,
    };
    Ok(AuthorizationRequest {
        client_id: client.id.clone(),
        client_name: client.name.clone(),
        scopes: scopes(params, &provider.options)?,
        resources: resource::asked(params, provider)?,
        answer_to: AnswerTo::Browser(code),
        prompts: Prompts::parse(params.get("prompt"))?,
        login_hint: params.get("login_hint").map(str::to_owned),
        acr: acr(params)?,
        max_age: max_age(params)?,
        subject: hinted_subject(params, provider)?,
    })
}

fn no_unsupported(params: &Params) -> Result<(), OAuthError> {
    let unsupported = [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ];
    match unsupported.into_iter().find(|(name, _)| params.get(name).is_some()) {
        Some((name, code)) => Err(OAuthError::new(code, format!("{name} is not supported"))),
        None => Ok(()),
    }
}

fn code_flow(params: &Params) -> Result<(), OAuthError> {
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => {
            let text = "only the code flow is served";
            return Err(OAuthError::new("unsupported_response_type", text));
        }
        None => return Err(OAuthError::invalid_request("response_type is missing")),
    }
    match params.get("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(OAuthError::invalid_request("only response_mode query is served")),
    }
}

/// The scopes that are asked for: some, and all of them known.
pub(crate) fn scopes(params: &Params, options: &Options) -> Result<ScopeSet, OAuthError> {
    let asked = ScopeSet::parse(params.get("scope").unwrap_or_default());
    if asked.is_empty() {
        return Err(OAuthError::invalid_scope("no scope is asked for"));
    }
    if asked.names().any(|name| options.supported_scopes().all(|known| known != name)) {
        return Err(OAuthError::invalid_scope("a scope is not known here"));
    }
    Ok(asked)
}

/// S256 makes 32 bytes of every verifier, which base64url writes as 43 characters.
fn challenge(params: &Params) -> Result<String, OAuthError> {
    let challenge = params.get("code_challenge").ok_or_else(|| {
        OAuthError::invalid_request("code_challenge is missing: PKCE is required")
    })?;
    if params.get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request("code_challenge_method must be S256"));
    }
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if challenge.len() != 43 || !challenge.bytes().all(base64url) {
        return Err(OAuthError::invalid_request("code_challenge is no S256 challenge"));
    }
    Ok(challenge.to_owned())
}

/// A proof at the push says the same as `dpop_jkt` (RFC 9449 §10.1).
fn dpop_jkt(
    params: &Params,
    proven: Option<Thumbprint>,
    options: &Options,
) -> Result<Option<Thumbprint>, OAuthError> {
    let Some(text) = params.get("dpop_jkt").filter(|_| options.dpop.is_served()) else {
        return Ok(proven);
    };
    let named = Thumbprint::parse(text);
    let named = named.ok_or_else(|| OAuthError::invalid_request("dpop_jkt is no thumbprint"))?;
    match proven {
        Some(proven) if proven != named => Err(dpop::invalid("the proof's key is not dpop_jkt")),
        _ => Ok(Some(named)),
    }
}

/// The class that the client prefers. Where it names none that is known here, none of them could be
/// met (RFC 9470 §5).
fn acr(params: &Params) -> Result<Acr, OAuthError> {
    let Some(values) = params.get("acr_values") else { return Ok(Acr::Password) };
    Acr::first_known(values).ok_or_else(|| {
        OAuthError::new("unmet_authentication_requirements", "no such acr is known here")
    })
}

fn max_age(params: &Params) -> Result<Option<u64>, OAuthError> {
    let parse = |text: &str| text.parse().map_err(|_| bad_max_age());
    params.get("max_age").map(parse).transpose()
}

fn bad_max_age() -> OAuthError {
    OAuthError::invalid_request("max_age is a number of seconds")
}

fn hinted_subject(params: &Params, provider: &Provider) -> Result<Option<String>, OAuthError> {
    let Some(hint) = params.get("id_token_hint") else { return Ok(None) };
    let claims = provider.keys().verify(hint);
    match claims.and_then(|claims| claims.get("sub")?.as_str().map(str::to_owned)) {
        Some(subject) => Ok(Some(subject)),
        None => Err(OAuthError::invalid_request("id_token_hint is no ID token of this issuer")),
    }
}
