//! What an API says when it refuses a token (`WWW-Authenticate`, RFC 9110 §11.6.1), and what would
//! help (RFC 6750 §3, RFC 9449 §7.1 and §9, RFC 9470 §3).
//!
//! 1. [`parse`] reads the challenges of one header. Servers write odd ones: whatever is not
//!    understood ends the reading, and what came before it counts.
//! 2. [`remedy`] looks at the challenges of the schemes that the broker's tokens have, and says what
//!    to do about them.

mod parser;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

pub use self::parser::parse;
use crate::failure::StepUp;
use crate::scope::ScopeSet;
use crate::token::TokenType;

/// The longest header that is read, in bytes.
pub const MAX_HEADER: usize = 8 * 1024;
/// How many challenges and how many parameters are read.
const MAX_PARTS: usize = 64;

/// One challenge: a scheme, and its parameters by their names in lower case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Challenge {
    /// The scheme, as it was written.
    pub scheme: String,
    /// Its parameters. Of one that is named twice, the first counts.
    pub parameters: BTreeMap<String, String>,
}

/// What would help a request that an API refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// The same token, with a new proof that holds the server's nonce.
    Proof,
    /// A new token: this one has expired there, or was revoked.
    Renewal,
    /// A token with these scopes.
    Scopes(ScopeSet),
    /// A token of a stronger or more recent sign-in.
    StepUp(StepUp),
    /// A token that is bound to a key.
    Binding,
}

/// What would help against a refusal with `status` and these headers, for a token that was
/// presented as `presented`; `None` where no token would.
pub fn remedy<'a>(
    status: u16,
    headers: impl IntoIterator<Item = &'a str>,
    presented: TokenType,
) -> Option<Remedy> {
    let challenges: Vec<_> = headers.into_iter().flat_map(parse).collect();
    let of = |kind: TokenType| challenges.iter().find(move |challenge| challenge.is_of(kind));
    match (of(presented), presented) {
        (Some(challenge), _) => challenge.remedy(status),
        // It wants proofs, and was shown a token without one.
        (None, TokenType::Bearer) if status == 401 => of(TokenType::DPoP).map(|_| Remedy::Binding),
        _ => None,
    }
}

impl Challenge {
    fn is_of(&self, kind: TokenType) -> bool {
        self.scheme.eq_ignore_ascii_case(kind.as_str())
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    fn remedy(&self, status: u16) -> Option<Remedy> {
        match (status, self.parameter("error")) {
            (401, Some("use_dpop_nonce" | "invalid_dpop_proof")) => Some(Remedy::Proof),
            (401, Some("insufficient_user_authentication")) => Some(Remedy::StepUp(self.step_up())),
            // Some servers give no reason when a token has expired.
            (401, Some("invalid_token") | None) => Some(Remedy::Renewal),
            (401 | 403, Some("insufficient_scope")) => {
                let scopes = ScopeSet::parse(self.parameter("scope")?).ok()?;
                (!scopes.is_empty()).then_some(Remedy::Scopes(scopes))
            }
            _ => None,
        }
    }

    fn step_up(&self) -> StepUp {
        let contexts = self.parameter("acr_values").unwrap_or_default();
        let max_age = self.parameter("max_age").and_then(|seconds| seconds.parse().ok());
        StepUp {
            acr_values: contexts.split_ascii_whitespace().map(str::to_owned).collect(),
            max_age: max_age.map(Duration::from_secs),
        }
    }
}
