//! One sign-in through a browser: what is sent along, and which answer counts.
//!
//! 1. [`SignIn::begin`] turns entropy into `state`, `nonce` and PKCE verifier, all fresh.
//! 2. The browser goes to the provider with [`SignIn::challenge`], state and nonce.
//! 3. It comes back to the loopback address with a query; [`SignIn::judge`] says what it is worth.
//!
//! Whoever is on this machine can knock at the loopback address. So only a request that knows the
//! state can end the attempt; everything else is [`Verdict::Stray`] and changes nothing.

pub mod device;
mod redirect;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

pub use self::redirect::{InvalidRedirect, Redirect};
use crate::issuer::IssuerUrl;
use crate::secret::Secret;

/// Random bytes for one sign-in: 256 bits each for state, nonce and verifier.
pub type Entropy = [u8; 96];

/// Whether the provider said that its answers name the issuer (RFC 9207 §3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IssParameter {
    /// It always sends `iss`: an answer without it is not from this provider.
    Announced,
    /// It may send it; when it does, it must match.
    Unannounced,
}

/// What must be known to tell this sign-in's answer from any other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignIn {
    state: Secret,
    nonce: Secret,
    verifier: Secret,
    issuer: IssuerUrl,
    iss: IssParameter,
}

/// What a request at the loopback address is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The answer: a code to exchange, once.
    Code(Secret),
    /// The answer: the provider says no (RFC 6749 §4.1.2.1).
    Refused(Refusal),
    /// It knows the state, yet breaks the rules: the attempt is over, and nothing was exchanged.
    Broken(Breach),
    /// Not an answer to this sign-in. The attempt goes on.
    Stray,
}

/// The provider's own words for a refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The error word, such as `access_denied`.
    pub error: String,
    /// The provider's sentence, where it gave one.
    pub description: Option<String>,
}

/// How an answer breaks the rules.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Breach {
    /// RFC 6749 §3.1.
    #[error("the answer names a parameter twice")]
    Repeated,
    /// RFC 9207 §2.4: it may come from another provider that was asked at the same time.
    #[error("the answer comes from another issuer than the one that was asked")]
    OtherIssuer,
    /// RFC 9207 §2.4.
    #[error("the answer does not name its issuer, although this provider says it always does")]
    NoIssuer,
    /// RFC 6749 §4.1.2.
    #[error("the answer carries both a code and an error")]
    CodeAndError,
    /// RFC 6749 §4.1.2.
    #[error("the answer carries neither a code nor an error")]
    Empty,
}

impl SignIn {
    /// Prepares a sign-in at `issuer`.
    pub fn begin(entropy: &Entropy, issuer: IssuerUrl, iss: IssParameter) -> Self {
        let part = |i: usize| Secret::new(URL_SAFE_NO_PAD.encode(&entropy[32 * i..32 * (i + 1)]));
        Self { state: part(0), nonce: part(1), verifier: part(2), issuer, iss }
    }

    /// The `state` parameter (RFC 6749 §10.12).
    pub fn state(&self) -> &Secret {
        &self.state
    }

    /// The `nonce` parameter (OpenID Connect Core §3.1.2.1).
    pub fn nonce(&self) -> &Secret {
        &self.nonce
    }

    /// The PKCE verifier, for the token request alone (RFC 7636 §4.5).
    pub fn verifier(&self) -> &Secret {
        &self.verifier
    }

    /// The S256 challenge (RFC 7636 §4.2). There is no other method.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose()))
    }

    /// Judges the query of a request to the redirect path.
    pub fn judge(&self, query: &str) -> Verdict {
        let answer = Answer::read(query);
        match answer.states.as_slice() {
            [state] if *state == self.state => self.judge_own(answer),
            states if states.contains(&self.state) => Verdict::Broken(Breach::Repeated),
            _ => Verdict::Stray,
        }
    }

    /// Judges an answer that knows the state.
    fn judge_own(&self, answer: Answer) -> Verdict {
        if answer.repeated {
            return Verdict::Broken(Breach::Repeated);
        }
        if let Err(breach) = self.check_issuer(answer.iss.as_deref()) {
            return Verdict::Broken(breach);
        }
        match (answer.code, answer.error) {
            (Some(code), None) => Verdict::Code(code),
            (None, Some(error)) => {
                Verdict::Refused(Refusal { error, description: answer.description })
            }
            (Some(_), Some(_)) => Verdict::Broken(Breach::CodeAndError),
            (None, None) => Verdict::Broken(Breach::Empty),
        }
    }

    fn check_issuer(&self, iss: Option<&str>) -> Result<(), Breach> {
        match (iss, self.iss) {
            (Some(iss), _) if iss == self.issuer.as_str() => Ok(()),
            (Some(_), _) => Err(Breach::OtherIssuer),
            (None, IssParameter::Announced) => Err(Breach::NoIssuer),
            (None, IssParameter::Unannounced) => Ok(()),
        }
    }
}

/// The parameters that matter; unknown ones are ignored, as RFC 6749 §4.1.2 asks.
#[derive(Default)]
struct Answer {
    states: Vec<Secret>,
    code: Option<Secret>,
    error: Option<String>,
    description: Option<String>,
    iss: Option<String>,
    repeated: bool,
}

impl Answer {
    fn read(query: &str) -> Self {
        let mut answer = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            let before = match &*name {
                "state" => {
                    answer.states.push(Secret::new(value));
                    false
                }
                "code" => answer.code.replace(Secret::new(value)).is_some(),
                "error" => answer.error.replace(value).is_some(),
                "error_description" => answer.description.replace(value).is_some(),
                "iss" => answer.iss.replace(value).is_some(),
                _ => false,
            };
            answer.repeated |= before;
        }
        answer
    }
}
