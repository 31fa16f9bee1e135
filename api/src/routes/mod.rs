//! The routes, and what holds for every request.
//!
//! | route | answer |
//! | --- | --- |
//! | `GET /public` | 200 with [`messages::PUBLIC`] |
//! | `GET /private` | 200 with [`messages::PRIVATE`] for a good token, else 400, 401, 403 or 503 |
//! | `GET /private/recent` | the same for a sign-in at most five minutes old, with [`messages::RECENT`] |
//! | `GET /.well-known/oauth-protected-resource` | what a client must know to get a token |
//! | `GET /healthz` | 200 while the process serves |
//! | `GET /readyz` | 200 while it can judge tokens |
//! | `GET /metrics` | figures for Prometheus |
//! | `GET /openapi.json` | all of this for machines |

mod openapi;
mod operations;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use tower::ServiceBuilder;
use tower::util::MapResponseLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use self::openapi::{Message, Problem};
use crate::auth::{Authenticated, RequireToken, StepUp, Verifier};
use crate::claims::Scope;
use crate::clock::Clock;
use crate::error::{Rejection, as_json};
use crate::messages::{self, Form};
use crate::metadata::{ResourceMetadata, WELL_KNOWN};
use crate::observe::{Observer, observe};

/// From the request's head to the answer's. Twice what a fetch of the issuer's keys may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// How long ago the sign-in behind a recent token may be.
const RECENT_AGE: Duration = Duration::from_mins(5);

/// Clients may keep the metadata for an hour.
const METADATA_FRESH: &str = "public, max-age=3600";

/// Bytes. No route reads a body.
const BODY_LIMIT: usize = 16 * 1024;

/// What the API is made of.
#[non_exhaustive]
pub struct Api {
    /// Checks the tokens.
    pub verifier: Arc<Verifier>,
    /// What a token must have been granted to read the private messages, if anything.
    pub required_scope: Option<Scope>,
    /// What the sign-in behind a token must be like to read the recent message.
    pub recent: StepUp,
    /// Where the figures are, if the program collects them.
    pub figures: Option<PrometheusHandle>,
}

impl Api {
    /// An API that asks for no scope, and for a sign-in at most five minutes old where one must be
    /// recent.
    pub fn new(verifier: Arc<Verifier>) -> Self {
        let recent = StepUp::within(RECENT_AGE);
        Self { verifier, required_scope: None, recent, figures: None }
    }

    fn require_scope(&self, caller: &Authenticated) -> Result<(), Rejection> {
        self.required_scope.as_ref().map_or(Ok(()), |scope| caller.require_scope(scope))
    }
}

/// The same for the handlers, of which each request takes a copy or two.
#[derive(Clone)]
struct Shared(Arc<Api>);

impl FromRef<Shared> for Arc<Verifier> {
    fn from_ref(Shared(api): &Shared) -> Self {
        Self::clone(&api.verifier)
    }
}

/// The whole API as one service.
pub fn router(api: Api) -> Router {
    let clock = api.verifier.clock();
    let routes = metadata_routes(&api.verifier)
        .route("/public", get(public))
        .route("/private", with_nonces(get(private), &api.verifier))
        .route("/private/recent", with_nonces(get(recent), &api.verifier))
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics))
        .route("/openapi.json", get(openapi::openapi))
        .with_state(Shared(Arc::new(api)));
    with_layers(routes, clock)
}

/// What holds for every request, whatever the route: a bound on its body and its time, an id, a line
/// in the log, figures, and JSON for an error.
pub fn with_layers(routes: Router, clock: Arc<dyn Clock>) -> Router {
    let observer = Arc::new(Observer::new(clock));
    // From the outside in. One service of them all is one that the router need not box by itself.
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(observer, observe))
        .layer(MapResponseLayer::new(as_json))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_LIMIT));
    routes.layer(layers)
}

/// The handlers find out themselves who is calling; the layer is only there to send nonces ahead.
fn with_nonces(methods: MethodRouter<Shared>, verifier: &Arc<Verifier>) -> MethodRouter<Shared> {
    if !verifier.demands_nonces() {
        return methods;
    }
    // On the methods that exist alone: any other is 405, for whomever.
    methods.route_layer(RequireToken::new(Arc::clone(verifier)))
}

/// The metadata is where the identifier's path puts it, and at the plain address too.
fn metadata_routes(verifier: &Verifier) -> Router<Shared> {
    let path = verifier.metadata_path();
    let routes = Router::new().route(WELL_KNOWN, get(metadata));
    if path == WELL_KNOWN { routes } else { routes.route(&path, get(metadata)) }
}

/// What a client must know to get a token (RFC 9728).
#[utoipa::path(
    get, path = "/.well-known/oauth-protected-resource", tag = "messages",
    responses((status = 200, description = "Protected resource metadata", body = ResourceMetadata))
)]
async fn metadata(State(Shared(api)): State<Shared>) -> impl IntoResponse {
    let metadata = api.verifier.metadata().with_scopes(&api.required_scope);
    ([(CACHE_CONTROL, METADATA_FRESH)], Json(metadata))
}

/// A message for everybody.
#[utoipa::path(
    get, path = "/public", tag = "messages",
    params(("X-Request-Id" = Option<String>, Header, description = "Comes back with the answer")),
    responses((status = 200, description = "The message", content(
        (String = "text/plain"), (Message = "application/json")
    )))
)]
async fn public(form: Form) -> Response {
    form.of(messages::PUBLIC)
}

/// A message for those with a good token.
#[utoipa::path(
    get, path = "/private", tag = "messages",
    params(("DPoP" = Option<String>, Header, description = "The proof of a bound token's key")),
    responses(
        (status = 200, description = "The message", content(
            (String = "text/plain"), (Message = "application/json")
        )),
        (status = 400, description = "More than one credential", body = Problem),
        (status = 401, description = "No good token; the challenges say what would do", body = Problem),
        (status = 403, description = "The token lacks a scope, which the challenge names", body = Problem),
        (status = 503, description = "Tokens cannot be judged now", body = Problem),
    ),
    security(("access_token" = []))
)]
async fn private(
    State(Shared(api)): State<Shared>,
    caller: Authenticated,
    form: Form,
) -> Result<impl IntoResponse, Rejection> {
    api.require_scope(&caller)?;
    Ok(([(CACHE_CONTROL, "no-store")], form.of(messages::PRIVATE)))
}

/// A message for those who have just signed in.
#[utoipa::path(
    get, path = "/private/recent", tag = "messages",
    params(("DPoP" = Option<String>, Header, description = "The proof of a bound token's key")),
    responses(
        (status = 200, description = "The message", content(
            (String = "text/plain"), (Message = "application/json")
        )),
        (status = 400, description = "More than one credential", body = Problem),
        (status = 401, description = "No good token, or too old a sign-in; the challenges say what \
                                      would do", body = Problem),
        (status = 403, description = "The token lacks a scope, which the challenge names", body = Problem),
        (status = 503, description = "Tokens cannot be judged now", body = Problem),
    ),
    security(("access_token" = []))
)]
async fn recent(
    State(Shared(api)): State<Shared>,
    caller: Authenticated,
    form: Form,
) -> Result<impl IntoResponse, Rejection> {
    api.require_scope(&caller)?;
    caller.require_sign_in(&api.recent)?;
    Ok(([(CACHE_CONTROL, "no-store")], form.of(messages::RECENT)))
}
