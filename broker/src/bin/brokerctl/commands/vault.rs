//! `brokerctl vault`: a look at the records, and a new key for them.

use authbroker_client::wire::vault::{BrokenRecord, Rekey, VaultStatus};

use super::{admin, passphrase};
use crate::args::{self, Place};
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn status(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let status = admin(place).await?.vault_status().await?;
    if printer.json() {
        printer.document(&status)?;
        return Ok(());
    }
    for (name, value) in lines(&status) {
        printer.line(&format!("{name:<10}{value}"))?;
    }
    if let Some(trouble) = &status.index {
        printer.line(&format!("{:<10}{trouble}", "index"))?;
    }
    show_broken(&status.broken, printer)
}

pub(crate) async fn rekey(
    place: &Place,
    rekey: &args::Rekey,
    printer: &Printer,
) -> Result<(), Failure> {
    let broker = admin(place).await?;
    let behind_passphrase = broker.vault_status().await?.passphrase.is_some();
    let request = request(rekey, behind_passphrase).await?;
    let waiting = printer.wait("Sealing every record anew");
    let rekeyed = broker.rekey(&request).await?;
    drop(waiting);
    if printer.json() {
        printer.document(&rekeyed)?;
        return Ok(());
    }
    printer.say(&format!("The vault has a new key; it opens {}.", records(rekeyed.records)));
    show_broken(&rekeyed.broken, printer)
}

async fn request(rekey: &args::Rekey, behind_passphrase: bool) -> Result<Rekey, Failure> {
    if !behind_passphrase {
        if rekey.new_passphrase {
            return Err(Failure::Use("this vault's key is not behind a passphrase"));
        }
        return Ok(Rekey::default());
    }
    let typed = passphrase::ask("Passphrase: ").await?;
    let new_passphrase = if rekey.new_passphrase {
        Some(passphrase::choose("New passphrase: ").await?)
    } else {
        None
    };
    Ok(Rekey { passphrase: Some(typed), new_passphrase })
}

fn lines(status: &VaultStatus) -> Vec<(&'static str, String)> {
    let reason = status.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let looked = match status.depth.as_str() {
        "opened" => "each was opened",
        _ => "only their headers were read, because the vault is not open",
    };
    let older = match status.older {
        0 => String::new(),
        older => format!(", {older} still in an older one"),
    };
    vec![
        ("vault", format!("{}{reason}", status.state)),
        ("key", status.key.clone()),
        ("records", format!("{}; {looked}", records(status.records))),
        ("format", format!("{}{older}", status.format)),
    ]
}

fn show_broken(broken: &[BrokenRecord], printer: &Printer) -> Result<(), Failure> {
    for record in broken {
        printer.line(&format!("{:<10}{}: {}", "broken", record.name, record.reason))?;
    }
    if !broken.is_empty() {
        printer.say("A new sign-in takes a broken record's place: brokerctl login");
    }
    Ok(())
}

fn records(count: usize) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}
