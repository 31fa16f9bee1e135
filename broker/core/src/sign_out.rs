//! The way back from the page that ends the session at the provider (RP-Initiated Logout 1.0 §3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::form_urlencoded;

use crate::secret::Secret;

/// What must be known to tell this sign-out's return from any other request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignOut {
    state: Secret,
}

impl SignOut {
    /// Prepares the end of one session, with 256 random bits.
    pub fn begin(entropy: &[u8; 32]) -> Self {
        Self { state: Secret::new(URL_SAFE_NO_PAD.encode(entropy)) }
    }

    /// The `state` parameter.
    pub fn state(&self) -> &Secret {
        &self.state
    }

    /// Whether the query of a request to the return path is this sign-out's.
    pub fn is_returned_by(&self, query: &str) -> bool {
        let mut states =
            form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "state");
        match (states.next(), states.next()) {
            (Some((_, state)), None) => Secret::new(state.into_owned()) == self.state,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_state_that_was_sent_and_only_once_is_the_return() {
        let sign_out = SignOut::begin(&[7; 32]);
        let state = sign_out.state().expose().to_owned();
        assert_eq!(state.len(), 43);
        assert!(sign_out.is_returned_by(&format!("state={state}&x=1")));
        for other in ["", "state=", "state=guess", &format!("state={state}&state={state}")] {
            assert!(!sign_out.is_returned_by(other), "{other}");
        }
    }
}
