//! The world of the tests: an issuer that counts and misbehaves, keys that sign anything, and a
//! clock that moves when it is told to.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    unreachable_pub,
    reason = "each test file uses its own part of this, and a test that cannot be set up must fail"
)]

pub mod api;
pub mod clock;
pub mod issuer;
pub mod keys;
pub mod proof;
#[cfg(unix)]
pub mod running;

use std::time::Duration;

use serde_json::{Value, json};

/// What this API is called in tokens.
pub const AUDIENCE: &str = "urn:test:api";

/// The time at which the pure tests happen, in seconds since the Unix epoch.
pub const NOW: u64 = 1_800_000_000;

/// Claims that are good for ten minutes from [`NOW`].
pub fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": "alice",
        "client_id": "app",
        "jti": "token-1",
        "iat": NOW,
        "exp": NOW + 600,
        "scope": "mail.read openid",
    })
}

/// `base` with some members set; `null` removes one.
pub fn with(mut base: Value, changes: &Value) -> Value {
    let members = base.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    base
}

/// Lets other tasks run until `condition` holds.
pub async fn eventually(condition: impl Fn() -> bool) {
    let patience = tokio::time::timeout(Duration::from_secs(10), async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    });
    patience.await.unwrap();
}
