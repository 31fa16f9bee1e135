//! `brokerctl logout`: an account's end.

use authbroker_client::{Admin, Progress, Step};
use serde_json::json;

use super::{admin, browser};
use crate::args::{Logout, Place};
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(place: &Place, logout: Logout, printer: &Printer) -> Result<(), Failure> {
    let broker = admin(place).await?;
    if !logout.all {
        let account = logout.account.clone().unwrap_or_default();
        return sign_out(&broker, &account, &logout, printer).await;
    }
    for account in broker.client().accounts().await? {
        sign_out(&broker, &account.id, &logout, printer).await?;
    }
    Ok(())
}

async fn sign_out(
    broker: &Admin,
    account: &str,
    logout: &Logout,
    printer: &Printer,
) -> Result<(), Failure> {
    let mut pending = broker.sign_out(account, logout.local).await?;
    let mut report = String::new();
    loop {
        let waiting = printer.wait("Signing out");
        let step = pending.next().await?;
        drop(waiting);
        match step {
            Step::Progress(progress) if progress.phase.as_deref() == Some("report") => {
                report = progress.message.unwrap_or_default();
            }
            Step::Progress(progress) => end_session(&progress, logout, printer).await?,
            Step::Done(id) if printer.json() => {
                printer.document(&json!({"account": id, "report": report}))?;
                return Ok(());
            }
            Step::Done(id) => {
                printer.say(&format!("{id} is signed out: {report}."));
                return Ok(());
            }
        }
    }
}

/// Ends the session in the browser too, where the provider has a page for it.
async fn end_session(
    progress: &Progress,
    logout: &Logout,
    printer: &Printer,
) -> Result<(), Failure> {
    let (Some("end-session"), Some(url)) = (progress.phase.as_deref(), &progress.url) else {
        return Ok(());
    };
    if logout.no_browser || !browser::open(url).await {
        printer.say("To end the session in your browser too, open:");
        printer.line(url)?;
    }
    Ok(())
}
