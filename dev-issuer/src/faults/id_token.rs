//! ID tokens that say too little, too much, or what nobody signed.

use super::Effect::{IdToken, TokenAnswer};
use super::STRANGER;
use crate::draft::Draft;

faults! {
    /// The ID token has a nonce that nobody sent.
    id_token_wrong_nonce => IdToken(|token| token.claim("nonce", "another-nonce")),
    /// The ID token is for another client.
    id_token_wrong_aud => IdToken(|token| token.claim("aud", "another-client")),
    /// The ID token names another issuer.
    id_token_wrong_iss => IdToken(|token| token.claim("iss", STRANGER)),
    /// The ID token's signature does not verify.
    id_token_bad_signature => IdToken(Draft::spoil_signature),
    /// The ID token is unsigned, with `alg: none`.
    id_token_alg_none => IdToken(Draft::unsign),
    /// The ID token expired an hour ago.
    id_token_expired => IdToken(|token| {
        let issued = token.claims["iat"].as_u64().unwrap_or_default();
        token.claim("iat", issued.saturating_sub(7200));
        token.claim("exp", issued.saturating_sub(3600));
    }),
    /// The token answer lacks the ID token.
    id_token_missing => TokenAnswer(|answer| {
        answer.remove("id_token");
    }),
}
