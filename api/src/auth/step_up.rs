//! How somebody must have signed in, where a token alone is not enough ([RFC 9470]).
//!
//! [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470

use std::time::Duration;

use crate::claims::{Acr, Claims};

/// What a route asks of the sign-in behind a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    /// How long ago it may have been at most, in whole seconds.
    pub max_age: Option<Duration>,
    /// The authentication context classes of which it must have one; none are asked for if empty.
    pub acr_values: Vec<Acr>,
}

impl StepUp {
    /// A sign-in that was at most this long ago.
    pub fn within(max_age: Duration) -> Self {
        Self { max_age: Some(max_age), acr_values: Vec::new() }
    }

    /// Whether the claims say so; `now` is in seconds since the Unix epoch. A token that does not
    /// say when or how its subject signed in is no good where that matters.
    pub(super) fn is_met_by(&self, claims: &Claims, now: u64) -> bool {
        let recent = self.max_age.is_none_or(|max_age| {
            claims.auth_time().is_some_and(|then| now.saturating_sub(then) <= max_age.as_secs())
        });
        let acr = claims.acr();
        let level = self.acr_values.is_empty()
            || self.acr_values.iter().any(|wanted| Some(wanted.as_str()) == acr);
        recent && level
    }

    /// What to ask the issuer for, as it stands in a challenge (RFC 9470 §3).
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let max_age = self.max_age.map(|age| ("max_age", age.as_secs().to_string()));
        let acr_values: Vec<_> = self.acr_values.iter().map(Acr::as_str).collect();
        let acr_values = (!acr_values.is_empty()).then(|| ("acr_values", acr_values.join(" ")));
        max_age.into_iter().chain(acr_values).collect()
    }
}
