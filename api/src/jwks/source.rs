//! One fetch of the issuer's keys, from its metadata to the parsed set.
//!
//! Every fetch starts from the metadata, so keys that have moved are found again. How long they may
//! be kept is the issuer's own word, in the answer's `Cache-Control`.

use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, HeaderMap};

use super::keys::KeySet;
use crate::issuer::Issuer;
use crate::provider::{AskError, NoClient, Provider, in_time};

/// The issuer, as somewhere to fetch keys from.
#[derive(Debug)]
pub(super) struct Source {
    provider: Provider,
}

/// What one fetch brought.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    /// The issuer's own word on how long they hold, if it gave one.
    pub(super) max_age: Option<Duration>,
}

impl Source {
    pub(super) fn new(issuer: Issuer) -> Result<Self, NoClient> {
        Ok(Self { provider: Provider::new(issuer)? })
    }

    pub(super) fn issuer(&self) -> &Issuer {
        self.provider.issuer()
    }

    pub(super) async fn fetch(&self) -> Result<Fetched, AskError> {
        in_time(self.fetch_unhurried()).await
    }

    async fn fetch_unhurried(&self) -> Result<Fetched, AskError> {
        let address = self.provider.endpoint(self.provider.metadata().await?.jwks_uri)?;
        let answer = self.provider.ask(self.provider.client().get(address)).await?;
        let keys = KeySet::parse(self.issuer().clone(), &answer.body)
            .map_err(|error| AskError::Useless(error.into()))?;
        Ok(Fetched { keys, max_age: max_age(&answer.headers) })
    }
}

/// The freshness that `Cache-Control` grants ([RFC 9111 §5.2.2]): none at all for an answer that
/// must not be stored or must be asked for again.
///
/// [RFC 9111 §5.2.2]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let directives = headers.get_all(CACHE_CONTROL).iter();
    directives
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(granted)
        .min()
}

fn granted(directive: &str) -> Option<Duration> {
    let (name, value) = directive.trim().split_once('=').unwrap_or((directive.trim(), ""));
    match name.to_ascii_lowercase().as_str() {
        "no-store" | "no-cache" => Some(Duration::ZERO),
        "max-age" => value.trim_matches('"').parse().ok().map(Duration::from_secs),
        _ => None,
    }
}
