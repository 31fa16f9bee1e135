//! `brokerctl monitor`: the accounts as they are, and then each change as it happens.

use authbroker_client::{Account, Change};
use serde_json::json;

use super::client;
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let mut watch = client(place).await?.watch().await?;
    printer.say("Watching the accounts. Ctrl+C ends this.");
    loop {
        tell(&watch.next().await?, printer)?;
    }
}

fn tell(change: &Change, printer: &Printer) -> Result<(), Failure> {
    for account in &change.accounts {
        if printer.json() {
            printer.document(&json!({"event": "account", "account": account}))?;
        } else {
            printer.line(&line(account))?;
        }
    }
    for id in &change.removed {
        if printer.json() {
            printer.document(&json!({"event": "removed", "id": id}))?;
        } else {
            printer.line(&format!("{}  {id}  signed out", now()))?;
        }
    }
    Ok(())
}

fn line(account: &Account) -> String {
    let Account { id, username, state, state_reason, .. } = account;
    let reason = if state_reason.is_empty() { String::new() } else { format!(": {state_reason}") };
    format!("{}  {id}  {username}  {state}{reason}", now())
}

/// The time of day.
fn now() -> String {
    jiff::Zoned::now().strftime("%H:%M:%S").to_string()
}
