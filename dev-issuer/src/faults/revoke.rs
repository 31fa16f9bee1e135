//! Revocation out of service.

use axum::http::StatusCode;

use super::BadAnswer::RetryAfter;
use super::Effect::Answer;
use super::Endpoint::Revocation;
use super::Pause;

faults! {
    /// Revocation answers 503 with Retry-After and revokes nothing.
    revoke_503 => {
        Answer(Revocation, RetryAfter(StatusCode::SERVICE_UNAVAILABLE, Pause::Seconds(1)))
    },
}
