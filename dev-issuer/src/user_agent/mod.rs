//! A small user agent for this provider's own pages: the browser and the person in tests and in
//! the demo.
//!
//! It keeps cookies as a browser does, follows redirects by hand, fills in the sign-in form and
//! answers the consent page. It runs no script and understands no pages but ours.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use url::Url;

use self::cookies::CookieJar;
use self::html::Form;

mod cookies;
mod html;

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
    /// The journey ended before the person could answer, on a page that has no form for it.
    #[error("{address} is no page of a sign-in: {title}")]
    UnexpectedPage {
        /// The address without its query.
        address: String,
        /// The page's title.
        title: String,
    },
}

/// A browser of its own: clones nothing, shares nothing, forgets all when dropped.
pub struct UserAgent {
    http: Client,
    cookies: Mutex<CookieJar>,
}

/// What one journey has seen so far.
#[derive(Default)]
struct Journey {
    steps: Vec<String>,
    signed_in: bool,
}

/// A page as it came.
struct Page {
    url: Url,
    status: StatusCode,
    body: String,
}

/// What a request led to: a page, or an address outside that is not visited yet.
enum Arrival {
    Page(Page),
    Outside(Url),
}

impl UserAgent {
    /// Makes a browser without cookies. It reaches loopback without a proxy and trusts no
    /// certificate at all, since there is none to meet.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built.
    pub fn new() -> Result<Self, UserAgentError> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .tls_certs_only([])
            .build();
        let http = client.map_err(|source| unreachable("the network".to_owned(), source))?;
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
        let mut journey = Journey::default();
        let arrival =
            self.walk(authorization_url, username, password, consent, &mut journey).await?;
        let page = match arrival {
            Arrival::Outside(url) => self.follow(self.http.get(url.clone()), url, None).await?,
            page @ Arrival::Page(_) => page,
        };
        Ok(journey.ended_at(page))
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
        let mut journey = Journey::default();
        match self.walk(authorization_url, username, password, consent, &mut journey).await? {
            Arrival::Outside(url) => Ok(url),
            Arrival::Page(page) => Err(UserAgentError::UnexpectedPage {
                address: without_query(&page.url),
                title: html::title(&page.body),
            }),
        }
    }

    /// Goes to an address, with the cookies of earlier journeys, and follows redirects.
    pub async fn visit(&self, url: &str) -> Result<Visit, UserAgentError> {
        let url = Url::parse(url)?;
        let arrival = self.follow(self.http.get(url.clone()), url, None).await?;
        Ok(Journey::default().ended_at(arrival))
    }

    /// Goes from page to page of the provider, doing what each asks for.
    async fn walk(
        &self,
        authorization_url: &str,
        username: &str,
        password: &str,
        consent: Consent,
        journey: &mut Journey,
    ) -> Result<Arrival, UserAgentError> {
        let url = Url::parse(authorization_url)?;
        let home = url.origin();
        let mut arrival = self.follow(self.http.get(url.clone()), url, Some(&home)).await?;
        loop {
            let Arrival::Page(page) = &arrival else { return Ok(arrival) };
            let Some(form) = html::form(&page.body) else { return Ok(arrival) };
            let Some(filled) = journey.fill(page, form, username, password, consent)? else {
                return Ok(arrival);
            };
            let target = page.url.join(&filled.action)?;
            let request = self.http.post(target.clone()).form(&filled.fields);
            arrival = self.follow(request, target, Some(&home)).await?;
        }
    }

    /// Sends a request and follows redirects, inside `home` only where one is given.
    async fn follow(
        &self,
        request: RequestBuilder,
        url: Url,
        home: Option<&url::Origin>,
    ) -> Result<Arrival, UserAgentError> {
        let (mut request, mut url) = (request, url);
        for _ in 0..HOPS {
            let response = self.send(request, &url).await?;
            if !response.status().is_redirection() {
                return self.page(response, url).await;
            }
            let next = location(&response, &url).ok_or_else(|| bad_redirect(&url))?;
            if home.is_some_and(|home| *home != next.origin()) {
                return Ok(Arrival::Outside(next));
            }
            (request, url) = (self.http.get(next.clone()), next);
        }
        Err(bad_redirect(&url))
    }

    async fn send(&self, request: RequestBuilder, url: &Url) -> Result<Response, UserAgentError> {
        let cookies = self.jar().header(url);
        let request = match cookies {
            Some(cookies) => request.header(COOKIE, cookies),
            None => request,
        };
        let response =
            request.send().await.map_err(|source| unreachable(without_query(url), source))?;
        let mut jar = self.jar();
        for cookie in response.headers().get_all(SET_COOKIE) {
            jar.take(url, cookie.to_str().unwrap_or_default());
        }
        drop(jar);
        Ok(response)
    }

    async fn page(&self, response: Response, url: Url) -> Result<Arrival, UserAgentError> {
        let status = response.status();
        let body =
            response.text().await.map_err(|source| unreachable(without_query(&url), source))?;
        Ok(Arrival::Page(Page { url, status, body }))
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

impl Journey {
    /// Fills in a form as the person would, or gives nothing for a form that is not of a sign-in.
    fn fill(
        &mut self,
        page: &Page,
        mut form: Form,
        username: &str,
        password: &str,
        consent: Consent,
    ) -> Result<Option<Form>, UserAgentError> {
        match form.action.as_str() {
            "/sign-in" if self.signed_in => {
                return Err(UserAgentError::WrongPassword { text: html::alert(&page.body) });
            }
            "/sign-in" => {
                self.signed_in = true;
                form.set("username", username);
                form.set("password", password);
                form.set("decision", "sign-in");
                self.steps.push("sign-in page of Dev Issuer".to_owned());
            }
            "/choose" => {
                let stay = html::text(&page.body).contains(&format!("{username}@"));
                form.set("decision", if stay { "stay" } else { "another" });
                self.steps.push("choice of an account".to_owned());
            }
            "/consent" => {
                form.set("decision", if consent == Consent::Allow { "allow" } else { "deny" });
                self.steps.push("consent page".to_owned());
            }
            _ => return Ok(None),
        }
        Ok(Some(form))
    }

    fn ended_at(self, arrival: Arrival) -> Visit {
        let Self { mut steps, .. } = self;
        let (url, status, body) = match arrival {
            Arrival::Page(page) => (page.url, page.status.as_u16(), page.body),
            Arrival::Outside(url) => (url, 0, String::new()),
        };
        let (title, text) = (html::title(&body), html::text(&body));
        steps.push(format!("final page: {}", if title.is_empty() { &text } else { &title }));
        Visit { url, status, title, text, steps }
    }
}

fn location(response: &Response, base: &Url) -> Option<Url> {
    base.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}

fn bad_redirect(url: &Url) -> UserAgentError {
    UserAgentError::BadRedirect { address: without_query(url) }
}

fn unreachable(address: String, source: reqwest::Error) -> UserAgentError {
    // The error would otherwise print the whole address, code and all.
    UserAgentError::Unreachable { address, source: source.without_url() }
}

fn without_query(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    bare.into()
}
