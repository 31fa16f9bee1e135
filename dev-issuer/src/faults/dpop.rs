//! Providers that make proofs of possession hard, or forget them.

use serde_json::json;

use super::BadAnswer::OAuth;
use super::Effect::{Answer, Nonce, TokenAnswer};
use super::Endpoint::Token;

faults! {
    /// A DPoP proof must carry a nonce of this provider, whatever the options say.
    dpop_nonce_asked => Nonce(NonceFault::Asked),
    /// A DPoP proof must carry the nonce of the very last answer: each is good once.
    dpop_nonce_rotating => Nonce(NonceFault::Rotating),
    /// A DPoP proof is answered with another nonce, whatever nonce it carries.
    dpop_nonce_loop => Nonce(NonceFault::Looping),
    /// The token endpoint asks for a nonce and gives none.
    dpop_nonce_without_header => Answer(Token, OAuth("use_dpop_nonce")),
    /// The token endpoint refuses a proof that nothing is wrong with.
    dpop_proof_refused => Answer(Token, OAuth("invalid_dpop_proof")),
    /// The token answer calls its token a bearer token, though a key was proven.
    dpop_downgrade => TokenAnswer(Token, |answer| {
        answer.insert("token_type".to_owned(), json!("Bearer"));
    }),
}

/// What becomes of the nonce of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NonceFault {
    Asked,
    Rotating,
    Looping,
}
