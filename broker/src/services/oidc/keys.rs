//! The keys that a provider publishes, and which of them a signature can be checked with.
//!
//! A key counts where nothing speaks against it: its kind, curve, use, operations and algorithm all
//! have to fit, and its name where the token gives one (RFC 7517 §4). What else is published, other
//! uses and kinds that nobody knows yet, is passed over.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use authbroker_core::time::BootTime;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey as _, JsonWebKeyAlgorithm, JwsSigningAlgorithm as _};
use serde_json::Value;

/// The fewest bits of an RSA key (RFC 7518 §3.3).
const FEWEST_BITS: usize = 2048;
/// How many keys are tried where a token names none and several fit.
const MOST_TRIED: usize = 8;

/// How many times unknown keys may ask for newer ones within [`A_WHILE`]. A rotation is followed at
/// once, also where it comes twice; tokens with ever new names make no storm.
const TIMES: usize = 3;
/// See [`TIMES`].
const A_WHILE: Duration = Duration::from_mins(1);

/// What a provider publishes, as far as it can be understood.
#[derive(Debug)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    curve: Option<String>,
    /// The length of an RSA modulus; of no other kind.
    bits: Option<usize>,
    public: CoreJsonWebKey,
}

/// How often keys may be asked for that are newer than those at hand.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    // A std mutex: held for one comparison, never across an await.
    taken: Mutex<[Option<BootTime>; TIMES]>,
}

/// Why no key can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// None fits.
    Unknown,
    /// The one that fits has so few bits.
    TooShort(usize),
}

impl Keys {
    /// Reads a JWK set (RFC 7517 §5); nothing where it is none.
    pub(super) fn read(document: &Value) -> Option<Self> {
        let keys = document.get("keys")?.as_array()?;
        Some(Self(keys.iter().filter_map(Key::read).collect()))
    }

    /// The keys that a signature with `algorithm` may have been made with.
    pub(super) fn fitting(
        &self,
        algorithm: &CoreJwsSigningAlgorithm,
        kid: Option<&str>,
    ) -> Result<Vec<&CoreJsonWebKey>, NoKey> {
        let fitting: Vec<_> = self.0.iter().filter(|key| key.fits(algorithm, kid)).collect();
        let long: Vec<_> =
            fitting.iter().filter(|key| !key.is_short()).map(|key| &key.public).collect();
        match (long.is_empty(), fitting.first()) {
            (false, _) => Ok(long.into_iter().take(MOST_TRIED).collect()),
            (true, Some(short)) => Err(NoKey::TooShort(short.bits.unwrap_or_default())),
            (true, None) => Err(NoKey::Unknown),
        }
    }
}

impl Key {
    fn read(value: &Value) -> Option<Self> {
        let operations = value.get("key_ops").and_then(Value::as_array);
        if operations.is_some_and(|operations| operations.iter().all(|one| one != "verify")) {
            return None;
        }
        Some(Self {
            curve: value.get("crv").and_then(Value::as_str).map(str::to_owned),
            bits: value.get("n").and_then(Value::as_str).map(length),
            public: serde_json::from_value(value.clone()).ok()?,
        })
    }

    fn fits(&self, algorithm: &CoreJwsSigningAlgorithm, kid: Option<&str>) -> bool {
        let named =
            kid.is_none_or(|kid| self.public.key_id().is_some_and(|own| own.as_str() == kid));
        let meant = match self.public.signing_alg() {
            JsonWebKeyAlgorithm::Unspecified => true,
            JsonWebKeyAlgorithm::Algorithm(own) => own == algorithm,
            JsonWebKeyAlgorithm::Unsupported => false,
        };
        named
            && meant
            && self.public.key_use().is_none_or(openidconnect::JsonWebKeyUse::allows_signature)
            && algorithm.key_type().as_ref() == Some(self.public.key_type())
            && curve(algorithm).is_none_or(|curve| self.curve.as_deref() == Some(curve))
    }

    fn is_short(&self) -> bool {
        self.bits.is_some_and(|bits| bits < FEWEST_BITS)
    }
}

impl Allowance {
    /// Says whether one more fetch is allowed, and counts it.
    pub(super) fn take(&self, now: BootTime) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken[0].is_some_and(|first| first.until(now) < A_WHILE) {
            return false;
        }
        taken[0] = Some(now);
        taken.rotate_left(1);
        true
    }
}

/// The curve that an algorithm is for (RFC 7518 §3.4, RFC 8037 §3.1); nothing for RSA.
const fn curve(algorithm: &CoreJwsSigningAlgorithm) -> Option<&'static str> {
    match algorithm {
        CoreJwsSigningAlgorithm::EcdsaP256Sha256 => Some("P-256"),
        CoreJwsSigningAlgorithm::EcdsaP384Sha384 => Some("P-384"),
        CoreJwsSigningAlgorithm::EdDsa => Some("Ed25519"),
        _ => None,
    }
}

/// The bits of a number that is written in base64url, without the zeros before it.
fn length(number: &str) -> usize {
    let bytes = URL_SAFE_NO_PAD.decode(number).unwrap_or_default();
    let mut bytes = bytes.iter().skip_while(|byte| **byte == 0);
    let Some(first) = bytes.next() else { return 0 };
    8 * bytes.count() + (8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RS256: CoreJwsSigningAlgorithm = CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256;
    const ES256: CoreJwsSigningAlgorithm = CoreJwsSigningAlgorithm::EcdsaP256Sha256;

    fn rsa(bits: usize) -> Value {
        let modulus = URL_SAFE_NO_PAD.encode(vec![0xff; bits / 8]);
        json!({ "kty": "RSA", "kid": "a", "n": modulus, "e": "AQAB" })
    }

    fn with(mut key: Value, name: &str, value: impl Into<Value>) -> Value {
        key[name] = value.into();
        key
    }

    fn ec(curve: &str) -> Value {
        json!({ "kty": "EC", "kid": "a", "crv": curve, "x": "AA", "y": "AA" })
    }

    /// How many keys fit.
    fn fitting(
        keys: &[Value],
        algorithm: &CoreJwsSigningAlgorithm,
        kid: Option<&str>,
    ) -> Result<usize, NoKey> {
        let keys = Keys::read(&json!({ "keys": keys })).unwrap();
        keys.fitting(algorithm, kid).map(|keys| keys.len())
    }

    #[test]
    fn a_key_is_chosen_by_name_kind_curve_use_operations_and_algorithm_together() {
        let good = rsa(2048);
        let decoys = [
            with(good.clone(), "kid", "b"),
            with(good.clone(), "alg", "PS256"),
            with(good.clone(), "alg", "RSA-OAEP"),
            with(good.clone(), "use", "enc"),
            with(good.clone(), "key_ops", json!(["encrypt"])),
            ec("P-256"),
            json!({ "kty": "AKP", "kid": "a" }),
            json!("nonsense"),
        ];
        assert_eq!(fitting(&decoys, &RS256, Some("a")), Err(NoKey::Unknown));
        let all = [&decoys[..], &[good]].concat();
        assert_eq!(fitting(&all, &RS256, Some("a")), Ok(1));
        assert_eq!(fitting(&[ec("P-384"), ec("P-256")], &ES256, Some("a")), Ok(1));
    }

    #[test]
    fn without_a_name_every_key_that_fits_may_be_the_one() {
        let keys = [rsa(2048), with(rsa(3072), "kid", "b"), ec("P-256")];
        assert_eq!(fitting(&keys, &RS256, None), Ok(2));
        assert_eq!(fitting(&[], &RS256, None), Err(NoKey::Unknown));
    }

    #[test]
    fn an_rsa_key_of_less_than_2048_bits_is_none() {
        assert_eq!(fitting(&[rsa(1024)], &RS256, Some("a")), Err(NoKey::TooShort(1024)));
        assert_eq!(fitting(&[rsa(1024), rsa(2048)], &RS256, Some("a")), Ok(1));
        assert_eq!((length("AAAB"), length("AIA"), length("")), (1, 8, 0));
    }

    #[test]
    fn newer_keys_are_asked_for_a_few_times_in_a_while() {
        let allowance = Allowance::default();
        let at = |seconds| BootTime::from_start(Duration::from_secs(seconds));
        let taken: Vec<_> = [0, 1, 2, 3, 59, 60, 60, 61].map(|s| allowance.take(at(s))).into();
        assert_eq!(taken, [true, true, true, false, false, true, false, true]);
    }
}
