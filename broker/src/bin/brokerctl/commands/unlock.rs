//! `brokerctl unlock` and `brokerctl lock`: the vault's key comes into the daemon's memory, and goes.

use authbroker_client::wire::vault::{Unlock, VaultStatus};
use serde_json::json;

use super::{admin, passphrase};
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn unlock(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let broker = admin(place).await?;
    let status = broker.vault_status().await?;
    if status.state != "open" {
        let request = request(&status, printer).await?;
        let _opening = printer.wait("Opening the vault");
        broker.unlock(&request).await?;
    }
    say(printer, "open", "The vault is open.")
}

pub(crate) async fn lock(place: &Place, printer: &Printer) -> Result<(), Failure> {
    admin(place).await?.lock().await?;
    say(printer, "locked", "The vault is locked. Open it with: brokerctl unlock")
}

/// What the vault's key is behind: a passphrase, one that is to be chosen, or the keyring.
async fn request(status: &VaultStatus, printer: &Printer) -> Result<Unlock, Failure> {
    match status.passphrase.as_deref() {
        Some("not-chosen") => {
            printer.say("The vault is new. Choose the passphrase that opens it from now on.");
            let chosen = passphrase::choose("New passphrase: ").await?;
            Ok(Unlock { passphrase: Some(chosen), first: Some(true) })
        }
        Some(_) => {
            let typed = passphrase::ask("Passphrase: ").await?;
            Ok(Unlock { passphrase: Some(typed), first: None })
        }
        None => {
            if status.key == "keyring" {
                printer.say("If the keyring is locked, it asks for its password on the screen.");
            }
            Ok(Unlock::default())
        }
    }
}

fn say(printer: &Printer, state: &str, sentence: &str) -> Result<(), Failure> {
    if printer.json() {
        printer.document(&json!({"state": state}))?;
    }
    printer.say(sentence);
    Ok(())
}
