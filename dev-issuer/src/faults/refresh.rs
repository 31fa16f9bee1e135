//! Renewals that fail, while codes are redeemed as ever.

use axum::http::StatusCode;

use super::BadAnswer::{LostAfterTheWork, OAuth, RetryAfter, Status};
use super::Effect::{Answer, NoRotation};
use super::Endpoint::Refresh;

faults! {
    /// A refresh is answered with `invalid_grant`; the session behind it lives on.
    refresh_invalid_grant => Answer(Refresh, OAuth("invalid_grant")),
    /// A refresh is answered with 500.
    refresh_500 => Answer(Refresh, Status(StatusCode::INTERNAL_SERVER_ERROR)),
    /// A refresh is answered with 503 and Retry-After.
    refresh_503_retry_after => Answer(Refresh, RetryAfter(StatusCode::SERVICE_UNAVAILABLE, 1)),
    /// A refresh rotates the token, then the connection closes without an answer.
    refresh_lost_answer => Answer(Refresh, LostAfterTheWork),
    /// A refresh gives an access token only; the old refresh token stays good.
    refresh_no_new_token => NoRotation,
}
