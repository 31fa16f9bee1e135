//! Discovery documents that cannot be had or must not be believed.

use axum::http::StatusCode;
use serde_json::json;

use super::BadAnswer::{Never, Status};
use super::Effect::{Answer, Discovery};
use super::{Endpoint, STRANGER};

faults! {
    /// The discovery document names another issuer.
    discovery_issuer_mismatch => Discovery(|document| {
        document.insert("issuer".to_owned(), json!(STRANGER));
    }),
    /// Discovery answers 500.
    discovery_500 => Answer(Endpoint::Discovery, Status(StatusCode::INTERNAL_SERVER_ERROR)),
    /// Discovery never answers.
    discovery_hang => Answer(Endpoint::Discovery, Never),
}
