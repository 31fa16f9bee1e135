//! The pure core of authbroker: it decides everything and does nothing.
//!
//! No clock, no network, no file, no lock and no `async` live here; this crate's manifest is the
//! proof. The daemon hands in what happened and what time it is, and performs what comes back.
//!
//! # The map
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`lifecycle`] | what a signed-in account does next: the heart of the broker |
//! | [`sign_out`] | the way back from the end of a session at the provider |
//! | [`sign_in`] | one sign-in: state, nonce, PKCE, and which answer counts; how a device waits |
//! | [`account`], [`token`], [`request`] | what is kept, what is handed out, what is asked for |
//! | [`authentication`] | how strongly a person signed in, and what an API demands of that |
//! | [`caller`] | who asks, and what that caller may see |
//! | [`audit`] | what the record says of all that, and which deliveries are one line of it |
//! | [`policy`] | who may have what: rules, answers, manifests, and the decision |
//! | [`consent`] | questions to a person: asked once, answered once, never pressing |
//! | [`minting`] | sockets for one consumer, and what each is good for |
//! | [`challenge`] | why an API refuses a token, and what would help |
//! | [`failure`] | what went wrong, whose fault it is, and the way out |
//! | [`scope`], [`resource`], [`origin`], [`issuer`], [`ids`], [`secret`], [`time`] | words that exist only parsed |
//!
//! # Invariants
//!
//! - **I1** A refresh token is in use at most once at any time: one line per session.
//! - **I2** Every ticket is answered exactly once, or is still waiting in the state.
//! - **I3** A rotated refresh token is remembered before any answer that came with it is given.
//! - **I4** A reply to an attempt that is not the current one changes nothing that is kept.
//! - **I5** A token leaves only for the key it was asked for: no two keys share one.
//! - **I6** A use of a refresh token is noted before it begins, and the note stays until its end is
//!   known.

pub mod account;
pub mod audit;
pub mod authentication;
pub mod caller;
pub mod challenge;
pub mod consent;
pub mod failure;
pub mod ids;
pub mod issuer;
pub mod lifecycle;
pub mod minting;
pub mod origin;
pub mod policy;
pub mod request;
pub mod resource;
pub mod scope;
pub mod secret;
pub mod sign_in;
pub mod sign_out;
pub mod time;
pub mod token;
