//! What can be seen of the requests from outside: an id, a line in the log, figures.
//!
//! A request keeps the id that it came with, if that is short and plain; it goes into every line of
//! the log and back to the caller. Neither headers nor the query are logged, where a token could
//! stand. The figures go to whatever recorder of the `metrics` crate the program has installed; the
//! names are in [`describe`].

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::rand;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{Counter, Histogram, Unit, counter, describe_counter, describe_histogram, histogram};
use tracing::Instrument;

use crate::clock::Clock;

/// The header of a request's id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes. Longer ids than any common tracing system makes would only fill the log.
const MAX_ID: usize = 64;

pub(crate) const REQUESTS: &str = "private_api_requests_total";
pub(crate) const SECONDS: &str = "private_api_request_duration_seconds";
pub(crate) const REFUSALS: &str = "private_api_refusals_total";
pub(crate) const VERDICTS: &str = "private_api_verdicts_total";
pub(crate) const FETCHES: &str = "private_api_key_fetches_total";

/// The upper bounds of the histogram of durations, in seconds.
pub const BUCKETS: [f64; 9] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 1.0, 10.0];

/// Says what the figures mean, to the recorder that is installed.
pub fn describe() {
    describe_counter!(REQUESTS, "Requests, by route and status");
    describe_histogram!(SECONDS, Unit::Seconds, "From a request's head to its answer's, by route");
    describe_counter!(REFUSALS, "Refused requests, by the error code of the answer");
    describe_counter!(VERDICTS, "Good tokens, by what showed it: signature, issuer or memory");
    describe_counter!(FETCHES, "Fetches of the issuers' keys, by issuer and outcome");
}

/// Watches the requests of one router.
pub(crate) struct Observer {
    clock: Arc<dyn Clock>,
    /// Random, so that the ids of two processes differ.
    prefix: u64,
    count: AtomicU64,
    figures: Figures,
}

impl Observer {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let mut prefix = [0; 8];
        // Without random numbers ids may repeat, and that is all.
        let _ = rand::fill(&mut prefix);
        let (prefix, count) = (u64::from_be_bytes(prefix), AtomicU64::new(0));
        Self { clock, prefix, count, figures: Figures::default() }
    }

    /// The id that the request came with, or a new one.
    fn id_of(&self, request: &Request) -> HeaderValue {
        let given = request.headers().get(REQUEST_ID).filter(|id| is_plain(id.as_bytes()));
        given.cloned().unwrap_or_else(|| self.new_id())
    }

    fn new_id(&self) -> HeaderValue {
        let mut id = String::with_capacity(32);
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // Writing to a text does not fail, and digits can stand in a header.
        let _ = write!(id, "{:016x}-{count:08x}", self.prefix);
        HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none"))
    }
}

fn is_plain(id: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    (1..=MAX_ID).contains(&id.len()) && id.iter().all(plain)
}

/// The layer.
pub(crate) async fn observe(
    State(observer): State<Arc<Observer>>,
    request: Request,
    next: Next,
) -> Response {
    let begun = observer.clock.monotonic();
    let id = observer.id_of(&request);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = span(&request, &id);
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = observer.clock.monotonic().saturating_sub(begun);
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), ?took, "answered"));
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    observer.figures.count(route, response.status(), took);
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn span(request: &Request, id: &HeaderValue) -> tracing::Span {
    let id = id.to_str().unwrap_or_default();
    tracing::info_span!("request", id, method = %request.method(), path = request.uri().path())
}

/// The figures by route and status, each looked up by its names once: to do so with every request
/// costs more than the rest of this layer.
#[derive(Default)]
struct Figures {
    /// There are few routes and few statuses. A std lock, because it is held for a look-up and never
    /// across an `.await`.
    known: RwLock<HashMap<String, HashMap<StatusCode, Counted>>>,
}

/// Where requests that ended alike are counted.
#[derive(Clone)]
struct Counted {
    requests: Counter,
    seconds: Histogram,
}

impl Figures {
    fn count(&self, route: &str, status: StatusCode, took: Duration) {
        let counted = self.known(route, status).unwrap_or_else(|| self.find(route, status));
        counted.requests.increment(1);
        counted.seconds.record(took);
    }

    fn known(&self, route: &str, status: StatusCode) -> Option<Counted> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(route)?.get(&status).cloned()
    }

    /// Asks the recorder that is installed now.
    fn find(&self, route: &str, status: StatusCode) -> Counted {
        let labels = [("route", route.to_owned()), ("status", status.as_str().to_owned())];
        let requests = counter!(REQUESTS, &labels);
        let found = Counted { requests, seconds: histogram!(SECONDS, "route" => route.to_owned()) };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().insert(status, found.clone());
        found
    }
}
