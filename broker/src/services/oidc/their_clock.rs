//! What time it is at the provider, as its own answers tell (RFC 9110 §6.6.1).
//!
//! A provider dates its ID tokens by its own clock. On a machine whose clock is wrong (a dead
//! battery, a second system that keeps local time) they look expired, or not issued yet; to refuse
//! one for that would be to throw away the rotated refresh token that came with it. The answer that
//! brought it says what time it is over there, and came by the same way.

use std::sync::{Mutex, PoisonError};

use ::http::HeaderMap;
use ::http::header::DATE;
use authbroker_core::time::{Now, UnixTime};
use jiff::fmt::rfc2822::DateTimeParser;

use crate::platform::clock;

/// A provider's clock: what it said, and when on the boot clock it said so.
#[derive(Debug, Default)]
pub(super) struct TheirClock {
    // A std mutex: held to copy a reading, never across an await.
    last: Mutex<Option<Now>>,
}

impl TheirClock {
    /// Takes note of what time an answer says it is.
    pub(super) fn note_from(&self, headers: &HeaderMap) {
        if let Some(wall) = date(headers) {
            let reading = Now { wall, boot: clock::now().boot };
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
        }
    }

    /// What time it is there, in whole seconds; by our own clock, where no answer has said so.
    pub(super) fn now(&self) -> UnixTime {
        let now = clock::now();
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.unwrap_or(now).wall_at(now.boot)
    }
}

fn date(headers: &HeaderMap) -> Option<UnixTime> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let seconds = DateTimeParser::new().parse_timestamp(text.trim()).ok()?.as_second();
    Some(UnixTime::from_secs(u64::try_from(seconds).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(date: &str) -> UnixTime {
        let clock = TheirClock::default();
        let mut headers = HeaderMap::new();
        headers.insert(DATE, date.parse().unwrap());
        clock.note_from(&headers);
        clock.now()
    }

    #[test]
    fn a_provider_that_tells_the_time_is_believed() {
        let then = noted("Sun, 06 Nov 1994 08:49:37 GMT").as_secs();
        assert!((784_111_777..784_111_777 + 60).contains(&then), "{then}");
    }

    #[test]
    fn a_provider_that_does_not_goes_by_our_own_clock() {
        for nonsense in
            ["", "now", "Sun, 06 Nov 1894 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT"]
        {
            assert!(noted(nonsense).as_secs().abs_diff(clock::now().wall.as_secs()) < 60);
        }
    }
}
