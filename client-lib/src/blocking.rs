//! The same client for programs without an async runtime.
//!
//! Each [`Client`] owns a small runtime. Do not use it from inside async code: there, use
//! [`crate::Client`].

use tokio::runtime::Runtime;

use crate::client::Door;
use crate::error::Error;
use crate::request::{AcquireRequest, Challenge, TokenRequest};
use crate::token::AccessToken;
use crate::wire::broker1::{Account, Headers, Identity, Reaction};

/// A way to the broker that waits for each answer.
#[derive(Debug)]
pub struct Client {
    runtime: Runtime,
    client: crate::Client,
}

impl Client {
    /// Finds the broker and connects.
    pub fn connect() -> Result<Self, Error> {
        Self::connect_to(Door::Any)
    }

    /// Connects at one door.
    pub fn connect_to(door: Door) -> Result<Self, Error> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().map_err(Error::Connection)?;
        let client = runtime.block_on(crate::Client::connect_to(door))?;
        Ok(Self { runtime, client })
    }

    /// An access token, without asking anybody.
    pub fn token(&self, request: TokenRequest) -> Result<AccessToken, Error> {
        self.runtime.block_on(self.client.token(request))
    }

    /// The headers of one request to an API: the token, and a proof where it is bound to a key.
    pub fn headers(
        &self,
        method: &str,
        uri: &str,
        request: &TokenRequest,
    ) -> Result<Headers, Error> {
        self.runtime.block_on(self.client.headers(method, uri, request))
    }

    /// Tells what an API answered to a token, and asks what to do about it.
    pub fn report_challenge(&self, challenge: Challenge) -> Result<Reaction, Error> {
        self.runtime.block_on(self.client.report_challenge(challenge))
    }

    /// A sign-in, silent if there is one already; waits for the person, and gives the account's id.
    pub fn acquire(&self, request: AcquireRequest) -> Result<String, Error> {
        self.runtime.block_on(async { self.client.acquire(request).await?.done().await })
    }

    /// Signs an account out, for every app.
    pub fn sign_out(&self, account: &str) -> Result<(), Error> {
        let signed_out = async { self.client.sign_out(account).await?.done().await };
        self.runtime.block_on(signed_out).map(drop)
    }

    /// Every account that this app may see.
    pub fn accounts(&self) -> Result<Vec<Account>, Error> {
        self.runtime.block_on(self.client.accounts())
    }

    /// How the broker sees this app.
    pub fn who_am_i(&self) -> Result<Identity, Error> {
        self.runtime.block_on(self.client.who_am_i())
    }
}
