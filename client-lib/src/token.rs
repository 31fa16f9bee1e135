//! An access token in an app's hands.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::wire::{SecretText, broker1};

/// An access token. It prints as `AccessToken(…)` and is wiped from memory when dropped.
#[derive(Clone)]
pub struct AccessToken {
    value: SecretText,
    token_type: String,
    expires_at: SystemTime,
    /// The scopes it has.
    pub scopes: Vec<String>,
    /// The APIs it is for.
    pub resource: Vec<String>,
    /// The id of the account it speaks for.
    pub account: String,
    /// Who that is, in the issuer's words.
    pub subject: String,
}

impl AccessToken {
    /// The token itself. Send it to the API it is for, and nowhere else.
    pub fn expose(&self) -> &str {
        self.value.expose()
    }

    /// The value of an `Authorization` header.
    pub fn authorization(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{} {}", self.token_type, self.expose()))
    }

    /// How it is presented: `Bearer`.
    pub fn token_type(&self) -> &str {
        &self.token_type
    }

    /// When it expires, by the wall clock.
    pub const fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

impl From<broker1::Token> for AccessToken {
    fn from(token: broker1::Token) -> Self {
        Self {
            value: token.access_token,
            token_type: token.token_type,
            expires_at: UNIX_EPOCH + Duration::from_secs(token.expires_at.min(u64::from(u32::MAX))),
            scopes: token.scopes,
            resource: token.resource,
            account: token.account,
            subject: token.subject,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_prints_its_value() {
        let json = r#"{"access_token":"hunter2","token_type":"Bearer","expires_at":1,"scopes":[],
                       "resource":[],"account":"a","subject":"s"}"#;
        let wire: broker1::Token = serde_json::from_str(json).unwrap();
        let printed = format!("{wire:?}");
        let token = AccessToken::from(wire);
        assert!(!printed.contains("hunter2") && !format!("{token:?}").contains("hunter2"));
        assert_eq!(*token.authorization(), "Bearer hunter2");
    }
}
