//! Doors for the fuzz targets (`broker/fuzz`) to code that strangers' bytes reach. Compiled in with
//! the feature `fuzzing` only.

use crate::config;
use crate::services::{oidc, vault};

/// A provider's metadata: what is taken from it is sound, or it is refused.
pub fn metadata(bytes: &[u8]) {
    oidc::fuzz_metadata(bytes);
}

/// A provider's token answer.
pub fn token_answer(bytes: &[u8]) {
    oidc::fuzz_token_answer(bytes);
}

/// A record of the vault.
pub fn record(bytes: &[u8]) {
    vault::fuzz_record(bytes);
}

/// A configuration file.
pub fn config(bytes: &[u8]) {
    config::fuzz(bytes);
}
