//! Whether an ID token says what it must (OpenID Connect Core §3.1.3.7 and §12.2).
//!
//! The signature is always checked, also for a token that came straight from the token endpoint. Its
//! times are compared with the provider's own clock (`their_clock`).

mod reading;
#[cfg(test)]
mod tests;

use std::time::Duration;

use authbroker_core::account::Person;
use authbroker_core::authentication::{Authentication, Requirement};
use authbroker_core::secret::Secret;
use authbroker_core::time::UnixTime;
use openidconnect::core::{
    CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKey, CoreJsonWebKeySet,
    CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IssuerUrl, Nonce,
    SignatureVerificationError,
};

use self::reading::{Expected, Reading};
use super::error::{TokenError, printable};
use super::keys::{Keys, NoKey};
use super::{Metadata, Oidc};

/// Algorithms that ID tokens may be signed with: asymmetric ones, never `none`, never HMAC.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// How far clocks may differ.
const SKEW: Duration = Duration::from_mins(1);
/// What a checked ID token tells.
pub(super) struct Told {
    pub(super) subject: String,
    pub(super) person: Person,
    pub(super) auth_time: UnixTime,
    pub(super) authentication: Authentication,
    pub(super) text: Secret,
}

/// What the token must fit to.
pub(super) enum Occasion<'a> {
    /// A sign-in: it must bear the nonce that was sent, and be as strong and recent as was asked.
    SignIn {
        /// That nonce; a device sign-in has none.
        nonce: Option<&'a Secret>,
        /// The contexts of which one was asked for; empty for any.
        acr_values: &'a [String],
        /// How long ago the person may have proved who they are.
        max_age: Option<Duration>,
    },
    /// A refresh: it must be about the same person.
    Refresh {
        /// That person.
        subject: &'a str,
    },
}

impl Oidc {
    /// Checks an ID token that came with `access_token`. Unknown keys are fetched again, once.
    pub(super) async fn check_id_token(
        &self,
        metadata: &Metadata,
        token: &Secret,
        access_token: &Secret,
        occasion: &Occasion<'_>,
    ) -> Result<Told, TokenError> {
        let settings = self.settings();
        let (issuer, client_id) = (settings.issuer.as_str(), settings.client_id.as_str());
        let now = self.their_clock.now();
        let expected = Expected { issuer, client_id, access_token, occasion, now };
        let reading = reading::read(token, &expected)?;
        let keys = self.discovery.keys(&self.http, metadata).await.map_err(TokenError::Keyless)?;
        let checked = match self.check_with(&keys, &reading, &expected) {
            Err(rejected) if rejected.may_be_for_newer_keys(&reading) => {
                let newer = self.discovery.newer_keys(&self.http, metadata).await;
                self.check_with(&*newer.map_err(TokenError::Keyless)?, &reading, &expected)
            }
            checked => checked,
        };
        Ok(checked?)
    }

    /// Tries the keys that fit, of which there is one where the provider names them.
    fn check_with(
        &self,
        keys: &Keys,
        reading: &Reading,
        expected: &Expected<'_>,
    ) -> Result<Told, Rejected> {
        let fitting = keys.fitting(&reading.algorithm, reading.kid.as_deref());
        let mut result = Err(Rejected::NoKey(NoKey::Unknown));
        for key in fitting.map_err(Rejected::NoKey)? {
            result = self.check_with_key(key, &reading.token, expected);
            if !matches!(result, Err(Rejected::BadSignature)) {
                break;
            }
        }
        result
    }

    fn check_with_key(
        &self,
        key: &CoreJsonWebKey,
        token: &CoreIdToken,
        expected: &Expected<'_>,
    ) -> Result<Told, Rejected> {
        let settings = self.settings();
        let issuer =
            IssuerUrl::new(settings.issuer.to_string()).map_err(|_| Rejected::because("issuer"))?;
        let client = ClientId::new(settings.client_id.clone());
        let keys = CoreJsonWebKeySet::new(vec![key.clone()]);
        let verifier = CoreIdTokenVerifier::new_public_client(client, issuer, keys)
            .set_allowed_algs(ALGORITHMS)
            // `reading` has asked who else it is for.
            .set_other_audience_verifier_fn(|_| true)
            // The library would read a clock of its own: the times are asked below.
            .set_time_fn(Default::default);
        let claims = match expected.occasion {
            Occasion::SignIn { nonce: Some(nonce), .. } => {
                token.claims(&verifier, &Nonce::new(nonce.expose().to_owned()))
            }
            Occasion::SignIn { nonce: None, .. } | Occasion::Refresh { .. } => {
                token.claims(&verifier, |_: Option<&Nonce>| Ok(()))
            }
        };
        let claims = claims.map_err(|error| Rejected::from_verification(&error))?;
        check_times(claims, expected.now)?;
        check_hash(token, claims, &verifier, expected.access_token)?;
        check_strength(claims, expected)?;
        Ok(tell(token, claims))
    }
}

/// Why an ID token is not believed.
#[derive(Debug, thiserror::Error)]
enum Rejected {
    #[error("its ID token is signed with a key that it does not publish")]
    NoKey(NoKey),
    #[error("the signature of its ID token does not verify")]
    BadSignature,
    #[error("its ID token is not to be believed: {0}")]
    Because(String),
}

impl Rejected {
    fn because(what: &str) -> Self {
        Self::Because(what.to_owned())
    }

    /// Whether the provider may have taken new keys meanwhile. Where it names its keys, a signature
    /// that does not verify is no sign of that.
    fn may_be_for_newer_keys(&self, reading: &Reading) -> bool {
        match self {
            Self::NoKey(_) => true,
            Self::BadSignature => reading.kid.is_none(),
            Self::Because(_) => false,
        }
    }

    fn from_verification(error: &ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::CryptoError(_),
            ) => Self::BadSignature,
            ClaimsVerificationError::SignatureVerification(cause) => {
                Self::Because(printable(&cause.to_string()))
            }
            ClaimsVerificationError::InvalidNonce(_) => {
                Self::because("its nonce is not the one that was sent")
            }
            other => Self::Because(printable(&other.to_string())),
        }
    }
}

impl From<Rejected> for TokenError {
    fn from(rejected: Rejected) -> Self {
        Self::Disbelieved(match rejected {
            Rejected::NoKey(NoKey::TooShort(bits)) => {
                format!(
                    "its ID token is signed with an RSA key of {bits} bits, and 2048 are the least"
                )
            }
            rejected => rejected.to_string(),
        })
    }
}

/// It has not ended, and was issued (§3.1.3.7 items 9 and 10).
fn check_times(claims: &CoreIdTokenClaims, now: UnixTime) -> Result<(), Rejected> {
    let seconds = |timestamp: i64| UnixTime::from_secs(u64::try_from(timestamp).unwrap_or(0));
    if seconds(claims.expiration().timestamp()).plus(SKEW) <= now {
        return Err(Rejected::because("it has expired"));
    }
    if seconds(claims.issue_time().timestamp()) > now.plus(SKEW) {
        return Err(Rejected::because("it was issued in the future"));
    }
    Ok(())
}

/// The hash of the access token, where there is one, fits (§3.1.3.8).
fn check_hash(
    token: &CoreIdToken,
    claims: &CoreIdTokenClaims,
    verifier: &CoreIdTokenVerifier<'_>,
    access_token: &Secret,
) -> Result<(), Rejected> {
    let Some(expected) = claims.access_token_hash() else { return Ok(()) };
    let unsuited = |_| Rejected::because("its at_hash cannot be checked");
    let access_token = AccessToken::new(access_token.expose().to_owned());
    let algorithm = token.signing_alg().map_err(unsuited)?;
    let key = token.signing_key(verifier).map_err(unsuited)?;
    let actual = AccessTokenHash::from_token(&access_token, algorithm, key);
    match actual {
        Ok(actual) if actual == *expected => Ok(()),
        _ => Err(Rejected::because("its at_hash belongs to another access token")),
    }
}

/// The sign-in was as strong and as recent as was asked (Core §3.1.2.1, RFC 9470 §5).
fn check_strength(claims: &CoreIdTokenClaims, expected: &Expected<'_>) -> Result<(), Rejected> {
    let Occasion::SignIn { acr_values, max_age, .. } = expected.occasion else { return Ok(()) };
    let requirement = Requirement {
        acr_values: acr_values.to_vec(),
        not_before: max_age.map(|age| expected.now.minus(age + SKEW)),
    };
    let told = authentication(claims);
    if requirement.is_met_by(&told) {
        return Ok(());
    }
    let acr = told.acr.as_deref().unwrap_or("none");
    Err(Rejected::because(&format!(
        "the sign-in is not as strong or recent as was asked (its acr is {acr})"
    )))
}

fn authentication(claims: &CoreIdTokenClaims) -> Authentication {
    Authentication {
        acr: claims.auth_context_ref().map(|acr| printable(acr.as_str())),
        auth_time: claims
            .auth_time()
            .map(|time| UnixTime::from_secs(u64::try_from(time.timestamp()).unwrap_or(0))),
    }
}

fn tell(token: &CoreIdToken, claims: &CoreIdTokenClaims) -> Told {
    let text = |value: Option<&str>| value.map(printable).filter(|text| !text.is_empty());
    let auth_time = claims.auth_time().unwrap_or_else(|| claims.issue_time());
    Told {
        subject: claims.subject().to_string(),
        person: Person {
            username: text(claims.preferred_username().map(|name| name.as_str())),
            name: text(claims.name().and_then(|name| name.get(None)).map(|name| name.as_str())),
            email: text(claims.email().map(|email| email.as_str())),
            picture: text(claims.picture().and_then(|url| url.get(None)).map(|url| url.as_str())),
        },
        auth_time: UnixTime::from_secs(u64::try_from(auth_time.timestamp()).unwrap_or(0)),
        authentication: authentication(claims),
        text: Secret::new(token.to_string()),
    }
}
