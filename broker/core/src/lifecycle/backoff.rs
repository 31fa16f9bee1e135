//! How long to leave a failing provider alone.

use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause of our own making: a person who comes back online should not wait longer.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest pause a provider may ask for.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// The pause after `failures` in a row: what the provider asked for (`Retry-After`), else doubled
/// each time. `spread` moves sessions apart by up to a quarter.
pub(super) fn pause(failures: u8, asked: Option<Duration>, spread: u8) -> Duration {
    if let Some(asked) = asked {
        return asked.min(LONGEST_ASKED);
    }
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(5)).min(LONGEST);
    doubled + doubled / 4 * u32::from(spread) / 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_stay_bounded() {
        let pauses: Vec<_> = (1..=8).map(|n| pause(n, None, 0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn the_providers_own_wish_goes_first_within_reason() {
        assert_eq!(pause(1, Some(Duration::from_mins(2)), 0).as_secs(), 120);
        assert_eq!(pause(1, Some(Duration::MAX), 0), LONGEST_ASKED);
    }

    #[test]
    fn sessions_spread_by_at_most_a_quarter() {
        for spread in 0..=255 {
            let pause = pause(3, None, spread);
            assert!(pause >= Duration::from_secs(4) && pause < Duration::from_secs(5));
        }
    }
}
