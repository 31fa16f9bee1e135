//! Who is calling: an axum extractor, and a tower layer, for any server that takes access tokens.
//!
//! A handler that names [`Authenticated`] among its arguments runs only for a request with a good
//! token; every other request is answered here, with the status and the challenge of [RFC 6750] or
//! [RFC 9449]. [`RequireToken`] does the same before whole routers, and before services of other
//! kinds.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use axum::{Router, routing::get};
//! use private_api::auth::{Authenticated, Verifier};
//! use private_api::verify::Rules;
//!
//! async fn whoami(caller: Authenticated) -> String {
//!     caller.claims().sub().to_owned()
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
//! 1. `Credentials::of` finds the one credential: from the `Authorization` header alone, since a
//!    token in an address ends up in logs (RFC 9700 §4.3.2).
//! 2. [`Verifier::verify`] checks it with the keys at hand, and once more with newer ones if it was
//!    signed by a key that is not among them.
//! 3. A token that is bound to a key must come with a proof of that key ([`crate::dpop`]), and one
//!    that is not must not pretend to.
//! 4. The handler gets the caller; scopes and the age of the sign-in are its business, by
//!    [`Authenticated::require_scope`] and its kin.
//!
//! [RFC 6750]: https://www.rfc-editor.org/rfc/rfc6750
//! [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449

mod credentials;
mod layer;
mod step_up;
mod verifier;

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

pub(crate) use self::credentials::Credentials;
pub use self::credentials::Scheme;
pub use self::layer::{Guarded, RequireToken};
pub use self::step_up::StepUp;
pub use self::verifier::{Setup, Verifier};
use crate::claims::{Claims, Scope};
use crate::error::{Refusal, Rejection};

/// The caller of a request, by a good token in the right hands.
#[derive(Clone)]
pub struct Authenticated {
    claims: Arc<Claims>,
    scheme: Scheme,
    verifier: Arc<Verifier>,
}

impl Authenticated {
    /// What the token says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// How the token was presented.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Lets only tokens pass that were granted `scope`: 403 otherwise.
    pub fn require_scope(&self, scope: &Scope) -> Result<(), Rejection> {
        if self.claims.has_scope(scope) {
            Ok(())
        } else {
            Err(self.reject(Refusal::InsufficientScope(scope.clone())))
        }
    }

    /// Lets only tokens pass behind which there is a sign-in of this kind: 401 otherwise, with what
    /// to ask the issuer for (RFC 9470).
    pub fn require_sign_in(&self, wanted: &StepUp) -> Result<(), Rejection> {
        if wanted.is_met_by(&self.claims, self.verifier.now()) {
            Ok(())
        } else {
            Err(self.reject(Refusal::StepUp(wanted.clone())))
        }
    }

    fn reject(&self, refusal: Refusal) -> Rejection {
        self.verifier.reject(refusal, Some(self.scheme))
    }
}

impl<S> FromRequestParts<S> for Authenticated
where
    S: Send + Sync,
    Arc<Verifier>: FromRef<S>,
{
    type Rejection = Rejection;

    /// Takes what [`RequireToken`] found out by the same verifier, or finds it out.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let verifier = Arc::<Verifier>::from_ref(state);
        let known = parts.extensions.get::<Self>();
        match known.filter(|known| Arc::ptr_eq(&known.verifier, &verifier)) {
            Some(known) => Ok(known.clone()),
            None => verifier.authenticate(parts).await.map(|(caller, _)| caller),
        }
    }
}
