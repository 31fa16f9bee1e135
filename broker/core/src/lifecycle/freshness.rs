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

impl Margins {
    /// When `token` begins to age. Short lives shrink the margin to a quarter of them, so that a
    /// ten-second token is not renewed without end.
    pub fn ages_at(&self, token: &AccessToken) -> BootTime {
        let ahead = self.ahead.min(token.lifetime() / 4);
        let sooner = ahead / 8 * u32::from(self.spread) / 256;
        token.expires.minus(ahead + sooner)
    }

    /// When `token` stops being handed out.
    pub fn expires_at(&self, token: &AccessToken) -> BootTime {
        token.expires.minus(self.skew.min(token.lifetime() / 10))
    }
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
