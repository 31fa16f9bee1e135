//! How we prove to be the client (RFC 6749 §2.3, RFC 7523 §2.2): not at all, with a secret, or with
//! a signature.
//!
//! The secret is read from its place for each request, so that a rotated one needs no restart, and
//! a signature is good for one request only.

use ::http::header::HeaderValue;
use authbroker_core::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::Oidc;
use super::dpop;
use super::error::TokenError;
use crate::config::{ClientAuth, SecretPlace, env};
use crate::platform::{self, clock};

/// How long a signature counts, in seconds. It is sent at once.
const ASSERTION_LIFE: u64 = 60;

/// The kind of assertion that [`ClientAuth::PrivateKey`] sends (RFC 7523 §2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What is added to a request so that the provider knows the client.
pub(super) enum ClientProof {
    /// A header.
    Header(HeaderValue),
    /// Members of the form.
    Form(Vec<(&'static str, Zeroizing<String>)>),
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    iat: u64,
    exp: u64,
}

impl Oidc {
    /// The client's proof for one request.
    pub(super) fn client_proof(&self) -> Result<ClientProof, TokenError> {
        let client_id = self.settings().client_id.as_str();
        let id = ("client_id", Zeroizing::new(client_id.to_owned()));
        Ok(match &self.settings().client_auth {
            ClientAuth::None => ClientProof::Form(vec![id]),
            ClientAuth::Basic(place) => ClientProof::Header(basic(client_id, &read(place)?)?),
            ClientAuth::Post(place) => {
                let secret = Zeroizing::new(read(place)?.expose().to_owned());
                ClientProof::Form(vec![id, ("client_secret", secret)])
            }
            ClientAuth::PrivateKey(place) => {
                let assertion = self.assertion(&read(place)?)?;
                ClientProof::Form(vec![
                    id,
                    ("client_assertion_type", Zeroizing::new(JWT_BEARER.to_owned())),
                    ("client_assertion", Zeroizing::new(assertion)),
                ])
            }
        })
    }

    /// A signed word that we are the client, for the issuer alone (RFC 7523 §3; the audience is the
    /// issuer's identifier and nothing else, as FAPI 2.0 §5.3.3 asks).
    fn assertion(&self, pem: &Secret) -> Result<String, TokenError> {
        let (key, algorithm) = signing_key(pem.expose().as_bytes())?;
        let now = clock::now().wall.as_secs();
        let claims = Assertion {
            iss: &self.settings().client_id,
            sub: &self.settings().client_id,
            aud: self.settings().issuer.as_str(),
            jti: dpop::fresh().map_err(|failure| unusable(&failure.message))?,
            iat: now,
            exp: now + ASSERTION_LIFE,
        };
        jsonwebtoken::encode(&Header::new(algorithm), &claims, &key)
            .map_err(|_| unusable("its key does not sign"))
    }
}

/// The key in a PEM file and the algorithm that it signs with: the one of its kind that FAPI 2.0
/// §5.4 allows.
fn signing_key(pem: &[u8]) -> Result<(EncodingKey, Algorithm), TokenError> {
    if let Ok(key) = EncodingKey::from_ed_pem(pem) {
        return Ok((key, Algorithm::EdDSA));
    }
    if let Ok(key) = EncodingKey::from_ec_pem(pem) {
        let curves = [Algorithm::ES256, Algorithm::ES384];
        let fits = |algorithm: &Algorithm| {
            jsonwebtoken::encode(&Header::new(*algorithm), &(), &key).is_ok()
        };
        let algorithm = curves.into_iter().find(fits);
        return algorithm.map(|algorithm| (key, algorithm)).ok_or_else(|| {
            unusable("its key is on a curve that is not supported; P-256 and P-384 are")
        });
    }
    EncodingKey::from_rsa_pem(pem)
        .map(|key| (key, Algorithm::PS256))
        .map_err(|_| unusable("it holds no private key in PEM"))
}

/// Both parts are form-encoded first (RFC 6749 §2.3.1). A blank is `%20`, because some providers
/// undo only percent codes.
fn basic(client_id: &str, secret: &Secret) -> Result<HeaderValue, TokenError> {
    let pair = Zeroizing::new(format!("{}:{}", encode(client_id), encode(secret.expose())));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(&*pair)));
    let header = HeaderValue::from_str(&text).map_err(|_| unusable("it does not fit a header"))?;
    Ok(sensitive(header))
}

fn sensitive(mut header: HeaderValue) -> HeaderValue {
    header.set_sensitive(true);
    header
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn read(place: &SecretPlace) -> Result<Secret, TokenError> {
    let text = match place {
        SecretPlace::File(path) => platform::read_private_file(path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())),
        SecretPlace::Credential(path) => {
            std::fs::read_to_string(path).map_err(|error| error.to_string())
        }
        SecretPlace::Variable(name) => env::text(name).ok_or(format!("{name} is not set")),
    };
    let text = text.map_err(|why| unusable(&why))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn unusable(why: &str) -> TokenError {
    TokenError::NoSecret(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_characters_are_encoded_so_that_every_provider_undoes_them() {
        assert_eq!(encode("a:%+ é"), "a%3A%25%2B%20%C3%A9");
    }

    #[test]
    fn a_key_signs_with_the_algorithm_of_its_kind() {
        use aws_lc_rs::encoding::AsDer as _;
        use aws_lc_rs::signature::{
            ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        };
        use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
        use aws_lc_rs::{
            encoding::Pkcs8V1Der,
            rsa::{KeyPair, KeySize},
        };

        let _already = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let pem = |der: &[u8]| {
            format!(
                "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
                STANDARD.encode(der)
            )
        };
        let random = aws_lc_rs::rand::SystemRandom::new();
        let ec = |algorithm| EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let rsa: Pkcs8V1Der<'_> = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
        let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        for (der, expected) in [
            (ec(&ECDSA_P256_SHA256_FIXED_SIGNING).as_ref(), Algorithm::ES256),
            (ec(&ECDSA_P384_SHA384_FIXED_SIGNING).as_ref(), Algorithm::ES384),
            (ed.as_ref(), Algorithm::EdDSA),
            (rsa.as_ref(), Algorithm::PS256),
        ] {
            let (key, algorithm) = signing_key(pem(der).as_bytes()).ok().unwrap();
            assert_eq!(algorithm, expected);
            jsonwebtoken::encode(&Header::new(algorithm), &(), &key).unwrap();
        }
        assert!(signing_key(b"no key").is_err());
    }
}
