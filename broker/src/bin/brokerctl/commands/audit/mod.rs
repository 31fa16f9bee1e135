//! `brokerctl audit`: who was given what, and whether that record is whole.

mod files;
pub(super) mod show;

use authbroker_client::Error;
use authbroker_client::wire::audit::{self as wire, AuditCheck, BrokenLine};

use self::show::line;
use super::admin;
use crate::args::{Audit, Place};
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(place: &Place, audit: Audit, printer: &Printer) -> Result<(), Failure> {
    if audit.verify {
        return verify(place, printer).await;
    }
    let (since, follow) = (audit.since(), audit.follow);
    let wanted = wire::Audit { app: audit.app, since, follow: Some(follow) };
    match admin(place).await {
        // What is past can be read by whoever owns it; what is to come, a broker must bring.
        Err(Error::NoBroker { .. }) if !follow => past(place, &wanted, printer),
        broker => {
            let mut lines = broker?.audit(&wanted).await?;
            while let Some(entries) = lines.next().await? {
                show(&entries, printer)?;
            }
            Ok(())
        }
    }
}

/// The lines as they lie, without a broker.
fn past(place: &Place, wanted: &wire::Audit, printer: &Printer) -> Result<(), Failure> {
    let folder = files::folder(place)?;
    printer
        .say(&format!("No broker is running: this is read from {}, unchecked.", folder.display()));
    for path in files::parts(&folder)? {
        let entries = files::entries(&path)?;
        let entries: Vec<_> = entries.into_iter().filter(|entry| wanted.wants(entry)).collect();
        show(&entries, printer)?;
    }
    Ok(())
}

fn show(entries: &[wire::Entry], printer: &Printer) -> Result<(), Failure> {
    for entry in entries {
        if printer.json() {
            printer.document(entry)?;
        } else {
            printer.line(&line(entry))?;
        }
    }
    Ok(())
}

/// Has the broker check the record: the key for that is in its vault.
async fn verify(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let checking = printer.wait("Checking the record");
    let check = admin(place).await?.verify_audit().await?;
    drop(checking);
    if printer.json() {
        printer.document(&check)?;
    } else {
        tell(&check, printer);
    }
    let wrong = [&check.anew, &check.broken].into_iter().flatten().next();
    match wrong {
        Some(wrong) => Err(Failure::Audit(sentence(&check.folder, wrong))),
        None => Ok(()),
    }
}

fn tell(check: &AuditCheck, printer: &Printer) {
    let lines = counted(check.lines, "line", "lines");
    let files = counted(check.files as u64, "file", "files");
    let first = check.first.map(|first| format!(", from number {first} on")).unwrap_or_default();
    printer.say(&format!("As they were written: {lines} in {files}{first}."));
    if check.waiting > 0 {
        let waiting = counted(check.waiting as u64, "line waits", "lines wait");
        printer.say(&format!("{waiting} for a place in the chain; nothing protects that yet."));
    }
    if let Some(torn) = &check.torn {
        printer
            .say(&format!("{}, line {} is torn: its broker died over it.", torn.file, torn.line));
    }
    if let (Some(_), Some(broken)) = (&check.anew, &check.broken) {
        printer.say(&format!("also {}", sentence(&check.folder, broken)));
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn sentence(folder: &str, wrong: &BrokenLine) -> String {
    let BrokenLine { file, line, kind, what } = wrong;
    format!("{folder}/{file}, line {line} ({kind}): {what}")
}
