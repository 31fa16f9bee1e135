//! Answers that no correct server gives.

use std::time::Duration;
use std::{future, io};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _, stream};

use crate::clock::{UnixSeconds, http_date};
use crate::error::OAuthError;
use crate::provider::Provider;

/// What a huge answer comes in, and how many of these: 256 MiB.
const CHUNK: &[u8] = &[b'x'; 64 * 1024];
const CHUNKS: usize = 4 * 1024;

/// An answer that no correct server gives.
#[derive(Clone, Copy)]
pub(crate) enum BadAnswer {
    /// This status and a line of text, instead of doing the work.
    Status(StatusCode),
    /// This status and this JSON, or what should have been some, instead of doing the work.
    Document(StatusCode, &'static str),
    /// This status and a Retry-After, instead of doing the work.
    RetryAfter(StatusCode, Pause),
    /// This OAuth error, instead of doing the work.
    OAuth(&'static str),
    /// A redirect to [`Options::elsewhere`](crate::Options), instead of doing the work.
    Redirect(StatusCode),
    /// JSON of 256 MiB, made while it is sent, instead of doing the work.
    Huge,
    /// None, and the connection stays open.
    Never,
    /// The right one, this many seconds later.
    After(u64),
    /// The right one, a byte a second.
    Dripping,
    /// The right one with its text changed.
    Rewritten(fn(String) -> String),
    /// The first half of the right one, then the connection closes.
    Cut,
    /// None: the work is done, then the connection closes.
    LostAfterTheWork,
}

/// What Retry-After says (RFC 9110 §10.2.3), in seconds from now.
#[derive(Clone, Copy)]
pub(crate) enum Pause {
    Seconds(u64),
    /// The same as a date.
    Date(u64),
}

/// Marks an answer that must not be sent: the server closes the connection instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lost;

impl BadAnswer {
    /// Answers in the place of `work`, or spoils what it answers.
    pub(crate) async fn give(
        self,
        provider: &Provider,
        work: impl Future<Output = Response>,
    ) -> Response {
        match self {
            Self::Status(status) => (status, "a fault was asked for\n").into_response(),
            Self::Document(status, text) => json(status, text.into()),
            Self::RetryAfter(status, pause) => {
                (status, [(header::RETRY_AFTER, pause.value(provider.now()))]).into_response()
            }
            Self::OAuth(code) => OAuthError::new(code, "a fault was asked for").into_response(),
            Self::Redirect(status) => {
                (status, [(header::LOCATION, provider.options.elsewhere.clone())]).into_response()
            }
            Self::Huge => json(StatusCode::OK, Body::from_stream(huge())),
            Self::Never => future::pending().await,
            Self::After(seconds) => {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                work.await
            }
            Self::Dripping => spoiled(work.await, |text| Body::from_stream(dripping(text))).await,
            Self::Rewritten(change) => spoiled(work.await, |text| change(text).into()).await,
            Self::Cut => spoiled(work.await, |text| Body::from_stream(cut(text))).await,
            Self::LostAfterTheWork => {
                let mut response = work.await;
                response.extensions_mut().insert(Lost);
                response
            }
        }
    }
}

impl Pause {
    fn value(self, now: UnixSeconds) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Date(seconds) => http_date(now + seconds),
        }
    }
}

fn json(status: StatusCode, body: Body) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

/// The same answer with another body, whatever length it said it had.
async fn spoiled(response: Response, spoil: impl FnOnce(String) -> Body) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Response::from_parts(parts, spoil(text))
}

fn huge() -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let text = stream::iter(0..CHUNKS).map(|_| CHUNK);
    let first = stream::iter([&b"{\"padding\":\""[..]]);
    first.chain(text).chain(stream::iter([&b"\"}"[..]])).map(|part| Ok(Bytes::from_static(part)))
}

fn dripping(text: String) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::iter(text.into_bytes()).then(|byte| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(Bytes::from(vec![byte]))
    })
}

fn cut(text: String) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let mut half = Bytes::from(text);
    half.truncate(half.len() / 2);
    let end = stream::once(async {
        // The server sends what it has only when it must wait for more.
        tokio::task::yield_now().await;
        Err(io::Error::other("cut, as a fault asked for"))
    });
    stream::iter([Ok(half)]).chain(end)
}
