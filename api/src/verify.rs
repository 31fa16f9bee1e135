//! Decides whether a token is good: a pure function of the token, the rules, the keys and the time.
//!
//! 1. The token is a compact JWS of bounded length, and its header names a type, an algorithm of
//!    the list and no extension ([RFC 9068 §4], [RFC 8725]): that is an `Unverified`.
//! 2. Its `iss` picks the issuer, from the list and letter for letter; the issuer's keys, and no
//!    other's, are handed in. No other claim can be seen yet.
//! 3. The signature is checked with the keys that fit `kid` and algorithm. Keys and addresses in the
//!    header itself are not even read.
//! 4. Only then are the claims looked at: whose they are, for whom, and when.
//!
//! `jsonwebtoken` reads the keys. Its `Validation` is not used: what it requires is a list that can
//! be left short, what is absent passes, and it reads the clock itself.
//! Here a claim that is required is a field that cannot be filled without it.
//!
//! [RFC 9068 §4]: https://www.rfc-editor.org/rfc/rfc9068#section-4
//! [RFC 8725]: https://www.rfc-editor.org/rfc/rfc8725

use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;

use crate::algorithm::SigningAlg;
use crate::claims::{Audience, Claims, Confirmation, NumericDate, RawClaims, Said, Text, present};
use crate::issuer::Issuer;
use crate::jwks::KeySet;
use crate::jws::Jws;
use crate::public_key::PublicKey;

/// Bytes. Larger than any access token that would fit the header limits of common proxies.
const MAX_TOKEN: usize = 16 * 1024;

/// Seconds by which the issuer's clock and ours may differ.
const LEEWAY: u64 = 5;

/// The types that RFC 9068 §4 accepts, and the one of issuers that came before it.
const ACCESS_TOKEN: [&str; 2] = ["at+jwt", "application/at+jwt"];
const ANY_JWT: [&str; 2] = ["JWT", "application/jwt"];

/// What a token must be to be good here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rules {
    /// The issuers that are believed, each with its own keys.
    pub issuers: Vec<Issuer>,
    /// The identifier of this API, which the token must be meant for.
    pub audience: Audience,
    /// The algorithms that a signature may have.
    pub algs: Vec<SigningAlg>,
    /// Also accepts the type `JWT`, for issuers that do not mark their access tokens.
    pub accept_typ_jwt: bool,
    /// Also accepts tokens without `client_id` and `jti`, for issuers that do not send them.
    pub accept_missing_claims: bool,
}

impl Rules {
    /// The strict rules of RFC 9068, for tokens of one issuer.
    pub fn new(issuer: Issuer, audience: Audience) -> Self {
        Self::several(vec![issuer], audience)
    }

    /// The same for tokens of several issuers.
    pub fn several(issuers: Vec<Issuer>, audience: Audience) -> Self {
        Self {
            issuers,
            audience,
            algs: SigningAlg::DEFAULT.to_vec(),
            accept_typ_jwt: false,
            accept_missing_claims: false,
        }
    }
}

/// Takes a token apart.
pub(crate) fn decode(token: &str) -> Result<Jws<'_>, Invalid> {
    Jws::decode(token, MAX_TOKEN).ok_or(Invalid::Malformed)
}

/// A token that says something, and nothing of it is believed yet.
pub(crate) struct Unverified<'a> {
    jws: &'a Jws<'a>,
    header: Header<'a>,
    alg: SigningAlg,
    claims: RawClaims<'a>,
}

impl<'a> Unverified<'a> {
    /// Reads a token whose header is acceptable.
    pub(crate) fn parse(jws: &'a Jws<'a>, rules: &Rules) -> Result<Self, Invalid> {
        let header: Header<'_> = jws.header().ok_or(Invalid::Malformed)?;
        let alg = header.check(rules)?;
        let claims = jws.payload().ok_or(Invalid::Malformed)?;
        Ok(Self { jws, header, alg, claims })
    }

    /// Whose keys to check it with. Which issuer it is stays a mere claim until they fit.
    pub(crate) fn issuer<'r>(&self, rules: &'r Rules) -> Result<&'r Issuer, Invalid> {
        let claimed = self.claims.iss.as_deref().ok_or(Invalid::Issuer)?;
        let mut issuers = rules.issuers.iter();
        issuers.find(|issuer| issuer.as_str() == claimed).ok_or(Invalid::Issuer)
    }

    /// Whether one of these keys can have signed it; if not, the issuer may have newer ones.
    pub(crate) fn is_for_one_of(&self, keys: &KeySet) -> bool {
        self.fitting(keys).next().is_some()
    }

    /// Checks all the rest. `now` is in seconds since the Unix epoch.
    pub(crate) fn verify(
        self,
        rules: &Rules,
        keys: &KeySet,
        now: u64,
    ) -> Result<Verified, Invalid> {
        // Whoever hands in the keys of another issuer gets no verdict but this.
        if self.issuer(rules)? != keys.issuer() {
            return Err(Invalid::Issuer);
        }
        self.check_signature(keys)?;
        check_purpose(&self.claims, rules)?;
        check_times(&self.claims, now)?;
        Verified::new(&self.claims, rules)
    }

    fn check_signature(&self, keys: &KeySet) -> Result<(), Invalid> {
        if !self.is_for_one_of(keys) {
            return Err(Invalid::UnknownKey);
        }
        let good = self.fitting(keys).any(|key| key.signed(self.jws, self.alg));
        if good { Ok(()) } else { Err(Invalid::Signature) }
    }

    fn fitting<'k>(&'k self, keys: &'k KeySet) -> impl Iterator<Item = &'k PublicKey> {
        keys.fitting(self.header.kid.as_deref(), self.alg)
    }
}

/// Checks a token completely, with the keys of one issuer.
pub fn verify(token: &str, rules: &Rules, keys: &KeySet, now: u64) -> Result<Verified, Invalid> {
    Unverified::parse(&decode(token)?, rules)?.verify(rules, keys, now)
}

/// Judges what an issuer said of its token, by the same rules as if the token said so itself.
pub(crate) fn vouched_for(
    mut said: RawClaims<'_>,
    issuer: &Issuer,
    rules: &Rules,
    now: u64,
) -> Result<Verified, Invalid> {
    let iss = said.iss.get_or_insert_with(|| Text(issuer.to_string().into()));
    if **iss != *issuer.as_str() {
        return Err(Invalid::Issuer);
    }
    check_purpose(&said, rules)?;
    check_times(&said, now)?;
    Verified::new(&said, rules)
}

/// Whether a token has the form of a JWS, so that it can be judged by itself.
pub(crate) fn is_jws(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// Refuses what cannot be a token of any kind (RFC 6750 §2.1).
pub(crate) fn check_form(token: &str) -> Result<(), Invalid> {
    let graphic = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if graphic && token.len() <= MAX_TOKEN { Ok(()) } else { Err(Invalid::Malformed) }
}

/// A token that is good, in hands that are not known yet: its claims come out only by the way that
/// its binding allows.
#[derive(Clone, Debug)]
pub struct Verified {
    claims: Arc<Claims>,
    binding: Binding,
}

#[derive(Clone, Debug)]
enum Binding {
    /// Whoever has it may use it.
    None,
    /// Whoever has the key with this thumbprint may use it.
    Key(Arc<str>),
    /// Something else is demanded that this server cannot check.
    Unknown,
}

impl Verified {
    fn new(raw: &RawClaims<'_>, rules: &Rules) -> Result<Self, Invalid> {
        let binding = match &raw.cnf {
            None => Binding::None,
            Some(Confirmation { jkt: Some(key), others }) if others.is_empty() => {
                Binding::Key(key.as_str().into())
            }
            Some(_) => Binding::Unknown,
        };
        Ok(Self { claims: Arc::new(claims(raw, rules)?), binding })
    }

    /// Who issued it.
    pub(crate) fn issuer(&self) -> &str {
        self.claims.iss()
    }

    /// Whether its time is over.
    pub(crate) fn has_expired(&self, now: u64) -> bool {
        has_expired(self.claims.exp(), now)
    }

    /// The claims, for a caller that merely shows the token.
    pub fn borne(&self) -> Result<Arc<Claims>, Invalid> {
        match self.binding {
            Binding::None => Ok(Arc::clone(&self.claims)),
            Binding::Key(_) | Binding::Unknown => Err(Invalid::Bound),
        }
    }

    /// The claims, and the thumbprint of the key that the caller must prove to have.
    pub(crate) fn bound(&self) -> Result<(Arc<Claims>, &str), Invalid> {
        match &self.binding {
            Binding::Key(key) => Ok((Arc::clone(&self.claims), key)),
            Binding::None => Err(Invalid::Unbound),
            Binding::Unknown => Err(Invalid::Bound),
        }
    }
}

/// The header's members that matter. What it says about keys (`jwk`, `jku`, `x5c`, `x5u`) is not
/// among them, so nothing can come to trust it.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Text<'a>,
    typ: Option<Text<'a>>,
    kid: Option<Text<'a>>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

impl Header<'_> {
    fn check(&self, rules: &Rules) -> Result<SigningAlg, Invalid> {
        if self.crit {
            return Err(Invalid::Critical);
        }
        let typ = self.typ.as_deref().unwrap_or_default();
        let is = |names: [&str; 2]| names.iter().any(|name| name.eq_ignore_ascii_case(typ));
        let accepted = is(ACCESS_TOKEN) || (rules.accept_typ_jwt && is(ANY_JWT));
        if !accepted {
            return Err(Invalid::Type);
        }
        let alg = SigningAlg::from_str(&self.alg).map_err(|_| Invalid::Algorithm)?;
        if rules.algs.contains(&alg) { Ok(alg) } else { Err(Invalid::Algorithm) }
    }
}

/// Whether the token was made for this API, as an access token.
fn check_purpose(raw: &RawClaims<'_>, rules: &Rules) -> Result<(), Invalid> {
    if !raw.aud.as_ref().is_some_and(|aud| aud.contains(&rules.audience)) {
        return Err(Invalid::Audience);
    }
    if raw.nonce || raw.at_hash {
        return Err(Invalid::IdToken);
    }
    Ok(())
}

fn check_times(raw: &RawClaims<'_>, now: u64) -> Result<(), Invalid> {
    let NumericDate(exp) = raw.exp.ok_or(Invalid::Missing("exp"))?;
    if has_expired(exp, now) {
        return Err(Invalid::Expired);
    }
    let begins =
        |date: Option<NumericDate>| date.is_none_or(|date| date.0 <= now.saturating_add(LEEWAY));
    if begins(raw.nbf) && begins(raw.iat) { Ok(()) } else { Err(Invalid::TooEarly) }
}

fn has_expired(exp: u64, now: u64) -> bool {
    now >= exp.saturating_add(LEEWAY)
}

/// Builds the claims; what RFC 9068 §2.2 requires has no way round its line here.
fn claims(raw: &RawClaims<'_>, rules: &Rules) -> Result<Claims, Invalid> {
    let optional = |name, claim| match claim {
        None if !rules.accept_missing_claims => Err(Invalid::Missing(name)),
        claim => Ok(claim),
    };
    Ok(Claims::keep(&Said {
        iss: raw.iss.as_deref().ok_or(Invalid::Missing("iss"))?,
        sub: raw.sub.as_deref().ok_or(Invalid::Missing("sub"))?,
        iat: raw.iat.ok_or(Invalid::Missing("iat"))?.0,
        exp: raw.exp.ok_or(Invalid::Missing("exp"))?.0,
        client_id: optional("client_id", raw.client_id.as_deref())?,
        jti: optional("jti", raw.jti.as_deref())?,
        auth_time: raw.auth_time.map(|NumericDate(seconds)| seconds),
        acr: raw.acr.as_deref(),
        scope: raw.scope.as_deref(),
    }))
}

/// Why a token was refused. This is for our own log: the caller only learns `invalid_token`, and no
/// variant holds anything of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is no JWS, too long, or a part or claim has the wrong form.
    #[error("the token is malformed")]
    Malformed,
    /// `typ` does not say that it is an access token.
    #[error("the token's type is not that of an access token")]
    Type,
    /// `crit` demands an extension (RFC 7515 §4.1.11), and this server has none.
    #[error("the token demands an extension")]
    Critical,
    /// `alg` is not on the list.
    #[error("the token's algorithm is not accepted")]
    Algorithm,
    /// No key fits. The issuer may have rotated: [`crate::auth::Verifier`] asks it once.
    #[error("none of the issuer's keys fits the token")]
    UnknownKey,
    /// The keys that fit did not make this signature.
    #[error("the signature is wrong")]
    Signature,
    /// `iss` is missing or not on the list.
    #[error("the token is from another issuer")]
    Issuer,
    /// `aud` is missing or does not name this API.
    #[error("the token is for another audience")]
    Audience,
    /// It tells a client who signed in; it grants nothing.
    #[error("the token is an ID token")]
    IdToken,
    /// It is bound to a key, so whoever merely bears it proves nothing; or in a way unknown here.
    #[error("the token is bound to a key and cannot be used like this")]
    Bound,
    /// It is not bound to a key, so no proof can go with it; or proofs are required.
    #[error("the token is not bound to a key")]
    Unbound,
    /// Its issuer says that it is not good, or that it is no access token.
    #[error("the issuer does not vouch for the token")]
    Inactive,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is still to come.
    #[error("the token is not valid yet")]
    TooEarly,
    /// A required claim is not there.
    #[error("the claim {0} is missing")]
    Missing(&'static str),
}
