//! ID tokens that say too little, too much, or what nobody signed.

use serde_json::json;

use super::Effect::{self, StrangersKey, TokenAnswer};
use super::Endpoint::Token;
use super::STRANGER;
use crate::draft::{Draft, Signature};

/// Half a day, in seconds.
const LONG: u64 = 12 * 60 * 60;

faults! {
    /// The ID token is unsigned, with `alg: none`.
    id_token_alg_none => change(|token| token.unsign("none")),
    /// The ID token is unsigned, with `alg: NONE`.
    id_token_alg_none_in_capitals => change(|token| token.unsign("NONE")),
    /// The ID token is unsigned, with `alg: nOnE`.
    id_token_alg_none_in_mixed_case => change(|token| token.unsign("nOnE")),
    /// The ID token has its algorithm and no signature.
    id_token_without_signature => change(|token| token.signature = Signature::Empty),
    /// The ID token's signature does not verify.
    id_token_bad_signature => change(Draft::spoil_signature),
    /// The ID token is signed with HS256, the public key taken for a shared secret.
    id_token_hs256_with_public_key => change(Draft::sign_with_public_key),
    /// The ID token is signed with a key that stands in its own header.
    id_token_jwk_header => StrangersKey("jwk"),
    /// The ID token is signed with a key that its header says where to fetch.
    id_token_jku_header => StrangersKey("jku"),
    /// The ID token has an extension that must be understood.
    id_token_crit_header => change(|token| {
        token.header("telepathy", true);
        token.header("crit", json!(["telepathy"]));
    }),
    /// The ID token names no key.
    id_token_without_kid => change(|token| token.header("kid", json!(null))),
    /// The ID token names a key that nobody has published.
    id_token_unknown_kid => change(|token| token.header("kid", "unheard-of")),
    /// The token answer lacks the ID token.
    id_token_missing => TokenAnswer(Token, |answer| {
        answer.remove("id_token");
    }),
    /// The ID token is no token.
    id_token_garbage => TokenAnswer(Token, |answer| {
        answer.insert("id_token".to_owned(), json!("garbage"));
    }),
    /// The ID token is a number.
    id_token_mistyped => TokenAnswer(Token, |answer| {
        answer.insert("id_token".to_owned(), json!(42));
    }),
    /// The ID token is encrypted, or looks so.
    id_token_encrypted => TokenAnswer(Token, |answer| {
        let header = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ"; // RSA-OAEP, A256GCM
        answer.insert("id_token".to_owned(), json!(format!("{header}.AA.AA.AA.AA")));
    }),
    /// The ID token is the access token once more.
    id_token_copy_of_access_token => TokenAnswer(Token, |answer| {
        answer.insert("id_token".to_owned(), answer["access_token"].clone());
    }),
    /// The ID token names another issuer.
    id_token_wrong_iss => change(|token| token.claim("iss", STRANGER)),
    /// The ID token names no issuer.
    id_token_without_iss => change(|token| token.unclaim("iss")),
    /// The ID token is for another client.
    id_token_wrong_aud => change(|token| token.claim("aud", "another-client")),
    /// The ID token does not say whom it is for.
    id_token_without_aud => change(|token| token.unclaim("aud")),
    /// The ID token is for several clients and does not say who asked for it.
    id_token_several_auds => change(Draft::claim_several_auds),
    /// The ID token is for several clients, and was asked for by this one. Nothing is wrong.
    id_token_several_auds_with_azp => change(|token| {
        let client = token.claims["aud"].clone();
        token.claim_several_auds();
        token.claim("azp", client);
    }),
    /// The ID token was asked for by another client.
    id_token_wrong_azp => change(|token| token.claim("azp", "another-client")),
    /// The ID token expired an hour ago.
    id_token_expired => change(|token| {
        let issued = token.issued();
        token.claim("iat", issued.saturating_sub(7200));
        token.claim("exp", issued.saturating_sub(3600));
    }),
    /// The ID token does not say when it ends.
    id_token_without_exp => change(|token| token.unclaim("exp")),
    /// The ID token ends at a time that is none.
    id_token_exp_mistyped => change(|token| token.claim("exp", "soon")),
    /// The ID token does not say when it was issued.
    id_token_without_iat => change(|token| token.unclaim("iat")),
    /// The ID token is to be issued in half a day.
    id_token_iat_in_future => change(|token| token.claim("iat", token.issued() + LONG)),
    /// The ID token is to be valid in half a day.
    id_token_not_yet_valid => change(|token| token.claim("nbf", token.issued() + LONG)),
    /// The ID token has a nonce that nobody sent.
    id_token_wrong_nonce => change(|token| token.claim("nonce", "another-nonce")),
    /// The ID token has no nonce.
    id_token_without_nonce => change(|token| token.unclaim("nonce")),
    /// The ID token is about nobody.
    id_token_without_sub => change(|token| token.unclaim("sub")),
    /// The ID token is about somebody without a name.
    id_token_empty_sub => change(|token| token.claim("sub", "")),
    /// The ID token is about somebody whose name has 256 letters.
    id_token_long_sub => change(|token| token.claim("sub", "x".repeat(256))),
    /// The ID token is about a number.
    id_token_sub_mistyped => change(|token| token.claim("sub", 42)),
    /// The ID token goes with another access token.
    id_token_wrong_at_hash => change(|token| token.claim("at_hash", "77QmUPtjPfzWtF2AnpK9RQ")),
    /// The ID token does not say which access token it goes with; it need not.
    id_token_without_at_hash => change(|token| token.unclaim("at_hash")),
    /// The person signed in half a day ago.
    id_token_old_auth_time => change(|token| {
        token.claim("auth_time", token.issued().saturating_sub(LONG));
    }),
    /// The ID token does not say when the person signed in.
    id_token_without_auth_time => change(|token| token.unclaim("auth_time")),
}

/// A change to every ID token, whatever the grant.
const fn change(change: fn(&mut Draft)) -> Effect {
    Effect::IdToken(Token, change)
}
