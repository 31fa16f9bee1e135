//! One OpenID Provider, spoken to as OAuth 2 and OpenID Connect ask.
//!
//! | file | what it does |
//! | --- | --- |
//! | `http` | requests with a deadline, a size limit and no redirects |
//! | `discovery` | the provider's metadata and keys, fetched, and when to ask again |
//! | `metadata` | what is read of the metadata, and what is asked of it before it is believed |
//! | `authorize` | the address that a browser is sent to |
//! | `par` | the same, without the browser seeing it |
//! | `loopback` | the place where the browser comes back |
//! | `client_auth` | how we prove to be the client |
//! | `device` | a code that a person types in on another device |
//! | `exchange` | a code for tokens, with the ID token checked |
//! | `obtain` | a token without a person: by refresh token, exchange or credentials |
//! | `request` | requests at which the client proves itself |
//! | `dpop` | proofs of possession |
//! | `id_token` | whether an ID token says what it must |
//! | `cached` | what is fetched once and believed for a while |
//! | `their_clock` | what time it is at the provider |
//! | `keys` | which published key a signature is checked with |
//! | `userinfo` | a name, where the ID token has none |
//! | `answer` | a token answer, read with care |
//! | `revoke`, `end_session` | the end of a sign-in |
//! | `survey`, `findings` | what a provider can do, told to a person |
//! | `register` | a client of our own, where the provider makes one |
//! | `web_identity` | a token for keys of a cloud |
//! | `error` | what a failure means for the session |

mod answer;
mod authorize;
mod cached;
mod client_auth;
pub mod device;
mod discovery;
pub mod dpop;
mod end_session;
mod error;
mod exchange;
mod findings;
mod http;
mod id_token;
mod keys;
pub mod loopback;
mod metadata;
mod obtain;
mod par;
mod register;
mod request;
mod revoke;
mod survey;
mod their_clock;
mod userinfo;
mod web_identity;

use std::sync::Arc;

pub use self::authorize::Authorization;
use self::discovery::Discovery;
use self::dpop::Nonces;
pub use self::end_session::EndSession;
pub use self::exchange::SignedIn;
pub use self::findings::{Finding, Grade};
use self::http::Http;
pub use self::metadata::Metadata;
pub use self::register::{Proof, Registered, Registration};
pub use self::survey::{Offered, Survey};
use self::their_clock::TheirClock;
pub use self::web_identity::{CloudKeys, KeysWanted, exchange as exchange_web_identity};
use crate::config::ProviderSettings;
use authbroker_core::failure::Failure;

/// One provider: its settings, a way to it, and what it told about itself.
#[derive(Debug)]
pub struct Oidc {
    settings: ProviderSettings,
    http: Http,
    discovery: Discovery,
    nonces: Nonces,
    their_clock: TheirClock,
}

impl Oidc {
    /// Prepares to speak to a provider. Nothing is sent yet.
    pub fn new(settings: ProviderSettings) -> Self {
        let http = Http::new(&settings);
        Self {
            settings,
            http,
            discovery: Discovery::default(),
            nonces: Nonces::default(),
            their_clock: TheirClock::default(),
        }
    }

    /// The provider's settings.
    pub fn settings(&self) -> &ProviderSettings {
        &self.settings
    }

    /// The provider's metadata, asked for once and then remembered for a while.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, Failure> {
        self.discovery.metadata(&self.http, &self.settings).await
    }
}

#[cfg(feature = "fuzzing")]
pub use self::answer::fuzz as fuzz_token_answer;
#[cfg(feature = "fuzzing")]
pub use self::metadata::fuzz as fuzz_metadata;
