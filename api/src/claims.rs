//! What a verified token says, in the types that a handler wants.
//!
//! [`Claims`] exist only as the outcome of [`crate::verify::verify`]: holding them means that the
//! issuer said so, to this API, and that the token has not expired.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The claims of an access token ([RFC 9068 §2.2]).
///
/// A person is the pair of `iss` and `sub`; no other claim identifies anybody for good.
///
/// [RFC 9068 §2.2]: https://www.rfc-editor.org/rfc/rfc9068#section-2.2
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claims {
    /// Who issued the token.
    pub iss: String,
    /// Whom the token speaks for: a person, or the client itself where nobody signed in.
    pub sub: String,
    /// When it was issued, in seconds since the Unix epoch.
    pub iat: u64,
    /// When it expires, in seconds since the Unix epoch.
    pub exp: u64,
    /// The client that asked for it. `None` only where the settings allow that.
    pub client_id: Option<String>,
    /// Its own identifier. `None` only where the settings allow that.
    pub jti: Option<String>,
    /// When the person signed in, in seconds since the Unix epoch, if the issuer says.
    pub auth_time: Option<u64>,
    /// How they signed in: the authentication context class, if the issuer says.
    pub acr: Option<String>,
    /// The granted scope as the issuer wrote it; [`Claims::has_scope`] reads it.
    pub scope: Option<String>,
}

impl Claims {
    /// Whether the token was granted this scope: by whole word, so `mail` is not `mail.read`.
    pub fn has_scope(&self, wanted: &Scope) -> bool {
        let granted = self.scope.as_deref().unwrap_or_default();
        granted.split(' ').any(|word| word == wanted.as_str())
    }
}

/// One scope word ([RFC 6749 §3.3]), fit to stand in a challenge.
///
/// [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

impl Scope {
    /// The word itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scope {
    type Err = InvalidWord;

    fn from_str(word: &str) -> Result<Self, InvalidWord> {
        quotable(word).map(Self)
    }
}

/// An authentication context class ([OpenID Connect Core §2]), fit to stand in a challenge.
///
/// [OpenID Connect Core §2]: https://openid.net/specs/openid-connect-core-1_0.html#IDToken
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acr(String);

impl Acr {
    /// The class itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Acr {
    type Err = InvalidWord;

    fn from_str(word: &str) -> Result<Self, InvalidWord> {
        quotable(word).map(Self)
    }
}

/// The identifier that tokens for this API carry in `aud`. It is also the realm of its challenges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience(String);

impl Audience {
    /// The identifier, letter for letter.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Audience {
    type Err = InvalidWord;

    fn from_str(word: &str) -> Result<Self, InvalidWord> {
        quotable(word).map(Self)
    }
}

/// Takes the characters that a scope word may have; they are also those that can stand in a quoted
/// string of a header as they are.
fn quotable(word: &str) -> Result<String, InvalidWord> {
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let valid = !word.is_empty() && word.bytes().all(fits);
    if valid { Ok(word.to_owned()) } else { Err(InvalidWord) }
}

/// The text is empty, or has a character that cannot stand in a challenge.
#[derive(Debug, thiserror::Error)]
#[error("must be one word of visible ASCII characters without \" and \\")]
pub struct InvalidWord;

/// The claims as they came, before anything is required of them.
#[derive(Deserialize)]
pub(crate) struct RawClaims {
    pub(crate) iss: Option<String>,
    pub(crate) sub: Option<String>,
    pub(crate) aud: Option<OneOrMany>,
    pub(crate) exp: Option<NumericDate>,
    pub(crate) nbf: Option<NumericDate>,
    pub(crate) iat: Option<NumericDate>,
    pub(crate) client_id: Option<String>,
    pub(crate) jti: Option<String>,
    pub(crate) auth_time: Option<NumericDate>,
    pub(crate) acr: Option<String>,
    pub(crate) scope: Option<String>,
    /// The key that the token is bound to (RFC 7800); `null` is no way to say that there is none.
    #[serde(default, deserialize_with = "some")]
    pub(crate) cnf: Option<Confirmation>,
    /// Whether it answers a nonce, as only an ID token does (OpenID Connect Core §2).
    #[serde(default, deserialize_with = "present")]
    pub(crate) nonce: bool,
    /// Whether it vouches for another token, as only an ID token does (Core §3.1.3.6).
    #[serde(default, deserialize_with = "present")]
    pub(crate) at_hash: bool,
}

/// How the token's holder must prove that it is theirs.
#[derive(Deserialize)]
pub(crate) struct Confirmation {
    /// The thumbprint of a key for DPoP (RFC 9449 §6.1).
    pub(crate) jkt: Option<String>,
    /// Other ways, such as a certificate's hash, which this server cannot check.
    #[serde(flatten)]
    pub(crate) others: Map<String, Value>,
}

/// `aud` is a text or a list of them (RFC 7519 §4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(crate) fn contains(&self, wanted: &Audience) -> bool {
        match self {
            Self::One(only) => only == wanted.as_str(),
            Self::Many(all) => all.iter().any(|one| one == wanted.as_str()),
        }
    }
}

/// Seconds since the Unix epoch. RFC 7519 §2 allows fractions, which are cut off here.
#[derive(Clone, Copy)]
pub(crate) struct NumericDate(pub(crate) u64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        // Refuses what is negative, endless or not a number.
        let since = Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)?;
        Ok(Self(since.as_secs()))
    }
}

/// True for whatever stands there, `null` included.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// For a member that may be left out but not be `null`.
fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
