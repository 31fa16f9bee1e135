//! What is known of each browser: who is signed in, which sign-ins are under way, and what was
//! consented to before.
//!
//! A browser is named by a random cookie. The name changes at every sign-in, so that a value
//! planted beforehand is worth nothing (session fixation).

use std::collections::{BTreeSet, HashMap};
use std::io;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::accounts::Account;
use crate::acr::Acr;
use crate::authorize::prompt::Prompt;
use crate::authorize::request::AuthorizationRequest;
use crate::clock::UnixSeconds;
use crate::provider::Provider;
use crate::scope::ScopeSet;
use crate::secret;

/// How long a page may stay open before its form is refused, in seconds.
const INTERACTION_TTL: u64 = 30 * 60;

/// Who signed in, and when.
#[derive(Clone, Debug)]
pub(crate) struct Authentication {
    pub(crate) account: &'static Account,
    pub(crate) auth_time: UnixSeconds,
    /// How they proved who they are.
    pub(crate) acr: Acr,
    /// The `sid` claim.
    pub(crate) sid: String,
}

/// A sign-in under way: the request, and what the person must still do for it.
#[derive(Clone, Debug)]
pub(crate) struct Interaction {
    pub(crate) id: String,
    pub(crate) browser: String,
    /// Stands in every form of this interaction and comes back with it.
    pub(crate) csrf: String,
    pub(crate) request: AuthorizationRequest,
    pub(crate) remaining: BTreeSet<Prompt>,
    expires_at: UnixSeconds,
}

impl Interaction {
    pub(crate) fn new(
        browser: String,
        request: AuthorizationRequest,
        remaining: BTreeSet<Prompt>,
        now: UnixSeconds,
    ) -> io::Result<Self> {
        let (id, csrf) = (secret::fresh()?, secret::fresh()?);
        Ok(Self { id, browser, csrf, request, remaining, expires_at: now + INTERACTION_TTL })
    }
}

/// A logout that waits for the person's word. Its key is the form's anti-CSRF token.
#[derive(Clone, Debug)]
pub(crate) struct PendingSignOut {
    browser: String,
    /// Where to go afterwards.
    pub(crate) destination: Option<String>,
    expires_at: UnixSeconds,
}

#[derive(Debug, Default)]
struct Consent {
    scopes: ScopeSet,
    resources: BTreeSet<String>,
}

/// All browsers.
#[derive(Debug, Default)]
pub(crate) struct Browsers {
    sessions: HashMap<String, Authentication>,
    interactions: HashMap<String, Interaction>,
    sign_outs: HashMap<String, PendingSignOut>,
    consents: HashMap<(&'static str, String), Consent>,
}

impl Browsers {
    pub(crate) fn session(&self, browser: &str) -> Option<&Authentication> {
        self.sessions.get(browser)
    }

    /// Opens a session under a new name; what was under way under the old one goes on under it.
    pub(crate) fn sign_in(&mut self, old: &str, new: &str, authentication: Authentication) {
        self.sessions.remove(old);
        self.sessions.insert(new.to_owned(), authentication);
        for interaction in self.interactions.values_mut().filter(|open| open.browser == old) {
            new.clone_into(&mut interaction.browser);
        }
    }

    pub(crate) fn sign_out(&mut self, browser: &str) {
        self.sessions.remove(browser);
    }

    pub(crate) fn open(&mut self, interaction: Interaction, now: UnixSeconds) {
        self.interactions.retain(|_, open| now < open.expires_at);
        self.interactions.insert(interaction.id.clone(), interaction);
    }

    /// Finds an interaction, for the browser that began it only.
    pub(crate) fn interaction(
        &self,
        id: &str,
        browser: &str,
        now: UnixSeconds,
    ) -> Option<Interaction> {
        let open = self.interactions.get(id).filter(|open| now < open.expires_at)?;
        secret::same(&open.browser, browser).then(|| open.clone())
    }

    /// Strikes off what the person has just done.
    pub(crate) fn done(&mut self, id: &str, prompts: &[Prompt]) -> Option<Interaction> {
        let open = self.interactions.get_mut(id)?;
        open.remaining.retain(|prompt| !prompts.contains(prompt));
        Some(open.clone())
    }

    pub(crate) fn close(&mut self, id: &str) {
        self.interactions.remove(id);
    }

    pub(crate) fn has_consented(&self, account: &Account, request: &AuthorizationRequest) -> bool {
        let key = (account.username, request.client_id.clone());
        self.consents.get(&key).is_some_and(|consent| {
            request.scopes.is_within(&consent.scopes)
                && request.resources.iter().all(|resource| consent.resources.contains(resource))
        })
    }

    pub(crate) fn remember_consent(
        &mut self,
        account: &'static Account,
        request: &AuthorizationRequest,
    ) {
        let key = (account.username, request.client_id.clone());
        let consent = self.consents.entry(key).or_default();
        consent.scopes.extend(&request.scopes);
        consent.resources.extend(request.resources.iter().cloned());
    }

    /// Remembers a logout to be confirmed, and gives the token for its form.
    pub(crate) fn ask_sign_out(
        &mut self,
        browser: String,
        destination: Option<&str>,
        now: UnixSeconds,
    ) -> io::Result<String> {
        self.sign_outs.retain(|_, pending| now < pending.expires_at);
        let token = secret::fresh()?;
        let destination = destination.map(str::to_owned);
        let expires_at = now + INTERACTION_TTL;
        self.sign_outs.insert(token.clone(), PendingSignOut { browser, destination, expires_at });
        Ok(token)
    }

    /// Takes a logout that was asked about, once and for the browser that was asked.
    pub(crate) fn take_sign_out(
        &mut self,
        token: &str,
        browser: &str,
        now: UnixSeconds,
    ) -> Option<PendingSignOut> {
        let pending = self.sign_outs.get(token).filter(|pending| now < pending.expires_at)?;
        if !secret::same(&pending.browser, browser) {
            return None;
        }
        self.sign_outs.remove(token)
    }
}

/// The browser's name, from its cookie.
pub(crate) fn named_by(headers: &HeaderMap, provider: &Provider) -> Option<String> {
    let wanted = cookie_name(provider);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    cookies
        .map(|(name, value)| (name.trim(), value.trim()))
        .find_map(|(name, value)| (name == wanted && !value.is_empty()).then(|| value.to_owned()))
}

/// Makes an answer name the browser.
pub(crate) fn name_it(response: &mut Response, provider: &Provider, browser: &str) {
    set_cookie(response, &format!("{}={browser}; {ATTRIBUTES}", cookie_name(provider)));
}

/// Makes an answer take the name away.
pub(crate) fn unname_it(response: &mut Response, provider: &Provider) {
    set_cookie(response, &format!("{}=; Max-Age=0; {ATTRIBUTES}", cookie_name(provider)));
}

/// No `Secure`: this is plain HTTP on loopback.
const ATTRIBUTES: &str = "Path=/; HttpOnly; SameSite=Lax";

/// Cookies do not know ports, so the name does: two issuers on one host keep apart.
fn cookie_name(provider: &Provider) -> String {
    let port = provider.url.rsplit(':').next().unwrap_or_default();
    format!("dev_issuer_{port}")
}

fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}
