//! Ask the local authbroker for access tokens.
//!
//! The broker signs people in, keeps the refresh tokens and renews what expires. An app asks for
//! an access token when it needs one, and holds nothing for longer than one request:
//!
//! ```no_run
//! use authbroker_client::{TokenRequest, blocking::Client};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let broker = Client::connect()?;
//!     let token = broker.token(TokenRequest::new().resource("https://api.example"))?;
//!     // Give `token.authorization()` to your HTTP client as the `Authorization` header.
//!     println!("for {} until {:?}", token.account, token.expires_at());
//!     Ok(())
//! }
//! ```
//!
//! Async code uses [`Client`] in the same way. Where nobody is signed in yet, `token` fails with
//! [`ErrorCode::InteractionRequired`], and [`Client::acquire`] brings a browser to the person.
//! Every [`Error`] has a [`hint`](Error::hint).
//!
//! Whoever speaks another language speaks the same protocol: [`wire`] has it.

pub mod blocking;
mod client;
mod error;
pub mod http;
mod policy;
mod request;
mod token;
mod transport;
pub mod wire;

pub use client::{Admin, AuditLines, Client, Door, Pending, Questions, Step, Watch};
pub use error::{Error, ErrorCode, Refusal};
pub use request::{AcquireRequest, Challenge, TokenRequest};
pub use token::AccessToken;
pub use wire::broker1::{Account, Change, Headers, Identity, Progress, Reaction};

/// The README's example compiles, or the tests fail.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
