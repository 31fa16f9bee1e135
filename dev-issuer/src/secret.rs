//! Secrets: making them, comparing them in constant time, and keeping them out of `Debug`.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A client's secret. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// Takes the secret as it is, unencoded.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// Says whether `presented` is this secret, in constant time.
    pub fn matches(&self, presented: &str) -> bool {
        same(&self.0, presented)
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

/// Makes a fresh unguessable value: 256 bits, base64url.
///
/// # Errors
/// Where the system has no randomness to give.
pub(crate) fn fresh() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| std::io::Error::other("no randomness available"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Compares two secrets in time that depends on their lengths alone.
pub(crate) fn same(a: &str, b: &str) -> bool {
    verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}
