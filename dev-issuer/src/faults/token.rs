//! A token endpoint out of order, whatever the grant.

use axum::http::StatusCode;

use super::BadAnswer::{Never, RetryAfter, Status};
use super::Effect::Answer;
use super::Endpoint::Token;

faults! {
    /// The token endpoint answers 500, whatever the grant.
    token_500 => Answer(Token, Status(StatusCode::INTERNAL_SERVER_ERROR)),
    /// The token endpoint never answers.
    token_hang => Answer(Token, Never),
    /// The token endpoint answers 503 with Retry-After.
    token_503_retry_after => Answer(Token, RetryAfter(StatusCode::SERVICE_UNAVAILABLE, 1)),
}
