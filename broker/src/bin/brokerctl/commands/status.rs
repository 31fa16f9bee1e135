//! `brokerctl status`: how the daemon is.

use authbroker_client::wire::admin1::Status;

use super::admin;
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let status = admin(place).await?.status().await?;
    if printer.json() {
        printer.document(&status)?;
        return Ok(());
    }
    for (name, value) in lines(&status) {
        printer.line(&format!("{name:<10}{value}"))?;
    }
    for problem in &status.problems {
        printer.line(&format!("{:<10}{problem}", "problem"))?;
    }
    Ok(())
}

fn lines(status: &Status) -> Vec<(&'static str, String)> {
    let bus = if status.bus {
        "org.authbroker.Broker1 on the session bus"
    } else {
        "none; apps use the socket"
    };
    let reason =
        status.vault.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let providers: Vec<_> =
        status.providers.iter().map(|p| format!("{} ({})", p.name, p.issuer)).collect();
    vec![
        (
            "broker",
            format!(
                "{} running, process {}, up {}",
                status.version,
                status.pid,
                uptime(status.uptime)
            ),
        ),
        ("config", status.config.clone()),
        ("socket", status.socket.clone()),
        ("bus", bus.to_owned()),
        ("vault", format!("{} ({}){reason}", status.vault.state, status.vault.key)),
        ("providers", if providers.is_empty() { "none".to_owned() } else { providers.join(", ") }),
        ("accounts", status.accounts.to_string()),
    ]
}

fn uptime(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min {} s", seconds % 60),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} days {hours} h"),
    }
}
