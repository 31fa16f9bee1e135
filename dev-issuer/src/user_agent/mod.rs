//! A small user agent for this provider's own pages: the browser and the person in tests and in
//! the demo.
//!
//! It keeps cookies as a browser does, follows redirects by hand, fills in the sign-in form, types
//! the account's second factor where one is asked for, and answers the consent page. It runs no script and understands no pages but ours.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, redirect};
use url::{Origin, Url};

use self::cookies::CookieJar;
use self::html::{Form, Method};
use self::journey::Journey;

mod cookies;
mod html;
mod journey;

/// More hops than any sign-in has.
const HOPS: usize = 20;

/// What the person answers at the consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// "Allow".
    Allow,
    /// "Deny".
    Deny,
}

/// The page where a journey ended.
#[derive(Clone)]
pub struct Visit {
    /// Its address; `Debug` leaves out the query, which may hold a code.
    pub url: Url,
    /// Its status.
    pub status: u16,
    /// Its `<title>`.
    pub title: String,
    /// Its text, without markup and without what is in its `<head>`.
    pub text: String,
    /// The pages on the way, each in a few words.
    pub steps: Vec<String>,
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit")
            .field("url", &without_query(&self.url))
            .field("status", &self.status)
            .field("title", &self.title)
            .field("text", &self.text)
            .field("steps", &self.steps)
            .finish()
    }
}

/// Why a journey did not end at a page.
#[derive(Debug, thiserror::Error)]
pub enum UserAgentError {
    /// The address is none.
    #[error("this address cannot be read")]
    BadAddress(#[from] url::ParseError),
    /// There is nothing to send requests with.
    #[error("no HTTP client can be made")]
    NoClient {
        /// What the HTTP library said.
        #[source]
        source: reqwest::Error,
    },
    /// Nobody answered, or not in HTTP.
    #[error("{address} does not answer")]
    Unreachable {
        /// The address without its query.
        address: String,
        /// What the network said.
        #[source]
        source: reqwest::Error,
    },
    /// A redirect said nowhere to go, or one too many came.
    #[error("{address} redirects to nowhere or for ever")]
    BadRedirect {
        /// The address without its query.
        address: String,
    },
    /// The sign-in page came back.
    #[error("the sign-in page says: {text}")]
    WrongPassword {
        /// What the page said.
        text: String,
    },
    /// A page that asks for a code came back.
    #[error("the page that asks for a code says: {text}")]
    WrongCode {
        /// What the page said.
        text: String,
    },
    /// The journey ended before the person could answer, on a page that has no form for it.
    #[error("{address} is no page of a sign-in: {title}")]
    UnexpectedPage {
        /// The address without its query.
        address: String,
        /// The page's title.
        title: String,
    },
}

/// A browser of its own: shares no cookie with another and forgets all when dropped.
pub struct UserAgent {
    http: Client,
    cookies: Mutex<CookieJar>,
}

/// A page as it came.
struct Page {
    url: Url,
    status: u16,
    body: String,
}

/// What a request led to: a page, or an address outside that is not visited yet, with the form that
/// would be sent there.
enum Arrival {
    Page(Page),
    Outside(Url, Option<Form>),
}

impl UserAgent {
    /// Makes a browser without cookies. It reaches loopback without a proxy and trusts no
    /// certificate at all, since there is none to meet.
    pub fn new() -> Result<Self, UserAgentError> {
        let policy = redirect::Policy::none();
        let client = Client::builder().redirect(policy).no_proxy().tls_certs_only([]).build();
        let http = client.map_err(|source| UserAgentError::NoClient { source })?;
        Ok(Self { http, cookies: Mutex::default() })
    }

    /// Signs in and goes to where the provider sends the browser then: the application's loopback
    /// page, or a page of the provider that ends the journey (an error, say).
    pub async fn sign_in(
        &self,
        authorization_url: &str,
        username: &str,
        password: &str,
        consent: Consent,
    ) -> Result<Visit, UserAgentError> {
        self.go(authorization_url, Journey::new(username, password, consent)).await
    }

    /// Types a device's code at the `verification_uri`, signs in, and allows or denies, as a person
    /// does who holds the device (RFC 8628 §3.3). A `verification_uri_complete` will do as well: the
    /// code is in it, and is not typed then.
    pub async fn answer_device(
        &self,
        verification_uri: &str,
        user_code: &str,
        username: &str,
        password: &str,
        consent: Consent,
    ) -> Result<Visit, UserAgentError> {
        let journey = Journey::new(username, password, consent).for_device(user_code);
        self.go(verification_uri, journey).await
    }

    /// Signs in and gives the address that the provider sends the browser to, unvisited: for tests
    /// that are the application themselves.
    pub async fn answer(
        &self,
        authorization_url: &str,
        username: &str,
        password: &str,
        consent: Consent,
    ) -> Result<Url, UserAgentError> {
        let mut journey = Journey::new(username, password, consent);
        match self.walk(authorization_url, &mut journey).await? {
            Arrival::Outside(url, _) => Ok(url),
            Arrival::Page(page) => Err(UserAgentError::UnexpectedPage {
                address: without_query(&page.url),
                title: html::title(&page.body),
            }),
        }
    }

    /// Goes to an address, with the cookies of earlier journeys, and follows redirects.
    pub async fn visit(&self, url: &str) -> Result<Visit, UserAgentError> {
        Ok(self.follow(Url::parse(url)?, None).await?.ends(Vec::new()))
    }

    /// Walks through the provider's pages, and on to where they lead.
    async fn go(&self, url: &str, mut journey: Journey<'_>) -> Result<Visit, UserAgentError> {
        let page = match self.walk(url, &mut journey).await? {
            Arrival::Outside(url, form) => self.follow(url, form).await?,
            Arrival::Page(page) => page,
        };
        Ok(page.ends(journey.steps))
    }

    /// Goes from page to page of the provider, doing what each asks for.
    async fn walk(
        &self,
        authorization_url: &str,
        journey: &mut Journey<'_>,
    ) -> Result<Arrival, UserAgentError> {
        let url = Url::parse(authorization_url)?;
        let home = url.origin();
        let mut arrival = self.arrive(url, None, Some(&home)).await?;
        loop {
            let Arrival::Page(page) = &arrival else { return Ok(arrival) };
            let Some(form) = journey.filled_in(page)? else { return Ok(arrival) };
            let target = page.url.join(&form.action)?;
            arrival = self.arrive(target, Some(form), Some(&home)).await?;
        }
    }

    async fn follow(&self, url: Url, form: Option<Form>) -> Result<Page, UserAgentError> {
        let address = without_query(&url);
        match self.arrive(url, form, None).await? {
            Arrival::Page(page) => Ok(page),
            Arrival::Outside(..) => Err(UserAgentError::BadRedirect { address }),
        }
    }

    /// Sends a request and follows redirects; where `home` is given, only inside it.
    async fn arrive(
        &self,
        mut url: Url,
        mut form: Option<Form>,
        home: Option<&Origin>,
    ) -> Result<Arrival, UserAgentError> {
        for _ in 0..HOPS {
            let response = self.send(&url, form.as_ref()).await?;
            if !response.status().is_redirection() {
                return Page::read(url, response).await.map(Arrival::Page);
            }
            url = location(&response, &url)?;
            if !keeps_the_form(&response) {
                form = None;
            }
            if home.is_some_and(|home| *home != url.origin()) {
                return Ok(Arrival::Outside(url, form));
            }
        }
        Err(UserAgentError::BadRedirect { address: without_query(&url) })
    }

    /// Sends one request, as the form wants if there is one, and takes in the cookies of the answer.
    async fn send(&self, url: &Url, form: Option<&Form>) -> Result<Response, UserAgentError> {
        let request = match form {
            None => self.http.get(url.clone()),
            Some(form) if form.method == Method::Get => {
                let mut url = url.clone();
                url.query_pairs_mut().clear().extend_pairs(&form.fields);
                self.http.get(url)
            }
            Some(form) => self.http.post(url.clone()).form(&form.fields),
        };
        let request = match self.jar().header(url) {
            Some(cookies) => request.header(COOKIE, cookies),
            None => request,
        };
        let response = request.send().await.map_err(unreachable(url))?;
        let mut jar = self.jar();
        for cookie in response.headers().get_all(SET_COOKIE) {
            jar.take(url, cookie.to_str().unwrap_or_default());
        }
        drop(jar);
        Ok(response)
    }

    fn jar(&self) -> MutexGuard<'_, CookieJar> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for UserAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserAgent(…)")
    }
}

impl Page {
    async fn read(url: Url, response: Response) -> Result<Self, UserAgentError> {
        let status = response.status().as_u16();
        let body = response.text().await.map_err(unreachable(&url))?;
        Ok(Self { url, status, body })
    }

    /// Makes this page the end of a journey.
    fn ends(self, mut steps: Vec<String>) -> Visit {
        let (title, text) = (html::title(&self.body), html::text(&self.body));
        steps.push(format!("final page: {}", if title.is_empty() { &text } else { &title }));
        Visit { url: self.url, status: self.status, title, text, steps }
    }
}

fn location(response: &Response, base: &Url) -> Result<Url, UserAgentError> {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let nowhere = || UserAgentError::BadRedirect { address: without_query(base) };
    base.join(location.ok_or_else(nowhere)?).map_err(|_| nowhere())
}

/// Whether a redirect asks for the same request once more (RFC 9110 §15.4.8, §15.4.9).
fn keeps_the_form(response: &Response) -> bool {
    matches!(response.status().as_u16(), 307 | 308)
}

/// The error would otherwise print the whole address, code and all.
fn unreachable(url: &Url) -> impl Fn(reqwest::Error) -> UserAgentError {
    let address = without_query(url);
    move |source| UserAgentError::Unreachable {
        address: address.clone(),
        source: source.without_url(),
    }
}

fn without_query(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    bare.into()
}
