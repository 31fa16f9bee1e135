//! The API's messages: one request, with a token from the broker.
//!
//! The client library has the broker sign for each request, and once acts on what the API says to
//! it: it has a token renewed that the API takes no more, or tells what a person must do first.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use authbroker_client::TokenRequest;
use authbroker_client::http::{self as with_token, Error};
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::broker_task::Broker;
use crate::http;
use crate::messages::{Answer, Page, Reply, Sent};
use crate::problem::{Cause, Problem};

/// The longest message that is read, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// The longest reason that is shown, in characters.
const MAX_REASON: usize = 300;

/// How long a message may take: two requests, and what the broker does before and between them.
const PATIENCE: Duration = Duration::from_secs(70);

/// The API, and whom to tell of each request to it.
pub(crate) struct Api<'a, T> {
    pub(crate) url: &'a Url,
    pub(crate) tell: T,
}

impl<T: Fn(Sent)> Api<'_, T> {
    /// Gets a message. `request` is how a token is asked for.
    pub(crate) async fn message(
        &self,
        broker: &Broker,
        page: Page,
        request: &TokenRequest,
    ) -> Result<Reply, Problem> {
        let address = below(self.url, page.path());
        let client = http::client(&address).map_err(|_| self.no_roots())?;
        let uri = address.to_string();
        let send = |headers| self.send(&client, &address, page, headers);
        let broker = broker.client().await?;
        let answer = with_token::send_with(&broker, "GET", &uri, request, send);
        match tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| Err(too_late())) {
            Ok(response) => self.read(response).await.map(Reply::Message),
            Err(Error::InteractionRequired(interaction)) => Ok(Reply::StepUp(interaction)),
            Err(Error::Broker(error)) => Err(error.into()),
            Err(Error::Http(error)) => Err(self.unreachable(&error)),
            Err(error) => Err(not_understood(&error)),
        }
    }

    async fn send(
        &self,
        client: &Client,
        address: &Url,
        page: Page,
        headers: HeaderMap,
    ) -> Result<Response, reqwest::Error> {
        let (at, begun) = (Timestamp::now(), Instant::now());
        let answer = client.get(address.clone()).headers(headers).send().await;
        let status = answer.as_ref().ok().map(|response| response.status().as_u16());
        (self.tell)(Sent { page, at, status, took: begun.elapsed() });
        answer
    }

    async fn read(&self, response: Response) -> Result<Answer, Problem> {
        let status = response.status();
        let challenge = response.headers().get(WWW_AUTHENTICATE).cloned();
        let body = http::body(response, MAX_BODY).await.ok_or_else(|| self.too_long())?;
        if status.is_success() {
            let text = String::from_utf8_lossy(&body).trim().to_owned();
            return Ok(Answer::Text { status: status.as_u16(), text });
        }
        let reason = reason(status, challenge.as_ref(), &body);
        if status.is_server_error() {
            return Err(self.at_fault(status, &reason));
        }
        Ok(Answer::Refused { status: status.as_u16(), reason })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Problem {
        let what = if error.is_timeout() { "did not answer in time" } else { "cannot be reached" };
        self.down(what, "Start the API (private-api), or name another one with --api")
    }

    fn at_fault(&self, status: StatusCode, reason: &str) -> Problem {
        let what = format!("has a fault: {} {reason}", status.as_u16());
        self.down(&what, "Look at the API's log, or try again later")
    }

    fn too_long(&self) -> Problem {
        self.down("sent an answer that is too long or breaks off", "Look at the API's log")
    }

    fn no_roots(&self) -> Problem {
        let what = "cannot be trusted: this machine has no root certificates";
        self.down(what, "Install ca-certificates")
    }

    fn down(&self, what: &str, hint: &str) -> Problem {
        let place = self.url.origin().ascii_serialization();
        let message = format!("The API at {place} {what}");
        Problem { cause: Cause::ApiDown, message, hint: hint.to_owned() }
    }
}

fn too_late() -> Error<reqwest::Error> {
    Error::Broker(authbroker_client::Error::Connection(ErrorKind::TimedOut.into()))
}

fn not_understood(error: &Error<reqwest::Error>) -> Problem {
    Problem {
        cause: Cause::NotUnderstood,
        message: error.to_string(),
        hint: "use the app and the library of the same release".to_owned(),
    }
}

/// The API's own words: from the body (RFC 6749 §5.2), the challenge (RFC 6750 §3), or the status.
fn reason(status: StatusCode, challenge: Option<&HeaderValue>, body: &[u8]) -> String {
    let from_body = serde_json::from_slice::<ErrorBody>(body).ok().and_then(ErrorBody::words);
    let from_challenge = || challenge?.to_str().ok().and_then(error_description);
    let from_status = || status.canonical_reason().unwrap_or("no reason given").to_owned();
    let words = from_body.or_else(from_challenge).unwrap_or_else(from_status);
    words.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect()
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Option<String>,
    error_description: Option<String>,
}

impl ErrorBody {
    fn words(self) -> Option<String> {
        self.error_description.or(self.error)
    }
}

fn error_description(challenge: &str) -> Option<String> {
    let (_, rest) = challenge.split_once("error_description=\"")?;
    rest.split_once('"').map(|(words, _)| words.to_owned())
}

/// The address of `page` below `api`, whether or not `api` ends with a slash.
fn below(api: &Url, page: &str) -> Url {
    let mut address = api.clone();
    if let Ok(mut segments) = address.path_segments_mut() {
        segments.pop_if_empty().extend(page.split('/'));
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason_of(challenge: Option<&'static str>, body: &str) -> String {
        let challenge = challenge.map(HeaderValue::from_static);
        reason(StatusCode::FORBIDDEN, challenge.as_ref(), body.as_bytes())
    }

    #[test]
    fn the_reason_is_the_apis_own() {
        let challenge = r#"Bearer realm="a", error="x", error_description="No such scope""#;
        let body = r#"{"error":"insufficient_scope","error_description":"A scope is missing"}"#;
        assert_eq!(reason_of(Some(challenge), body), "A scope is missing");
        assert_eq!(reason_of(Some(challenge), "<html>"), "No such scope");
        assert_eq!(reason_of(None, r#"{"error":"insufficient_scope"}"#), "insufficient_scope");
        assert_eq!(reason_of(None, ""), "Forbidden");
    }

    #[test]
    fn a_reason_is_short_and_printable() {
        let body = format!(r#"{{"error":"\u001b[31m{}"}}"#, "x".repeat(1000));
        let reason = reason_of(None, &body);
        assert_eq!(reason.chars().count(), MAX_REASON);
        assert!(reason.starts_with("[31mx"));
    }

    #[test]
    fn the_page_is_below_the_api() {
        let at = |api: &str, page: Page| below(&Url::parse(api).unwrap(), page.path()).to_string();
        assert_eq!(at("http://127.0.0.1:3000", Page::Private), "http://127.0.0.1:3000/private");
        assert_eq!(
            at("https://api.example/v1/", Page::Recent),
            "https://api.example/v1/private/recent"
        );
    }
}
