//! `brokerctl monitor`: the accounts as they are, and then whatever happens, as it happens: changes of
//! accounts, and lines of the record as they are written. An app's socket has the accounts alone.

use authbroker_client::wire::audit::{Audit, Entry};
use authbroker_client::{Account, Admin, AuditLines, Change, Error};
use serde_json::json;

use super::audit::show::what_happened;
use super::{admin, client};
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

/// How wide the column of events is.
const EVENT: usize = 14;
/// And that of accounts.
const ACCOUNT: usize = 16;

pub(crate) async fn run(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let mut lines = match &place.socket {
        None => Some(coming(&admin(place).await?).await?),
        Some(_) => None,
    };
    let mut watch = client(place).await?.watch().await?;
    printer.say(match lines {
        Some(_) => "Watching the accounts and the record. Ctrl+C ends this.",
        None => "Watching the accounts. Ctrl+C ends this.",
    });
    loop {
        tokio::select! {
            change = watch.next() => tell(&change?, printer)?,
            entries = next(&mut lines) => record(&entries?, printer)?,
        }
    }
}

/// The lines of the record that are written from now on.
async fn coming(broker: &Admin) -> Result<AuditLines, Error> {
    let since = Some(format!("{:.3}", jiff::Timestamp::now()));
    broker.audit(&Audit { since, follow: Some(true), app: None }).await
}

/// The next lines; never any where there is no more to come.
async fn next(lines: &mut Option<AuditLines>) -> Result<Vec<Entry>, Error> {
    if let Some(coming) = lines {
        match coming.next().await? {
            Some(entries) => return Ok(entries),
            None => *lines = None,
        }
    }
    std::future::pending().await
}

fn tell(change: &Change, printer: &Printer) -> Result<(), Failure> {
    for account in &change.accounts {
        if printer.json() {
            printer.document(&json!({"event": "account", "account": account}))?;
        } else {
            let Account { id, username, state, .. } = account;
            let reason = reason(account);
            printer.line(&line("account", id, &format!("{username}  {state}{reason}")))?;
        }
    }
    for id in &change.removed {
        if printer.json() {
            printer.document(&json!({"event": "removed", "id": id}))?;
        } else {
            printer.line(&line("account", id, "signed out"))?;
        }
    }
    Ok(())
}

fn record(entries: &[Entry], printer: &Printer) -> Result<(), Failure> {
    for entry in entries {
        if printer.json() {
            printer.document(&json!({"event": "audit", "entry": entry}))?;
        } else {
            printer.line(&format!("{}  {}", now(), what_happened(entry)))?;
        }
    }
    Ok(())
}

fn reason(account: &Account) -> String {
    match account.state_reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    }
}

fn line(event: &str, account: &str, rest: &str) -> String {
    format!("{}  {event:<EVENT$}  {account:<ACCOUNT$}  {rest}", now())
}

/// The time of day.
fn now() -> String {
    jiff::Zoned::now().strftime("%H:%M:%S").to_string()
}
