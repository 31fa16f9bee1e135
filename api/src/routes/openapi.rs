//! The description of this API for machines ([OpenAPI 3.1]), made from the handlers themselves.
//!
//! [OpenAPI 3.1]: https://spec.openapis.org/oas/v3.1.1.html

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use super::operations;

/// A message, for those who ask for JSON.
#[derive(Serialize, ToSchema)]
pub(super) struct Message {
    /// What it says.
    message: String,
}

/// Every error.
#[derive(Serialize, ToSchema)]
pub(super) struct Problem {
    /// The error code of OAuth 2 (RFC 6750, RFC 9449, RFC 9470), or of the status.
    error: String,
    /// The same for people.
    error_description: String,
}

#[derive(OpenApi)]
#[openapi(
    info(title = "private-api", description = "A model OAuth 2 resource server"),
    paths(
        super::public,
        super::private,
        super::recent,
        super::metadata,
        operations::healthz,
        operations::readyz,
        operations::metrics,
        openapi
    ),
    modifiers(&Tokens)
)]
struct Description;

/// How callers show who they are.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer =
            Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(
                "An access token for this API (RFC 9068), without a key (RFC 6750) or, \
                               by the scheme DPoP and with a proof, with one (RFC 9449)",
            ));
        let scheme = SecurityScheme::Http(bearer.build());
        openapi.components.get_or_insert_default().add_security_scheme("access_token", scheme);
    }
}

static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| Description::openapi().to_json().unwrap_or_default());

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value))
)]
pub(super) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
