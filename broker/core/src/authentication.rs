//! How strongly, and when, a person proved who they are, and what an API may demand of that
//! (OpenID Connect Core §2, RFC 9470).

use crate::time::UnixTime;

/// What the provider said of the sign-in behind a token. It may leave either out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Authentication {
    /// The authentication context class.
    pub acr: Option<String>,
    /// When the person last did something to prove who they are.
    pub auth_time: Option<UnixTime>,
}

/// What a request demands of the sign-in behind its token. The default demands nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Requirement {
    /// The context must be one of these; empty for any.
    pub acr_values: Vec<String>,
    /// The person must have proved who they are at this time or later.
    pub not_before: Option<UnixTime>,
}

impl Requirement {
    /// No demand at all.
    pub const NONE: Self = Self { acr_values: Vec::new(), not_before: None };

    /// Whether nothing is demanded.
    pub fn is_none(&self) -> bool {
        self.acr_values.is_empty() && self.not_before.is_none()
    }

    /// Whether a sign-in meets the demand. What the provider did not say does not meet it.
    pub fn is_met_by(&self, authentication: &Authentication) -> bool {
        let strong = self.acr_values.is_empty()
            || authentication.acr.as_ref().is_some_and(|acr| self.acr_values.contains(acr));
        let recent = self
            .not_before
            .is_none_or(|limit| authentication.auth_time.is_some_and(|time| time >= limit));
        strong && recent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed_in(acr: Option<&str>, auth_time: Option<u64>) -> Authentication {
        let auth_time = auth_time.map(UnixTime::from_secs);
        Authentication { acr: acr.map(str::to_owned), auth_time }
    }

    fn demand(acr_values: &[&str], not_before: Option<u64>) -> Requirement {
        Requirement {
            acr_values: acr_values.iter().map(|&acr| acr.to_owned()).collect(),
            not_before: not_before.map(UnixTime::from_secs),
        }
    }

    #[test]
    fn who_demands_nothing_is_content_with_anything() {
        assert!(Requirement::default().is_met_by(&Authentication::default()));
    }

    #[test]
    fn one_of_several_contexts_is_enough_and_an_unsaid_one_is_not() {
        let strong = demand(&["gold", "silver"], None);
        assert!(strong.is_met_by(&signed_in(Some("silver"), None)));
        assert!(!strong.is_met_by(&signed_in(Some("bronze"), None)));
        assert!(!strong.is_met_by(&signed_in(None, None)));
    }

    #[test]
    fn a_sign_in_counts_as_recent_from_the_limit_on_and_an_undated_one_never() {
        let recent = demand(&[], Some(100));
        assert!(recent.is_met_by(&signed_in(None, Some(100))));
        assert!(!recent.is_met_by(&signed_in(None, Some(99))));
        assert!(!recent.is_met_by(&signed_in(None, None)));
    }
}
