//! What those ask who run this API: is it there, can it serve, what does it do.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;

/// The exposition format of Prometheus.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether this process can judge tokens.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// True once the keys of at least one issuer are there.
    ready: bool,
    /// The same by issuer.
    issuers: BTreeMap<String, bool>,
}

/// Whether the process serves at all: a supervisor restarts one that does not answer.
#[utoipa::path(
    get, path = "/healthz", tag = "operations",
    responses((status = 200, description = "It serves", body = String, content_type = "text/plain"))
)]
pub(super) async fn healthz() -> impl IntoResponse {
    ([(CACHE_CONTROL, "no-store")], "ok")
}

/// Whether it can judge tokens: a balancer sends requests only to one that can.
///
/// One issuer that is down makes no instance unready while another's tokens can be judged, nor does
/// one whose keys are known already.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, description = "Tokens can be judged", body = Readiness),
        (status = 503, description = "No issuer's keys were had yet", body = Readiness),
    )
)]
pub(super) async fn readyz(State(Shared(api)): State<Shared>) -> impl IntoResponse {
    let issuers = api.verifier.readiness().into_iter();
    let issuers: BTreeMap<_, _> = issuers.map(|(issuer, is)| (issuer.to_string(), is)).collect();
    let ready = issuers.values().any(|ready| *ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CACHE_CONTROL, "no-store")], Json(Readiness { ready, issuers }))
}

/// The figures, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses(
        (status = 200, description = "The figures", body = String, content_type = "text/plain"),
        (status = 404, description = "Nobody collects them here", body = super::openapi::Problem),
    )
)]
pub(super) async fn metrics(State(Shared(api)): State<Shared>) -> Response {
    let Some(figures) = &api.figures else { return StatusCode::NOT_FOUND.into_response() };
    ([(CONTENT_TYPE, PROMETHEUS), (CACHE_CONTROL, "no-store")], figures.render()).into_response()
}
