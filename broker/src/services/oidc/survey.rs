//! What a provider can do, for a person who is about to use it. No sign-in depends on this.
//!
//! 1. The metadata is asked for anew, and checked as for a sign-in.
//! 2. So are the keys; the answer's date tells how far the clocks are apart.
//! 3. `findings` says what that means for the provider as it is configured.

use ::http::header::DATE;
use authbroker_core::failure::Failure;
use openidconnect::HttpResponse;
use openidconnect::core::CoreJsonWebKeySet;
use serde_json::Value;

use super::findings::Finding;
use super::{Metadata, Oidc, discovery, metadata};
use crate::config::ProviderSettings;
use crate::platform::clock;

/// What was found at a provider.
#[derive(Debug, Clone)]
pub struct Survey {
    /// What there is to say, the most basic first.
    pub findings: Vec<Finding>,
    /// The scopes that it names, where it names any.
    pub scopes: Option<Vec<String>>,
    /// Whether sign-ins on another device can begin there.
    pub device: Offered,
    /// Whether a browser's session can be ended there.
    pub end_session: Offered,
}

/// Whether a provider has something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It says so, or the configuration does.
    Yes,
    /// Nobody says so.
    No,
}

impl Offered {
    fn is<T>(place: Option<&T>) -> Self {
        if place.is_some() { Self::Yes } else { Self::No }
    }
}

/// All that was seen, for `findings` to judge.
pub(super) struct Seen<'a> {
    pub(super) settings: &'a ProviderSettings,
    pub(super) metadata: &'a Metadata,
    pub(super) announced: Announced,
    pub(super) keys: Result<Keys, Failure>,
}

/// What only people want to know of the metadata. What is `None` was not said.
pub(super) struct Announced {
    pub(super) scopes: Option<Vec<String>>,
    pub(super) grants: Option<Vec<String>>,
    pub(super) auth_methods: Option<Vec<String>>,
    pub(super) challenge_methods: Option<Vec<String>>,
    pub(super) revocation_methods: Option<Vec<String>>,
}

/// The provider's keys, and what came with them.
pub(super) struct Keys {
    pub(super) usable: usize,
    /// How many seconds the provider's clock is ahead of this machine's.
    pub(super) clock: Option<i64>,
}

impl Announced {
    fn read(document: &Value) -> Self {
        let list = |name: &str| {
            let words = document.get(name)?.as_array()?.iter();
            Some(words.filter_map(|word| word.as_str().map(str::to_owned)).collect())
        };
        Self {
            scopes: list("scopes_supported"),
            grants: list("grant_types_supported"),
            auth_methods: list("token_endpoint_auth_methods_supported"),
            challenge_methods: list("code_challenge_methods_supported"),
            revocation_methods: list("revocation_endpoint_auth_methods_supported"),
        }
    }
}

impl Oidc {
    /// Looks at the provider now. It fails where there is no provider to speak of: none that
    /// answers, or none that the configuration means.
    pub async fn survey(&self) -> Result<Survey, Failure> {
        let document = discovery::fetch_document(&self.http, &self.settings).await?;
        let announced = Announced::read(&document);
        let metadata = &metadata::check(document, &self.settings)?;
        let keys = self.look_at_keys(metadata).await;
        let seen = Seen { settings: &self.settings, metadata, announced, keys };
        Ok(Survey {
            findings: self.findings(&seen),
            scopes: seen.announced.scopes,
            device: Offered::is(metadata.device.as_ref()),
            end_session: Offered::is(metadata.end_session.as_ref()),
        })
    }

    async fn look_at_keys(&self, metadata: &Metadata) -> Result<Keys, Failure> {
        let answer = self.http.get(metadata.keys.as_str()).await;
        let answer = answer.map_err(|error| error.to_failure())?;
        let keys: Option<CoreJsonWebKeySet> = serde_json::from_slice(answer.body()).ok();
        Ok(Keys { usable: keys.map_or(0, |keys| keys.keys().len()), clock: ahead(&answer) })
    }
}

/// How many seconds ahead of ours the clock is by which an answer is dated.
fn ahead(answer: &HttpResponse) -> Option<i64> {
    let date = answer.headers().get(DATE)?.to_str().ok()?;
    let there = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_second();
    let here = i64::try_from(clock::now().wall.as_secs()).ok()?;
    Some(there - here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_tells_how_far_clocks_are_apart() {
        let dated = |date: &'static str| {
            let mut answer = HttpResponse::new(Vec::new());
            answer.headers_mut().insert(DATE, date.parse().unwrap());
            ahead(&answer)
        };
        let now = i64::try_from(clock::now().wall.as_secs()).unwrap();
        let ahead_of_epoch = dated("Thu, 01 Jan 1970 00:01:00 GMT").unwrap();
        assert!((ahead_of_epoch + now - 60).abs() <= 1, "{ahead_of_epoch}");
        assert_eq!(dated("soon"), None);
        assert_eq!(ahead(&HttpResponse::new(Vec::new())), None);
    }
}
