//! What a verified token says, in the types that a handler wants.
//!
//! [`Claims`] exist only as the outcome of [`crate::verify::verify`]: holding them means that the
//! issuer said so, to this API, and that the token has not expired.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};
use std::str::FromStr;
use std::time::Duration;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The claims of an access token ([RFC 9068 §2.2]).
///
/// A person is the pair of `iss` and `sub`; no other claim identifies anybody for good.
///
/// [RFC 9068 §2.2]: https://www.rfc-editor.org/rfc/rfc9068#section-2.2
#[derive(Clone)]
pub struct Claims {
    /// All the texts, one after the other: thousands of these are remembered, and one piece of
    /// memory is sooner had and given back than six.
    texts: Box<str>,
    iss: Span,
    sub: Span,
    client_id: Option<Span>,
    jti: Option<Span>,
    acr: Option<Span>,
    scope: Option<Span>,
    iat: u64,
    exp: u64,
    auth_time: Option<u64>,
}

/// Where a text begins and ends among the others.
type Span = Range<usize>;

impl Claims {
    /// Keeps what a token said.
    pub(crate) fn keep(said: &Said<'_>) -> Self {
        let mut texts = String::with_capacity(said.texts().map(str::len).sum());
        let mut put = |text: &str| {
            let begin = texts.len();
            texts.push_str(text);
            begin..texts.len()
        };
        let (iss, sub) = (put(said.iss), put(said.sub));
        let [client_id, jti, acr, scope] = said.others().map(|text| text.map(&mut put));
        let Said { iat, exp, auth_time, .. } = *said;
        let texts = texts.into_boxed_str();
        Self { texts, iss, sub, client_id, jti, acr, scope, iat, exp, auth_time }
    }

    fn text(&self, span: &Span) -> &str {
        self.texts.get(span.clone()).unwrap_or_default()
    }

    fn text_of(&self, span: Option<&Span>) -> Option<&str> {
        span.map(|span| self.text(span))
    }

    /// Who issued the token.
    pub fn iss(&self) -> &str {
        self.text(&self.iss)
    }

    /// Whom the token speaks for: a person, or the client itself where nobody signed in.
    pub fn sub(&self) -> &str {
        self.text(&self.sub)
    }

    /// When it was issued, in seconds since the Unix epoch.
    pub fn iat(&self) -> u64 {
        self.iat
    }

    /// When it expires, in seconds since the Unix epoch.
    pub fn exp(&self) -> u64 {
        self.exp
    }

    /// The client that asked for it. `None` only where the settings allow that.
    pub fn client_id(&self) -> Option<&str> {
        self.text_of(self.client_id.as_ref())
    }

    /// Its own identifier. `None` only where the settings allow that.
    pub fn jti(&self) -> Option<&str> {
        self.text_of(self.jti.as_ref())
    }

    /// When the person signed in, in seconds since the Unix epoch, if the issuer says.
    pub fn auth_time(&self) -> Option<u64> {
        self.auth_time
    }

    /// How they signed in: the authentication context class, if the issuer says.
    pub fn acr(&self) -> Option<&str> {
        self.text_of(self.acr.as_ref())
    }

    /// The granted scope as the issuer wrote it; [`Claims::has_scope`] reads it.
    pub fn scope(&self) -> Option<&str> {
        self.text_of(self.scope.as_ref())
    }

    /// Whether the token was granted this scope: by whole word, so `mail` is not `mail.read`.
    pub fn has_scope(&self, wanted: &Scope) -> bool {
        self.scope().unwrap_or_default().split(' ').any(|word| word == wanted.as_str())
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("iss", &self.iss())
            .field("sub", &self.sub())
            .field("client_id", &self.client_id())
            .field("scope", &self.scope())
            .finish_non_exhaustive()
    }
}

/// The claims of a token that is good, where they stand.
pub(crate) struct Said<'a> {
    pub(crate) iss: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) jti: Option<&'a str>,
    pub(crate) auth_time: Option<u64>,
    pub(crate) acr: Option<&'a str>,
    pub(crate) scope: Option<&'a str>,
}

impl<'a> Said<'a> {
    /// The texts that may be missing.
    fn others(&self) -> [Option<&'a str>; 4] {
        [self.client_id, self.jti, self.acr, self.scope]
    }

    fn texts(&self) -> impl Iterator<Item = &'a str> {
        [self.iss, self.sub].into_iter().chain(self.others().into_iter().flatten())
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

/// The claims as they came, before anything is required of them: borrowed from what was read.
#[derive(Deserialize)]
pub(crate) struct RawClaims<'a> {
    #[serde(borrow)]
    pub(crate) iss: Option<Text<'a>>,
    pub(crate) sub: Option<Text<'a>>,
    pub(crate) aud: Option<OneOrMany<'a>>,
    pub(crate) exp: Option<NumericDate>,
    pub(crate) nbf: Option<NumericDate>,
    pub(crate) iat: Option<NumericDate>,
    pub(crate) client_id: Option<Text<'a>>,
    pub(crate) jti: Option<Text<'a>>,
    pub(crate) auth_time: Option<NumericDate>,
    pub(crate) acr: Option<Text<'a>>,
    pub(crate) scope: Option<Text<'a>>,
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

/// A text where it stands, or a copy if it is written with escapes there.
///
/// A type of its own, because serde does not borrow for an optional `Cow`.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
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
pub(crate) enum OneOrMany<'a> {
    One(Text<'a>),
    Many(Vec<Text<'a>>),
}

impl OneOrMany<'_> {
    pub(crate) fn contains(&self, wanted: &Audience) -> bool {
        match self {
            Self::One(only) => **only == *wanted.as_str(),
            Self::Many(all) => all.iter().any(|one| **one == *wanted.as_str()),
        }
    }
}

/// By hand, because serde copies all that it is to find the form of by trying.
impl<'de: 'a, 'a> Deserialize<'de> for OneOrMany<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = OneOrMany<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_borrowed_str<E>(self, one: &'de str) -> Result<Self::Value, E> {
                Ok(OneOrMany::One(Text(Cow::Borrowed(one))))
            }

            fn visit_str<E>(self, one: &str) -> Result<Self::Value, E> {
                Ok(OneOrMany::One(Text(Cow::Owned(one.to_owned()))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, many: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(many)).map(OneOrMany::Many)
            }
        }

        deserializer.deserialize_any(Either)
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
