//! Pushed requests that get no name to be asked for with.

use axum::http::StatusCode;

use super::BadAnswer::{Cut, Document, Never, OAuth, Redirect, Status};
use super::Effect::Answer;
use super::Endpoint::Par;

faults! {
    /// A push is answered with 500.
    par_500 => Answer(Par, Status(StatusCode::INTERNAL_SERVER_ERROR)),
    /// A push is refused.
    par_refused => Answer(Par, OAuth("invalid_request")),
    /// A push is answered with a page for people.
    par_not_json => Answer(Par, Document(StatusCode::CREATED, "<!doctype html><title>Hello")),
    /// The answer to a push has no `request_uri`.
    par_without_request_uri => Answer(Par, Document(StatusCode::CREATED, r#"{"expires_in":60}"#)),
    /// The `request_uri` is a number.
    par_request_uri_mistyped => {
        Answer(Par, Document(StatusCode::CREATED, r#"{"request_uri":42,"expires_in":60}"#))
    },
    /// A push is to be sent to another host (307).
    par_redirect => Answer(Par, Redirect(StatusCode::TEMPORARY_REDIRECT)),
    /// The answer to a push is cut off in the middle.
    par_cut => Answer(Par, Cut),
    /// A push is never answered.
    par_hang => Answer(Par, Never),
}
