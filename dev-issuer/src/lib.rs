//! A small but strict OpenID Provider for development and tests.
//!
//! It listens on loopback only, makes its signing keys at start and forgets everything with the
//! process. What happens in a sign-in, and where:
//!
//! 1. `discovery.rs` and `jwks.rs` say where things are and how signatures are checked. Clients are
//!    known from the start, or register themselves (`register/`, RFC 7591);
//! 2. `authorize/` parses and judges the authorization request, which may have been pushed before
//!    (`par.rs`, RFC 9126), then asks what is still missing: a sign-in, a choice of account, a second
//!    factor, a consent. The pages themselves are in `pages/`. A device without a browser shows a
//!    code, and the same questions are asked of whoever types it (`device/`, RFC 8628);
//! 3. `token/` gives tokens for codes, refresh tokens and other tokens (RFC 8693), and to clients
//!    that act for themselves; `client_auth/` finds out who asks, and `dpop/` which key the tokens are
//!    bound to (RFC 9449). `grants.rs` remembers which tokens hang on which consent, so that one
//!    revocation ends them all;
//! 4. `userinfo.rs`, `revoke.rs` and `end_session.rs` serve what comes after.
//!
//! What is served, and what is required, stands in [`Options`]; the defaults suit a client that knows
//! nothing but the code flow.
//!
//! Around every request stands `wire.rs`: it records the request ([`Issuer::requests`]) and
//! commits the faults that a test asked for ([`Issuer::inject`], [`Fault`]).
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use dev_issuer::{Fault, Issuer, Options, Times};
//!
//! let issuer = Issuer::start(Options::default()).await?;
//! issuer.inject(Fault::token_500(), Times::Once);
//! println!("{}/.well-known/openid-configuration", issuer.url());
//! # Ok(()) }
//! ```

mod accounts;
mod acr;
mod authorize;
mod avatar;
mod browser;
mod client_auth;
mod clients;
mod clock;
mod device;
mod discovery;
mod dpop;
mod draft;
mod end_session;
mod error;
mod faults;
mod grants;
mod issuer;
mod jose;
mod jwks;
mod keys;
mod options;
mod pages;
mod par;
mod params;
mod provider;
mod record;
mod redirect_uri;
mod register;
mod replay;
mod resource;
mod revoke;
mod router;
mod scope;
mod secret;
mod server;
mod token;
pub mod user_agent;
mod userinfo;
mod wire;

pub use accounts::{ACCOUNTS, Account};
pub use acr::Acr;
pub use faults::{Fault, Times};
pub use issuer::Issuer;
pub use options::{
    Alg, BadKeys, Client, ClientAuth, ClientKeys, GrantType, Nonces, Offer, Options, Switch,
    TokenBinding,
};
pub use record::{Recorded, RecordedProof};
pub use secret::ClientSecret;
