//! Who is calling: an axum extractor for any server that takes bearer tokens.
//!
//! A handler that names [`Authenticated`] among its arguments runs only for a request with a good
//! token; every other request is answered here, with the status and the challenge of [RFC 6750].
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use axum::{Router, routing::get};
//! use private_api::auth::{Authenticated, Verifier};
//! use private_api::verify::Rules;
//!
//! async fn whoami(Authenticated(claims): Authenticated) -> String {
//!     claims.sub
//! }
//!
//! # fn router() -> Result<Router, Box<dyn std::error::Error>> {
//! let rules = Rules::new("https://login.acme.example".parse()?, "urn:acme:api".parse()?);
//! let verifier = Arc::new(Verifier::new(rules)?);
//! let router = Router::new().route("/whoami", get(whoami)).with_state(verifier);
//! # Ok(router)
//! # }
//! ```
//!
//! What happens to a request:
//!
//! 1. `bearer_token` finds the one credential: from the `Authorization` header alone, since a
//!    token in an address ends up in logs (RFC 9700 §4.3.2).
//! 2. [`Verifier::verify`] checks it with the keys at hand, and once more with newer ones if it was
//!    signed by a key that is not among them.
//! 3. The handler gets the [`Claims`]; scopes are its business, by [`Verifier::require_scope`].
//!
//! [RFC 6750]: https://www.rfc-editor.org/rfc/rfc6750

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{AUTHORIZATION, HeaderValue};
use axum::http::request::Parts;

use crate::claims::{Claims, Scope};
use crate::clock::{Clock, SystemClock};
use crate::error::{Refusal, Rejection};
use crate::issuer::Issuer;
use crate::jwks::{Jwks, NoClient, Pace};
use crate::verify::{Invalid, Rules, Unverified};

/// The claims of the token that came with the request.
#[derive(Clone, Debug)]
pub struct Authenticated(pub Claims);

impl<S> FromRequestParts<S> for Authenticated
where
    S: Send + Sync,
    Arc<Verifier>: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let verifier = Arc::<Verifier>::from_ref(state);
        let claims = match bearer_token(parts) {
            Ok(token) => verifier.verify(token).await,
            Err(refusal) => Err(refusal),
        };
        claims.map(Self).map_err(|refusal| verifier.reject(refusal))
    }
}

/// Finds the one credential of a request.
fn bearer_token(request: &Parts) -> Result<&str, Refusal> {
    let mut headers = request.headers.get_all(AUTHORIZATION).iter();
    let header = headers.next().ok_or(Refusal::NoCredentials)?;
    if headers.next().is_some() || has_query_token(request) {
        return Err(Refusal::TwoCredentials);
    }
    from_header(header)
}

/// Reads `Bearer TOKEN`; the scheme is case-insensitive (RFC 9110 §11.1).
fn from_header(header: &HeaderValue) -> Result<&str, Refusal> {
    let credentials = header.to_str().map_err(|_| Invalid::Malformed)?;
    let (scheme, token) = credentials.split_once(' ').unwrap_or((credentials, ""));
    if scheme.eq_ignore_ascii_case("Bearer") {
        Ok(token.trim_start_matches(' '))
    } else {
        // Another scheme is no attempt to use this one (RFC 6750 §3.1).
        Err(Refusal::NoCredentials)
    }
}

/// Whether the address carries a token too. Alone it counts for nothing; next to a header it makes
/// two methods in one request, which RFC 6750 §2 forbids.
fn has_query_token(request: &Parts) -> bool {
    let query = request.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}

/// Checks tokens for one API: the rules, the issuers' keys and the clock.
pub struct Verifier {
    rules: Rules,
    /// One of each issuer of the rules.
    jwks: Vec<Jwks>,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    /// A verifier with the machine's clock. It asks an issuer when the first token comes, or at
    /// [`Verifier::warm_up`].
    pub fn new(rules: Rules) -> Result<Self, NoClient> {
        Self::paced(rules, Arc::new(SystemClock::start()), Pace::default())
    }

    /// The same with another clock and pace.
    pub fn paced(rules: Rules, clock: Arc<dyn Clock>, pace: Pace) -> Result<Self, NoClient> {
        // Without a choice jsonwebtoken panics as soon as any crate enables its other back end. An
        // error means that the program has chosen already.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let jwks = |issuer: &Issuer| Jwks::new(issuer.clone(), Arc::clone(&clock), pace);
        let jwks = rules.issuers.iter().map(jwks).collect::<Result<_, _>>()?;
        Ok(Self { rules, jwks, clock })
    }

    /// Fetches the issuers' keys in the background. Must be called within a tokio runtime.
    pub fn warm_up(&self) {
        self.jwks.iter().for_each(Jwks::warm_up);
    }

    /// Checks a token, with the keys of the issuer that it names.
    pub async fn verify(&self, token: &str) -> Result<Claims, Refusal> {
        let unverified = Unverified::parse(token, &self.rules)?;
        let jwks = self.jwks_for(&unverified)?;
        let keys = jwks.current().await?;
        let now = self.clock.unix_seconds();
        let verdict = match unverified.verify(&self.rules, &keys, now) {
            Err(Invalid::UnknownKey) => unverified.verify(&self.rules, &*jwks.newest().await?, now),
            verdict => verdict,
        };
        Ok(verdict?)
    }

    fn jwks_for(&self, token: &Unverified<'_>) -> Result<&Jwks, Invalid> {
        let issuer = token.issuer(&self.rules)?;
        self.jwks.iter().find(|jwks| jwks.issuer() == issuer).ok_or(Invalid::Issuer)
    }

    /// Lets only tokens pass that were granted `scope`.
    pub fn require_scope(&self, claims: &Claims, scope: &Scope) -> Result<(), Rejection> {
        if claims.has_scope(scope) {
            Ok(())
        } else {
            Err(self.reject(Refusal::InsufficientScope(scope.clone())))
        }
    }

    fn reject(&self, refusal: Refusal) -> Rejection {
        Rejection::new(refusal, self.rules.audience.clone())
    }
}
