//! A line of the record, for people.

use authbroker_client::wire::audit::Entry;

/// One line: when, what, who, whose, what for, and how it came out.
pub(super) fn line(entry: &Entry) -> String {
    format!("{:<19}  {}", time(&entry.time), what_happened(entry))
}

/// The same without the time.
pub(in crate::commands) fn what_happened(entry: &Entry) -> String {
    let caller = entry.caller.as_ref().map(|caller| match caller.pid {
        Some(pid) => format!("{} ({pid})", caller.identity),
        None => caller.identity.clone(),
    });
    let columns = [
        format!("{:<14}", event(entry)),
        format!("{:<16}", entry.account.as_deref().unwrap_or("-")),
        caller.unwrap_or_else(|| "-".to_owned()),
    ];
    let rest = [
        (!entry.resource.is_empty()).then(|| entry.resource.join(" ")),
        (!entry.scopes.is_empty()).then(|| format!("[{}]", entry.scopes.join(" "))),
        entry.decision.clone(),
        entry.rule.as_ref().map(|rule| format!("by {rule}")),
        entry.error.clone(),
        entry.fingerprint.as_ref().map(|fingerprint| format!("token {fingerprint}")),
        entry.correlation_id.as_ref().map(|id| format!("for {id}")),
        entry.detail.as_ref().map(|detail| format!("({detail})")),
        entry.seq.is_none().then(|| "(waits for the vault)".to_owned()),
    ];
    columns.into_iter().chain(rest.into_iter().flatten()).collect::<Vec<_>>().join("  ")
}

fn event(entry: &Entry) -> String {
    match entry.count {
        Some(count) => format!("{} +{count}", entry.event),
        None => entry.event.clone(),
    }
}

/// The time here, to the second; as it stands there, if that is no time.
fn time(text: &str) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => {
            time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use authbroker_client::wire::audit::EntryCaller;

    use super::*;

    #[test]
    fn a_line_tells_who_was_given_what() {
        let caller = EntryCaller {
            identity: "exe:/usr/bin/app".into(),
            pid: Some(42),
            ..EntryCaller::default()
        };
        let entry = Entry {
            seq: Some(7),
            time: "no time".into(),
            event: "token".into(),
            caller: Some(caller),
            account: Some("acme-k3v9q2ma".into()),
            resource: vec!["https://api.example".into()],
            decision: Some("allow".into()),
            rule: Some("config.toml:12".into()),
            count: Some(3),
            ..Entry::default()
        };
        let line = line(&entry);
        let words: Vec<_> =
            line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
        let expected = [
            "no time",
            "token +3",
            "acme-k3v9q2ma",
            "exe:/usr/bin/app (42)",
            "https://api.example",
            "allow",
            "by config.toml:12",
        ];
        assert_eq!(words, expected);
    }
}
