//! The words that the broker and its clients share, and nothing else.
//!
//! On a socket they travel as [Varlink](https://varlink.org) messages: one JSON object each, ended
//! by a NUL byte. [`frame`] has the envelope, [`broker1`] and [`admin1`] the two interfaces ([`vault`],
//! [`audit`] and [`consent`] parts of the second), [`places`] the folders where the doors are.

mod account;
pub mod admin1;
pub mod audit;
pub mod broker1;
pub mod consent;
pub mod frame;
pub mod places;
pub mod policy;
pub mod sockets;
pub mod vault;

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Text that is to be sent, and never to be printed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<SecretText> for String {
    fn from(text: SecretText) -> Self {
        text.0.to_string()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}
