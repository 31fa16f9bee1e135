//! Answers that no correct server gives.

use std::future;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::OAuthError;

/// An answer that no correct server gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadAnswer {
    /// This status and a line of text, instead of doing the work.
    Status(StatusCode),
    /// This status and a Retry-After in seconds, instead of doing the work.
    RetryAfter(StatusCode, u32),
    /// This OAuth error, instead of doing the work.
    OAuth(&'static str),
    /// None, and the connection stays open.
    Never,
    /// None: the work is done, then the connection closes.
    LostAfterTheWork,
}

/// Marks an answer that must not be sent: the server closes the connection instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lost;

impl BadAnswer {
    /// Answers in the place of `work`, or spoils what it answers.
    pub(crate) async fn give(self, work: impl Future<Output = Response>) -> Response {
        match self {
            Self::Status(status) => (status, "a fault was asked for\n").into_response(),
            Self::RetryAfter(status, seconds) => {
                (status, [(header::RETRY_AFTER, seconds.to_string())]).into_response()
            }
            Self::OAuth(code) => OAuthError::new(code, "a fault was asked for").into_response(),
            Self::Never => future::pending().await,
            Self::LostAfterTheWork => {
                let mut response = work.await;
                response.extensions_mut().insert(Lost);
                response
            }
        }
    }
}
