//! What can be said of the audit record.

use jiff::{Timestamp, Zoned, civil, tz::TimeZone};

#[derive(Debug, clap::Args)]
pub(crate) struct Audit {
    /// Wait for what comes, too; without --since, only for that
    #[arg(long, short, conflicts_with = "verify")]
    pub(crate) follow: bool,
    /// Only what is about this app: flatpak:org.acme.Mail, exe:/usr/bin/app, or the end of it
    #[arg(long, value_name = "A", conflicts_with = "verify")]
    pub(crate) app: Option<String>,
    /// Only what happened since then: 2h, 3d, 2026-11-25, or 2026-11-25T08:00
    #[arg(long, value_name = "T", value_parser = moment, conflicts_with = "verify")]
    pub(crate) since: Option<Timestamp>,
    /// Check that no line was changed, removed or cut off
    #[arg(long)]
    pub(crate) verify: bool,
}

/// Reads a moment: a time ago, or a time by the clock on the wall here.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    if let Ok(local) = text.parse::<civil::DateTime>() {
        let here = local.to_zoned(TimeZone::system());
        return here.map(|here| here.timestamp()).map_err(|error| error.to_string());
    }
    let ago: jiff::Span = text.parse().map_err(|_| {
        "say how long ago, as 2h or 3d, or when, as 2026-11-25 or 2026-11-25T08:00".to_owned()
    })?;
    let ago = if ago.is_negative() { ago } else { ago.negate() };
    Zoned::now().checked_add(ago).map(|then| then.timestamp()).map_err(|error| error.to_string())
}

impl Audit {
    /// The moment that lines are wanted from, as the lines have it.
    pub(crate) fn since(&self) -> Option<String> {
        let now = (self.follow && self.since.is_none()).then(Timestamp::now);
        self.since.or(now).map(|moment| format!("{moment:.3}"))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_moment_is_a_time_ago_or_a_time_on_the_clock() {
        let ago = |text: &str| {
            let since = Timestamp::now().duration_since(moment(text).unwrap());
            (since - SignedDuration::from_hours(2)).abs() < SignedDuration::from_mins(1)
        };
        assert!(ago("2h") && ago("120m"));
        let then = moment("2026-11-25T08:00:00Z").unwrap();
        assert_eq!(format!("{then:.3}"), "2026-11-25T08:00:00.000Z");
        assert!(moment("2026-11-25").unwrap() < moment("2026-11-25T08:00").unwrap());
        assert!(moment("3d").unwrap() < moment("2d").unwrap());
        assert!(moment("yesterday").is_err());
    }
}
