//! How long to leave a failing provider alone.

use std::time::Duration;

use super::freshness::Margins;

/// The first pause, and the shortest that is kept, whatever a provider asks for.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause of our own making: a person who comes back online should not wait longer.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest pause a provider may ask for.
const LONGEST_ASKED: Duration = Duration::from_hours(1);
/// The most that sessions are moved apart.
const LONGEST_APART: Duration = Duration::from_secs(30);

/// The pause after `failures` in a row: what the provider asked for (`Retry-After`, RFC 9110
/// §10.2.3), else doubled each time. Sessions that failed together come back apart, by up to a
/// quarter of it.
pub(super) fn pause(failures: u8, asked: Option<Duration>, margins: &Margins) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(5)).min(LONGEST);
    let pause = asked.map_or(doubled, |asked| asked.clamp(FIRST, LONGEST_ASKED));
    pause + margins.apart((pause / 4).min(LONGEST_APART))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(spread: u8) -> Margins {
        Margins { spread, ..Margins::default() }
    }

    #[test]
    fn pauses_double_and_stay_bounded() {
        let pauses: Vec<_> = (1..=8).map(|n| pause(n, None, &spread(0)).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn the_providers_own_wish_goes_first_within_reason() {
        let asked = |asked| pause(6, Some(asked), &spread(0));
        assert_eq!(asked(Duration::from_mins(2)).as_secs(), 120);
        assert_eq!(asked(Duration::MAX), LONGEST_ASKED);
        assert_eq!(asked(Duration::ZERO), FIRST, "at once would be a tight loop");
    }

    #[test]
    fn sessions_spread_by_at_most_a_quarter_and_never_come_early() {
        for n in 0..=255 {
            let ours = pause(3, None, &spread(n));
            assert!(ours >= Duration::from_secs(4) && ours < Duration::from_secs(5));
            let asked = pause(3, Some(Duration::from_mins(10)), &spread(n));
            assert!(asked >= Duration::from_mins(10) && asked < Duration::from_secs(630));
        }
    }
}
