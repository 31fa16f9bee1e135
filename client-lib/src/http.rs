//! Requests to APIs, with a token and what their answers ask for.
//!
//! 1. The broker gives the headers of each request: the token, and a proof of its key where it is
//!    bound to one. The key never leaves the broker.
//! 2. Where the API refuses it, the broker is told why, and does what can be done without a person.
//! 3. Then the request is sent once more, with headers asked for anew. There is no third time.
//!
//! [`send_with`] works with any HTTP client whose headers are those of the `http` crate. With the
//! feature `reqwest`, `send` does it with the client that most apps have:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use authbroker_client::{Client, TokenRequest, http};
//!
//! let (broker, web) = (Client::connect().await?, reqwest::Client::new());
//! let request = web.get("https://api.example/mail").build()?;
//! let answer = http::send(&broker, &web, request, &TokenRequest::new()).await?;
//! println!("{}", answer.text().await?);
//! # Ok(()) }
//! ```
//!
//! What a person must do first comes as [`Error::InteractionRequired`]: give its terms to
//! [`AcquireRequest::from`], and try again afterwards.

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::client::Client;
use crate::request::{AcquireRequest, Challenge, TokenRequest};
use crate::wire::broker1::{Headers, Reaction};

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error<E> {
    /// The broker gives no token.
    #[error(transparent)]
    Broker(#[from] crate::Error),
    /// The API asks for what only a person can do: sign in again, more strongly, or for more.
    #[error("the API asks for another sign-in")]
    InteractionRequired(Box<Interaction>),
    /// The HTTP client could not send it.
    #[error(transparent)]
    Http(E),
}

/// What to ask a person for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interaction {
    request: TokenRequest,
    reaction: Reaction,
}

impl Interaction {
    /// What is missing for a token that is asked for with `request`.
    pub const fn new(request: TokenRequest, terms: Reaction) -> Self {
        Self { request, reaction: terms }
    }

    /// What the API asks for, to tell the person why: how recent or strong the sign-in must be, or
    /// what else it must cover.
    pub const fn terms(&self) -> &Reaction {
        &self.reaction
    }
}

impl From<&Interaction> for AcquireRequest {
    fn from(interaction: &Interaction) -> Self {
        let TokenRequest(token) = interaction.request.clone().on_terms(&interaction.reaction);
        let mut acquire = Self::new();
        acquire.0.account = token.account;
        acquire.0.resource = token.resource;
        acquire.0.scopes = token.scopes;
        acquire.0.acr_values = token.acr_values;
        acquire.0.max_age = token.max_age;
        acquire.0.token_type = interaction.reaction.token_type.clone().or(token.token_type);
        acquire
    }
}

/// What is looked at in an API's answer.
pub trait Answer {
    /// Its status.
    fn status(&self) -> StatusCode;
    /// Its headers.
    fn headers(&self) -> &HeaderMap;
}

impl<B> Answer for http::Response<B> {
    fn status(&self) -> StatusCode {
        self.status()
    }

    fn headers(&self) -> &HeaderMap {
        self.headers()
    }
}

#[cfg(feature = "reqwest")]
impl Answer for reqwest::Response {
    fn status(&self) -> StatusCode {
        self.status()
    }

    fn headers(&self) -> &HeaderMap {
        self.headers()
    }
}

/// Sends a request with the app's own `reqwest`, at most twice. One whose body is a stream cannot be
/// repeated: it is sent once.
#[cfg(feature = "reqwest")]
pub async fn send(
    broker: &Client,
    client: &reqwest::Client,
    request: reqwest::Request,
    token: &TokenRequest,
) -> Result<reqwest::Response, Error<reqwest::Error>> {
    let (method, uri) = (request.method().to_string(), request.url().to_string());
    let again = request.try_clone();
    let exchange = Exchange { broker, method: &method, uri: &uri };
    let execute = |mut request: reqwest::Request, headers: &Headers| {
        request.headers_mut().extend(header_map(headers));
        client.execute(request)
    };
    let headers = broker.headers(&method, &uri, token).await?;
    let answer = execute(request, &headers).await.map_err(Error::Http)?;
    match (exchange.react(token, &answer, &headers).await?, again) {
        (Some((token, headers)), Some(again)) => {
            let answer = execute(again, &headers).await.map_err(Error::Http)?;
            exchange.note_nonce(&token, &answer).await;
            Ok(answer)
        }
        _ => Ok(answer),
    }
}

/// Sends a request with `send`, which is given the headers to add and is called at most twice.
///
/// Gives the API's last answer, whatever its status; an answer that a person could do something
/// about is [`Error::InteractionRequired`].
pub async fn send_with<A, E, F>(
    broker: &Client,
    method: &str,
    uri: &str,
    token: &TokenRequest,
    mut send: impl FnMut(HeaderMap) -> F,
) -> Result<A, Error<E>>
where
    A: Answer,
    F: Future<Output = Result<A, E>>,
{
    let exchange = Exchange { broker, method, uri };
    let headers = broker.headers(method, uri, token).await?;
    let answer = send(header_map(&headers)).await.map_err(Error::Http)?;
    let Some((token, headers)) = exchange.react(token, &answer, &headers).await? else {
        return Ok(answer);
    };
    let answer = send(header_map(&headers)).await.map_err(Error::Http)?;
    exchange.note_nonce(&token, &answer).await;
    Ok(answer)
}

/// One request to an API, and its repetition.
struct Exchange<'a> {
    broker: &'a Client,
    method: &'a str,
    uri: &'a str,
}

impl Exchange<'_> {
    /// What to send once more: headers, and what they were asked for with; `None` where the answer
    /// stands.
    async fn react<E>(
        &self,
        token: &TokenRequest,
        answer: &impl Answer,
        presented: &Headers,
    ) -> Result<Option<(TokenRequest, Headers)>, Error<E>> {
        if !is_challenge(answer) {
            self.note_nonce(token, answer).await;
            return Ok(None);
        }
        let challenge = challenge(token, self.uri, answer, presented);
        let reaction = self.broker.report_challenge(challenge).await?;
        match reaction.action.as_str() {
            "retry" => {
                let token = token.clone().on_terms(&reaction);
                let headers = self.broker.headers(self.method, self.uri, &token).await?;
                Ok(Some((token, headers)))
            }
            "interaction-required" => {
                let request = token.clone();
                Err(Error::InteractionRequired(Box::new(Interaction { request, reaction })))
            }
            _ => Ok(None),
        }
    }

    /// A nonce may come with any answer, for the next proof (RFC 9449 §8.2). Without it the next
    /// request costs one round more, so it is no failure if it does not get there.
    async fn note_nonce(&self, token: &TokenRequest, answer: &impl Answer) {
        if let Some(nonce) = nonce(answer) {
            let status = answer.status().as_u16();
            let report = Challenge::new(token, self.uri, status).dpop_nonce(nonce);
            let _lost = self.broker.report_challenge(report).await;
        }
    }
}

fn is_challenge(answer: &impl Answer) -> bool {
    matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        && answer.headers().contains_key(WWW_AUTHENTICATE)
}

fn challenge(
    token: &TokenRequest,
    uri: &str,
    answer: &impl Answer,
    presented: &Headers,
) -> Challenge {
    let mut challenge = Challenge::new(token, uri, answer.status().as_u16());
    for header in answer.headers().get_all(WWW_AUTHENTICATE) {
        if let Ok(text) = header.to_str() {
            challenge = challenge.www_authenticate(text);
        }
    }
    if let Some(authorization) = presented.headers.get("Authorization") {
        challenge = challenge.presented(authorization.expose());
    }
    match nonce(answer) {
        Some(nonce) => challenge.dpop_nonce(nonce),
        None => challenge,
    }
}

fn nonce(answer: &impl Answer) -> Option<&str> {
    answer.headers().get("dpop-nonce")?.to_str().ok()
}

fn header_map(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in &headers.headers {
        let name = HeaderName::try_from(name.as_str());
        let value = HeaderValue::from_str(value.expose());
        if let (Ok(name), Ok(mut value)) = (name, value) {
            value.set_sensitive(true);
            map.insert(name, value);
        }
    }
    map
}
