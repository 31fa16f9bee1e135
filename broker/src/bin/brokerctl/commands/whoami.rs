//! `brokerctl whoami`: how the broker sees this caller, and what that does not prove.

use authbroker_client::wire::broker1::Identity;

use super::client;
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let identity = client(place).await?.who_am_i().await?;
    if printer.json() {
        printer.document(&identity)?;
        return Ok(());
    }
    for (name, value) in lines(identity) {
        printer.line(&format!("{name:<11}{value}"))?;
    }
    Ok(())
}

/// What is known, from the strongest to what is only seen.
fn lines(identity: Identity) -> Vec<(&'static str, String)> {
    let Identity { level, level_name, app, source, uid, proves, .. } = identity;
    let behind = |proxy| format!("{proxy} (who is behind it cannot be seen)");
    let led = |leader| format!("the session that process {leader} leads");
    let seen = [
        ("runs", identity.executable),
        ("unit", identity.user_unit),
        ("terminal", identity.terminal.map(led)),
        ("proxy", identity.proxy.map(behind)),
        ("process", identity.pid.map(|pid| pid.to_string())),
    ];
    let known = [
        ("app", app),
        ("level", format!("{level} of 4, {level_name}")),
        ("known by", source),
        ("proves", proves),
        ("user", uid.to_string()),
    ];
    let seen = seen.into_iter().filter_map(|(name, value)| Some((name, value?)));
    known.into_iter().chain(seen).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_proven_comes_before_what_is_only_seen() {
        let identity = Identity {
            level: 1,
            level_name: "described".into(),
            app: "exe:/usr/bin/xdg-dbus-proxy".into(),
            source: "the path".into(),
            uid: 1000,
            pid: Some(42),
            proves: "only the user".into(),
            executable: Some("/usr/bin/xdg-dbus-proxy".into()),
            user_unit: None,
            terminal: Some(7),
            proxy: Some("/usr/bin/xdg-dbus-proxy".into()),
        };
        let text: Vec<_> =
            lines(identity).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            text,
            [
                "app: exe:/usr/bin/xdg-dbus-proxy",
                "level: 1 of 4, described",
                "known by: the path",
                "proves: only the user",
                "user: 1000",
                "runs: /usr/bin/xdg-dbus-proxy",
                "terminal: the session that process 7 leads",
                "proxy: /usr/bin/xdg-dbus-proxy (who is behind it cannot be seen)",
                "process: 42",
            ]
        );
    }
}
