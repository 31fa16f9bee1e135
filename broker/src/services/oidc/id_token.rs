//! Whether an ID token says what it must (OpenID Connect Core §3.1.3.7 and §12.2).
//!
//! The signature is always checked, also for a token that came straight from the token endpoint.

use std::time::Duration;

use authbroker_core::account::Person;
use authbroker_core::authentication::{Authentication, Requirement};
use authbroker_core::secret::Secret;
use authbroker_core::time::UnixTime;
use openidconnect::core::{
    CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IssuerUrl, Nonce,
    SignatureVerificationError,
};

use super::error::{TokenError, printable};
use super::{Metadata, Oidc};
use crate::platform::clock;

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
/// The longest subject that the standard allows.
const LONGEST_SUBJECT: usize = 255;

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
        token: &CoreIdToken,
        access_token: &Secret,
        occasion: &Occasion<'_>,
    ) -> Result<Told, TokenError> {
        let unusable =
            |failure: authbroker_core::failure::Failure| TokenError::Unusable(failure.message);
        let keys = self.discovery.keys(&self.http, metadata).await.map_err(unusable)?;
        match self.check_with(&keys, token, access_token, occasion) {
            Err(Rejected::UnknownKey) => {
                let keys =
                    self.discovery.newer_keys(&self.http, metadata).await.map_err(unusable)?;
                self.check_with(&keys, token, access_token, occasion)
            }
            checked => checked,
        }
        .map_err(|rejected| TokenError::Unusable(rejected.to_string()))
    }

    fn check_with(
        &self,
        keys: &CoreJsonWebKeySet,
        token: &CoreIdToken,
        access_token: &Secret,
        occasion: &Occasion<'_>,
    ) -> Result<Told, Rejected> {
        let settings = self.settings();
        let issuer =
            IssuerUrl::new(settings.issuer.to_string()).map_err(|_| Rejected::because("issuer"))?;
        let client = ClientId::new(settings.client_id.clone());
        let verifier = CoreIdTokenVerifier::new_public_client(client, issuer, keys.clone())
            .set_allowed_algs(ALGORITHMS)
            .set_issue_time_verifier_fn(|at| {
                let limit = clock::now().wall.plus(SKEW).as_secs();
                let at = u64::try_from(at.timestamp()).unwrap_or(0);
                if at <= limit { Ok(()) } else { Err("it was issued in the future".to_owned()) }
            });
        let claims = match occasion {
            Occasion::SignIn { nonce: Some(nonce), .. } => {
                token.claims(&verifier, &Nonce::new(nonce.expose().to_owned()))
            }
            Occasion::SignIn { nonce: None, .. } | Occasion::Refresh { .. } => {
                token.claims(&verifier, |_: Option<&Nonce>| Ok(()))
            }
        };
        let claims = claims.map_err(|error| Rejected::from_verification(&error))?;
        self.check_parties(claims)?;
        check_hash(token, claims, &verifier, access_token)?;
        check_subject(claims, occasion)?;
        check_strength(claims, occasion)?;
        Ok(tell(token, claims))
    }

    /// The authorized party, where one is named, is us (§3.1.3.7 items 4 and 5).
    fn check_parties(&self, claims: &CoreIdTokenClaims) -> Result<(), Rejected> {
        match claims.authorized_party() {
            Some(party) if party.as_str() != self.settings().client_id => {
                Err(Rejected::because("it was issued to another client"))
            }
            _ => Ok(()),
        }
    }
}

/// Why an ID token is not believed.
#[derive(Debug, thiserror::Error)]
enum Rejected {
    #[error("its ID token is signed with a key that it does not publish")]
    UnknownKey,
    #[error("its ID token is not to be believed: {0}")]
    Because(String),
}

impl Rejected {
    fn because(what: &str) -> Self {
        Self::Because(what.to_owned())
    }

    fn from_verification(error: &ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            ) => Self::UnknownKey,
            ClaimsVerificationError::SignatureVerification(cause) => {
                Self::Because(printable(&cause.to_string()))
            }
            other => Self::Because(printable(&other.to_string())),
        }
    }
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

fn check_subject(claims: &CoreIdTokenClaims, occasion: &Occasion<'_>) -> Result<(), Rejected> {
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
        return Err(Rejected::because("its subject is empty or too long"));
    }
    match occasion {
        Occasion::Refresh { subject: before } if *before != subject => {
            Err(Rejected::because("it is about another person than before"))
        }
        _ => Ok(()),
    }
}

/// The sign-in was as strong and as recent as was asked (Core §3.1.2.1, RFC 9470 §5).
fn check_strength(claims: &CoreIdTokenClaims, occasion: &Occasion<'_>) -> Result<(), Rejected> {
    let Occasion::SignIn { acr_values, max_age, .. } = occasion else { return Ok(()) };
    let requirement = Requirement {
        acr_values: acr_values.to_vec(),
        not_before: max_age.map(|age| clock::now().wall.minus(age + SKEW)),
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
