//! The private message: one request to the API, with a token from the broker.
//!
//! A 401 means that the API no longer takes this token, whatever its expiry says (it may have been
//! revoked). Then the broker renews it and the request is sent once more. A second 401 is final.

use authbroker_client::{AccessToken, TokenRequest};
use reqwest::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::broker_task::Broker;
use crate::http;
use crate::messages::Answer;
use crate::problem::{Cause, Problem};

/// The longest message that is read, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// The longest reason that is shown, in characters.
const MAX_REASON: usize = 300;

/// Gets the message. `request` is how a token is asked for.
pub(crate) async fn message(
    broker: &Broker,
    api: &Url,
    request: TokenRequest,
) -> Result<Answer, Problem> {
    let answer = ask(api, &broker.token(request.clone()).await?).await?;
    if !matches!(answer, Answer::Refused { status: 401, .. }) {
        return Ok(answer);
    }
    ask(api, &broker.token(request.force()).await?).await
}

async fn ask(api: &Url, token: &AccessToken) -> Result<Answer, Problem> {
    let address = below(api, "private");
    let client = http::client(&address).map_err(|_| no_roots(api))?;
    let request = client.get(address).header(AUTHORIZATION, authorization(token)?);
    let response = request.send().await.map_err(|error| unreachable(api, &error))?;
    read(api, response).await
}

fn authorization(token: &AccessToken) -> Result<HeaderValue, Problem> {
    let mut value = HeaderValue::from_str(&token.authorization()).map_err(|_| Problem {
        cause: Cause::NotUnderstood,
        message: "The token has characters that no header can carry".to_owned(),
        hint: "brokerctl doctor".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

async fn read(api: &Url, response: Response) -> Result<Answer, Problem> {
    let status = response.status();
    let challenge = response.headers().get(WWW_AUTHENTICATE).cloned();
    let body = http::body(response, MAX_BODY).await.ok_or_else(|| too_long(api))?;
    if status.is_success() {
        let text = String::from_utf8_lossy(&body).trim().to_owned();
        return Ok(Answer::Text { status: status.as_u16(), text });
    }
    let reason = reason(status, challenge.as_ref(), &body);
    if status.is_server_error() {
        return Err(at_fault(api, status, &reason));
    }
    Ok(Answer::Refused { status: status.as_u16(), reason })
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
        segments.pop_if_empty().push(page);
    }
    address
}

fn unreachable(api: &Url, error: &reqwest::Error) -> Problem {
    let what = if error.is_timeout() { "did not answer in time" } else { "cannot be reached" };
    down(api, what, "Start the API (private-api), or name another one with --api")
}

fn at_fault(api: &Url, status: StatusCode, reason: &str) -> Problem {
    let what = format!("has a fault: {} {reason}", status.as_u16());
    down(api, &what, "Look at the API's log, or try again later")
}

fn too_long(api: &Url) -> Problem {
    down(api, "sent an answer that is too long or breaks off", "Look at the API's log")
}

fn no_roots(api: &Url) -> Problem {
    down(api, "cannot be trusted: this machine has no root certificates", "Install ca-certificates")
}

fn down(api: &Url, what: &str, hint: &str) -> Problem {
    let place = api.origin().ascii_serialization();
    Problem {
        cause: Cause::ApiDown,
        message: format!("The API at {place} {what}"),
        hint: hint.to_owned(),
    }
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
        let at = |api: &str| below(&Url::parse(api).unwrap(), "private").to_string();
        assert_eq!(at("http://127.0.0.1:3000"), "http://127.0.0.1:3000/private");
        assert_eq!(at("https://api.example/v1/"), "https://api.example/v1/private");
    }
}
