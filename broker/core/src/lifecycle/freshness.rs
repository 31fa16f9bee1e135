//! When a token is as good as new, good enough, or too old.

use std::time::Duration;

use crate::time::BootTime;
use crate::token::AccessToken;

/// How fresh a caller needs its token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Need {
    /// Valid for at least this long.
    AtLeast(Duration),
    /// Renewed now.
    Renewed,
}

impl Default for Need {
    fn default() -> Self {
        Self::AtLeast(Duration::ZERO)
    }
}

/// The answer, and what follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Freshness {
    /// Hand it out.
    Fresh,
    /// Hand it out, and renew it behind.
    Ageing,
    /// Wait for a new one.
    Expired,
}

/// The distances that decide. One set serves one session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Margins {
    /// A token with less left than this is renewed ahead.
    pub ahead: Duration,
    /// A token with less left than this is not handed out: it would expire on its way.
    pub skew: Duration,
    /// A token younger than this is as fresh as the provider makes them.
    pub just_issued: Duration,
    /// Moves this session's renewals apart from others', in 1/256 of the margin.
    pub spread: u8,
}

impl Default for Margins {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self { ahead: secs(300), skew: secs(10), just_issued: secs(2), spread: 0 }
    }
}

/// The shortest life that counts. A provider that gives less is asked again about once a second,
/// and not as fast as it answers.
const SHORTEST_LIFE: Duration = Duration::from_secs(1);

impl Margins {
    /// When `token` begins to age. Short lives shrink the margin to a quarter of them, so that a
    /// ten-second token is not renewed without end.
    pub fn ages_at(&self, token: &AccessToken) -> BootTime {
        let ahead = self.ahead.min(life(token) / 4);
        token.issued.plus(life(token)).minus(ahead + self.apart(ahead / 8))
    }

    /// When `token` stops being handed out.
    pub fn expires_at(&self, token: &AccessToken) -> BootTime {
        token.issued.plus(life(token)).minus(self.skew.min(life(token) / 10))
    }

    /// This session's own share of `most`, by which it comes before or after the others.
    pub(super) fn apart(&self, most: Duration) -> Duration {
        most / 256 * u32::from(self.spread)
    }
}

fn life(token: &AccessToken) -> Duration {
    token.lifetime().max(SHORTEST_LIFE)
}

/// Judges a held token against a need.
pub fn freshness(token: &AccessToken, need: Need, now: BootTime, margins: &Margins) -> Freshness {
    if now >= margins.expires_at(token) || !meets(token, need, now, margins) {
        Freshness::Expired
    } else if now >= margins.ages_at(token) {
        Freshness::Ageing
    } else {
        Freshness::Fresh
    }
}

/// Whether the token meets the need. A provider's newest token meets every need: asking it again
/// at once would bring nothing fresher.
fn meets(token: &AccessToken, need: Need, now: BootTime, margins: &Margins) -> bool {
    match need {
        Need::Renewed => false,
        Need::AtLeast(least) => {
            token.left(now) >= least || token.issued.until(now) < margins.just_issued
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::authentication::Authentication;
    use crate::scope::ScopeSet;
    use crate::token::TokenValue;

    const SECOND: Duration = Duration::from_secs(1);

    fn token(issued: Duration, lifetime: Duration) -> AccessToken {
        AccessToken {
            value: TokenValue::new("access".into()),
            bound_to: None,
            scopes: ScopeSet::default(),
            resources: BTreeSet::new(),
            authentication: Authentication::default(),
            issued: BootTime::from_start(issued),
            expires: BootTime::from_start(issued.saturating_add(lifetime)),
        }
    }

    /// From nothing to for ever, and often short.
    fn span() -> impl Strategy<Value = Duration> {
        let millis = |range| any_millis(range).prop_map(Duration::from_millis);
        prop_oneof![
            millis(0..3_000),
            millis(0..7_200_000),
            any::<u64>().prop_map(Duration::from_millis),
            Just(Duration::MAX),
        ]
    }

    fn any_millis(range: std::ops::Range<u64>) -> impl Strategy<Value = u64> {
        range
    }

    fn margins() -> impl Strategy<Value = Margins> {
        (span(), span(), any::<u8>()).prop_map(|(ahead, skew, spread)| Margins {
            ahead,
            skew,
            spread,
            ..Margins::default()
        })
    }

    /// Where a judgement stands in a token's life.
    fn stage(freshness: Freshness) -> u8 {
        match freshness {
            Freshness::Fresh => 0,
            Freshness::Ageing => 1,
            Freshness::Expired => 2,
        }
    }

    proptest! {
        #[test]
        fn a_token_never_grows_younger(
            issued in span(), lifetime in span(), margins in margins(),
            early in span(), later in span(),
        ) {
            let token = token(issued, lifetime);
            let at = |moment| freshness(&token, Need::default(), moment, &margins);
            let early = BootTime::from_start(early);
            prop_assert!(stage(at(early)) <= stage(at(early.plus(later))));
        }

        #[test]
        fn most_of_a_life_is_fresh(issued in 0..u64::MAX / 4, lifetime in span(), margins in margins()) {
            let issued = Duration::from_millis(issued);
            let token = token(issued, lifetime);
            let fresh = token.issued.until(margins.ages_at(&token).min(margins.expires_at(&token)));
            prop_assert!(fresh >= lifetime.max(SECOND).min(Duration::from_secs(u64::MAX / 4)) / 100 * 71);
        }

        #[test]
        fn nothing_is_handed_out_past_its_end(
            issued in span(), lifetime in span(), margins in margins(), after in span(),
        ) {
            let token = token(issued, lifetime.max(SECOND));
            let now = token.expires.plus(after);
            prop_assert_eq!(freshness(&token, Need::default(), now, &margins), Freshness::Expired);
        }

        #[test]
        fn a_renewal_comes_at_most_an_eighth_sooner_than_asked_for(
            lifetime in span(), margins in margins(),
        ) {
            let token = token(Duration::ZERO, lifetime);
            let ahead = margins.ages_at(&token).until(token.issued.plus(lifetime.max(SECOND)));
            prop_assert!(ahead <= margins.ahead.saturating_add(margins.ahead / 8));
        }

        #[test]
        fn a_need_is_met_or_the_token_counts_as_expired(
            lifetime in span(), margins in margins(), age in span(), least in span(),
        ) {
            let token = token(Duration::ZERO, lifetime);
            let now = token.issued.plus(age);
            let verdict = freshness(&token, Need::AtLeast(least), now, &margins);
            let newest = age < margins.just_issued;
            prop_assert!(verdict == Freshness::Expired || token.left(now) >= least || newest);
        }
    }
}
