//! The handle that tests and the demo hold.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::accounts::ACCOUNTS;
use crate::acr::Acr;
use crate::draft::{Draft, Signature};
use crate::faults::{Fault, Times};
use crate::keys::KeySet;
use crate::options::{Alg, Options};
use crate::provider::{Provider, Shared};
use crate::record::Recorded;
use crate::{router, secret, server};

/// A running OpenID Provider. Dropping it stops the server and closes its connections.
pub struct Issuer {
    provider: Shared,
    server: JoinHandle<()>,
}

impl Issuer {
    /// Makes keys, binds the loopback address and serves on the current tokio runtime.
    ///
    /// # Errors
    /// Where the address is not a loopback one or cannot be bound, and where the system has no
    /// randomness for the keys.
    pub async fn start(options: Options) -> io::Result<Self> {
        if !options.listen.ip().is_loopback() {
            let text = format!("{} is no loopback address", options.listen);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        // Fails where another provider is installed already, which then serves as well.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let algorithms = options.algorithms();
        let keys = tokio::task::spawn_blocking(move || KeySet::generate(&algorithms)).await??;
        let listener = TcpListener::bind(options.listen).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let provider = Arc::new(Provider::new(url, options, keys));
        let routes = router::routes(Arc::clone(&provider));
        Ok(Self { provider, server: tokio::spawn(server::serve(listener, routes)) })
    }

    /// The issuer identifier, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.provider.url
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.provider.recorder.all()
    }

    /// Waits until at least `n` requests are `wanted`, and gives these. A request is looked at on
    /// arrival and again when it is answered, so `wanted` may ask for a status. There is no time
    /// limit of its own; a test puts one around it.
    pub async fn wait_for(&self, n: usize, wanted: impl Fn(&Recorded) -> bool) -> Vec<Recorded> {
        self.provider.recorder.wait_for(n, wanted).await
    }

    /// Makes a fault happen at its next occasions. Several may be set at once; of those that give
    /// a bad answer at the same endpoint, the one set first does.
    pub fn inject(&self, fault: Fault, times: Times) {
        self.provider.faults.inject(fault, times);
    }

    /// Forgets all faults that are set.
    pub fn clear_faults(&self) {
        self.provider.faults.clear();
    }

    /// Signs with new keys from now on. The public keys of the generation before stay published.
    pub fn rotate_keys(&self) {
        if let Err(error) = self.provider.rotate_keys() {
            tracing::error!(%error, "no new keys could be made, the old ones stay");
        }
    }

    /// Sets this issuer's clock ahead, in whole seconds: what it issued expires the earlier, and
    /// what it issues from now on is dated in the future for everyone else. What clients sign with
    /// the true time looks old to it: a DPoP proof after a minute, unless it carries a nonce, and a
    /// client assertion when its `exp` has come.
    pub fn advance_clock(&self, by: Duration) {
        self.provider.clock.advance(by);
    }

    /// The claims of a good access token for `audience`: a base to spoil for negative tests.
    pub fn sample_claims(&self, audience: &str, scope: &str) -> Value {
        let now = self.provider.now();
        json!({
            "iss": self.provider.url,
            "sub": ACCOUNTS[0].subject,
            "aud": audience,
            "client_id": "desktop-broker",
            "scope": scope,
            "jti": secret::fresh().unwrap_or_default(),
            "iat": now,
            "exp": now + self.provider.options.access_ttl.as_secs(),
            "auth_time": now,
            "acr": Acr::Password.name(),
        })
    }

    /// Signs any claims at all, with the key for access tokens.
    ///
    /// `header` is an object laid over the usual one (`alg`, `typ: at+jwt`, `kid`); a member that
    /// is `null` is taken out. An `alg` that there is a key for picks that key, and its `kid` unless
    /// `header` has one: `ES256`, `RS256`, and those of the options. `none`, in any case, leaves the
    /// signature empty; another is written down without being used.
    pub fn mint(&self, claims: Value, header: Value) -> String {
        let keys = self.provider.keys();
        let asked = header.get("alg").and_then(Value::as_str);
        let picked = Alg::ALL.into_iter().find(|alg| keys.has(*alg) && asked == Some(alg.name()));
        let alg = picked.unwrap_or(self.provider.options.access_alg);
        let mut draft = Draft::new("at+jwt", alg, &keys, claims);
        if asked.is_some_and(|alg| alg.eq_ignore_ascii_case("none")) {
            draft.signature = Signature::Empty;
        }
        if let Value::Object(members) = header {
            draft.header.extend(members);
        }
        draft.header.retain(|_, value| !value.is_null());
        draft.encode(&keys)
    }

    /// Stops the server and waits until its port is free again.
    pub async fn stop(mut self) {
        self.server.abort();
        // The one outcome is "cancelled": the server never ends by itself.
        let _ = (&mut self.server).await;
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("url", &self.provider.url).finish_non_exhaustive()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}
