//! A model OAuth 2 resource server: what a web API must do to take access tokens, and no more.
//!
//! As a program it has one public and one private message. As a library it is the part that other
//! servers use: the extractor [`auth::Authenticated`], whose page has an example.
//!
//! The way of a request, file by file:
//!
//! | | file | what it does |
//! | --: | --- | --- |
//! | 1 | [`server`] | accepts the connection, bounds its time and size |
//! | 2 | [`routes`] | picks the handler |
//! | 3 | [`auth`] | finds the token and has it checked |
//! | 4 | [`jwks`] | has the issuer's keys at hand, or fetches them |
//! | 5 | [`verify`] | decides, without any I/O, from the token, the keys and the time |
//! | 6 | [`dpop`] | has the caller prove that a token with a key is theirs |
//! | 7 | [`claims`] | what the token says, once it is believed |
//! | 8 | [`messages`] | the answer; or [`error`], with its challenges |

pub mod algorithm;
pub mod auth;
mod challenge;
pub mod claims;
pub mod clock;
pub mod dpop;
pub mod error;
pub mod introspection;
pub mod issuer;
pub mod jwks;
mod jws;
pub mod messages;
pub mod metadata;
pub mod observe;
pub mod origin;
mod provider;
mod public_key;
pub mod routes;
pub mod secret;
pub mod server;
pub mod tls;
mod verdicts;
pub mod verify;
