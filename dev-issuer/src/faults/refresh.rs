//! Renewals that fail, while codes are redeemed as ever.

use axum::http::StatusCode;
use serde_json::json;

use super::BadAnswer::{
    After, Document, LostAfterTheWork, Never, OAuth, Redirect, RetryAfter, Status,
};
use super::Effect::{Answer, IdToken, NoRotation, TokenAnswer};
use super::Endpoint::Refresh;
use super::{Pause, STRANGER};

/// RFC 9110 §15.6.4 and RFC 6585 §4.
const BUSY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
const TOO_OFTEN: StatusCode = StatusCode::TOO_MANY_REQUESTS;

faults! {
    /// A refresh takes two seconds.
    refresh_slow => Answer(Refresh, After(2)),
    /// A refresh is never answered, and nothing is rotated.
    refresh_hang => Answer(Refresh, Never),
    /// A refresh is answered with `invalid_grant`; the session behind it lives on.
    refresh_invalid_grant => Answer(Refresh, OAuth("invalid_grant")),
    /// A refresh is answered with 400 and nothing else; the session behind it lives on.
    refresh_empty_400 => Answer(Refresh, Document(StatusCode::BAD_REQUEST, "")),
    /// A refresh is answered with 500.
    refresh_500 => Answer(Refresh, Status(StatusCode::INTERNAL_SERVER_ERROR)),
    /// A refresh is answered with 503 and Retry-After.
    refresh_503_retry_after => Answer(Refresh, RetryAfter(BUSY, Pause::Seconds(1))),
    /// A refresh is answered with 503 and a Retry-After that is a date, in an hour.
    refresh_503_retry_after_date => Answer(Refresh, RetryAfter(BUSY, Pause::Date(3600))),
    /// A refresh is answered with 429 and Retry-After, in an hour.
    refresh_429_retry_after => Answer(Refresh, RetryAfter(TOO_OFTEN, Pause::Seconds(3600))),
    /// A refresh is answered with 429 and a Retry-After that is a date, in an hour.
    refresh_429_retry_after_date => Answer(Refresh, RetryAfter(TOO_OFTEN, Pause::Date(3600))),
    /// A refresh is answered with 503, and may be repeated at once.
    refresh_503_retry_at_once => Answer(Refresh, RetryAfter(BUSY, Pause::Seconds(0))),
    /// A refresh rotates the token, then the connection closes without an answer.
    refresh_lost_answer => Answer(Refresh, LostAfterTheWork),
    /// A refresh is answered with a redirect to another host.
    refresh_redirect => Answer(Refresh, Redirect(StatusCode::TEMPORARY_REDIRECT)),
    /// A refresh gives an access token only; the old refresh token stays good.
    refresh_no_new_token => NoRotation,
    /// A refresh gives tokens of another person.
    refresh_wrong_sub => IdToken(Refresh, |token| token.claim("sub", "somebody-else")),
    /// A refresh gives an ID token of another issuer.
    refresh_wrong_iss => IdToken(Refresh, |token| token.claim("iss", STRANGER)),
    /// A refresh gives an access token that may do less than before.
    refresh_scope_shrunk => TokenAnswer(Refresh, |answer| {
        answer.insert("scope".to_owned(), json!("openid profile offline_access"));
    }),
    /// A refresh gives an access token that may do more than was asked for.
    refresh_scope_grown => TokenAnswer(Refresh, |answer| {
        answer.insert("scope".to_owned(), json!("openid email offline_access messages.read"));
    }),
}
