//! Faults on demand: each has a name and one line in [`Fault::effect`].
//!
//! To add one, add a variant with its sentence and say in `effect` what it does: give a bad answer
//! at an endpoint ([`Effect::Answer`]), or change a document, a redirect or a token on its way out.
//! A kind of effect that does not exist yet is a new [`Effect`], taken where it applies.

use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::authorize::answer::Answer;
use crate::draft::Draft;

/// An issuer that is not this one, for wrong `iss` values.
const STRANGER: &str = "https://stranger.example";
/// What `Retry-After` says, in seconds.
const RETRY_AFTER: u32 = 1;

/// Something that goes wrong at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Fault {
    /// The discovery document names another issuer.
    DiscoveryIssuerMismatch,
    /// Discovery answers 500.
    #[value(name = "discovery_500")]
    Discovery500,
    /// Discovery never answers.
    DiscoveryHang,
    /// The key document answers 500.
    #[value(name = "jwks_500")]
    Jwks500,
    /// The redirect carries a state that nobody sent.
    RedirectWrongState,
    /// The redirect names another issuer.
    RedirectWrongIss,
    /// The redirect lacks the announced `iss`.
    RedirectMissingIss,
    /// The ID token has a nonce that nobody sent.
    IdTokenWrongNonce,
    /// The ID token is for another client.
    IdTokenWrongAud,
    /// The ID token names another issuer.
    IdTokenWrongIss,
    /// The ID token's signature does not verify.
    IdTokenBadSignature,
    /// The ID token is unsigned, with `alg: none`.
    IdTokenAlgNone,
    /// The ID token expired an hour ago.
    IdTokenExpired,
    /// The token answer lacks the ID token.
    IdTokenMissing,
    /// The token endpoint answers 500, whatever the grant.
    #[value(name = "token_500")]
    Token500,
    /// The token endpoint never answers.
    TokenHang,
    /// The token endpoint answers 503 with Retry-After.
    #[value(name = "token_503_retry_after")]
    Token503RetryAfter,
    /// A refresh is answered with `invalid_grant`; the session behind it lives on.
    RefreshInvalidGrant,
    /// A refresh is answered with 500.
    #[value(name = "refresh_500")]
    Refresh500,
    /// A refresh is answered with 503 and Retry-After.
    #[value(name = "refresh_503_retry_after")]
    Refresh503RetryAfter,
    /// A refresh rotates the token, then the connection closes without an answer.
    RefreshLostAnswer,
    /// A refresh gives an access token only; the old refresh token stays good.
    RefreshNoNewToken,
    /// Revocation answers 503 with Retry-After and revokes nothing.
    #[value(name = "revoke_503")]
    Revoke503,
}

/// How often a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// At the next occasion only.
    Once,
    /// At that many of the next occasions, at least one.
    Next(u32),
    /// Until [`crate::Issuer::clear_faults`].
    Always,
}

/// What a fault does, and where.
#[derive(Clone, Copy)]
pub(crate) enum Effect {
    /// A bad answer at an endpoint.
    Answer(Endpoint, BadAnswer),
    /// A change to the discovery document.
    Discovery(fn(&mut Map<String, Value>)),
    /// A change to the redirect that answers an authorization request.
    Redirect(fn(&mut Answer)),
    /// A change to an ID token before it is signed (or is not).
    IdToken(fn(&mut Draft)),
    /// A change to the successful answer of the token endpoint.
    TokenAnswer(fn(&mut Map<String, Value>)),
    /// A refresh that leaves the refresh token as it is.
    NoRotation,
}

/// Where a bad answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Discovery,
    Jwks,
    /// The token endpoint, any grant.
    Token,
    /// The token endpoint, asked for a refresh.
    Refresh,
    Revocation,
}

/// An answer that no correct server gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadAnswer {
    /// This status and a line of text, instead of doing the work.
    Status(StatusCode),
    /// This status and a Retry-After in seconds, instead of doing the work.
    RetryAfter(StatusCode, u32),
    /// This OAuth error, instead of doing the work.
    OAuth(&'static str),
    /// None, and the connection stays open.
    Never,
    /// None: the work is done, then the connection closes.
    LostAfterTheWork,
}

impl Fault {
    pub(crate) fn effect(self) -> Effect {
        use BadAnswer::{LostAfterTheWork, Never, OAuth, RetryAfter, Status};
        use Effect::{Answer, Discovery, IdToken, NoRotation, Redirect, TokenAnswer};

        const FAILED: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
        const BUSY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

        match self {
            Self::DiscoveryIssuerMismatch => Discovery(|document| {
                document.insert("issuer".to_owned(), json!(STRANGER));
            }),
            Self::Discovery500 => Answer(Endpoint::Discovery, Status(FAILED)),
            Self::DiscoveryHang => Answer(Endpoint::Discovery, Never),
            Self::Jwks500 => Answer(Endpoint::Jwks, Status(FAILED)),
            Self::RedirectWrongState => Redirect(|answer| answer.set("state", "another-state")),
            Self::RedirectWrongIss => Redirect(|answer| answer.set("iss", STRANGER)),
            Self::RedirectMissingIss => Redirect(|answer| answer.remove("iss")),
            Self::IdTokenWrongNonce => IdToken(|token| token.claim("nonce", "another-nonce")),
            Self::IdTokenWrongAud => IdToken(|token| token.claim("aud", "another-client")),
            Self::IdTokenWrongIss => IdToken(|token| token.claim("iss", STRANGER)),
            Self::IdTokenBadSignature => IdToken(Draft::spoil_signature),
            Self::IdTokenAlgNone => IdToken(Draft::unsign),
            Self::IdTokenExpired => IdToken(|token| {
                let issued = token.claims["iat"].as_u64().unwrap_or_default();
                token.claim("iat", issued.saturating_sub(7200));
                token.claim("exp", issued.saturating_sub(3600));
            }),
            Self::IdTokenMissing => TokenAnswer(|answer| {
                answer.remove("id_token");
            }),
            Self::Token500 => Answer(Endpoint::Token, Status(FAILED)),
            Self::TokenHang => Answer(Endpoint::Token, Never),
            Self::Token503RetryAfter => Answer(Endpoint::Token, RetryAfter(BUSY, RETRY_AFTER)),
            Self::RefreshInvalidGrant => Answer(Endpoint::Refresh, OAuth("invalid_grant")),
            Self::Refresh500 => Answer(Endpoint::Refresh, Status(FAILED)),
            Self::Refresh503RetryAfter => Answer(Endpoint::Refresh, RetryAfter(BUSY, RETRY_AFTER)),
            Self::RefreshLostAnswer => Answer(Endpoint::Refresh, LostAfterTheWork),
            Self::RefreshNoNewToken => NoRotation,
            Self::Revoke503 => Answer(Endpoint::Revocation, RetryAfter(BUSY, RETRY_AFTER)),
        }
    }
}

impl Endpoint {
    /// Says whether a fault set for `self` happens to a request for `asked`.
    pub(crate) fn covers(self, asked: Self) -> bool {
        self == asked || (self == Self::Token && asked == Self::Refresh)
    }
}

/// The faults that are set.
#[derive(Debug, Default)]
pub(crate) struct FaultBoard {
    set: Mutex<Vec<(Fault, Times)>>,
}

impl FaultBoard {
    pub(crate) fn inject(&self, fault: Fault, times: Times) {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).push((fault, times));
    }

    pub(crate) fn clear(&self) {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Gives what `wanted` picks out of the faults that are set, and counts each of these down.
    pub(crate) fn take<T>(&self, wanted: impl Fn(Effect) -> Option<T>) -> Vec<T> {
        let mut taken = Vec::new();
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        set.retain_mut(|(fault, times)| match wanted(fault.effect()) {
            Some(found) => {
                taken.push(found);
                times.count_down()
            }
            None => true,
        });
        taken
    }
}

impl Times {
    /// Counts one occasion and says whether more are to come.
    fn count_down(&mut self) -> bool {
        match self {
            Self::Once => false,
            Self::Always => true,
            Self::Next(left) => {
                *left = left.saturating_sub(1);
                *left > 0
            }
        }
    }
}
