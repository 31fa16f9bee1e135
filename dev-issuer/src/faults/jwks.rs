//! Key documents that do not help.

use axum::http::StatusCode;

use super::BadAnswer::Status;
use super::Effect::Answer;
use super::Endpoint;

faults! {
    /// The key document answers 500.
    jwks_500 => Answer(Endpoint::Jwks, Status(StatusCode::INTERNAL_SERVER_ERROR)),
}
