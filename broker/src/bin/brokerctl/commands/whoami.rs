//! `brokerctl whoami`: how the broker sees this caller, and what that does not prove.

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
    printer.line(&format!("level   {} ({})", identity.level, identity.level_name))?;
    printer.line(&format!("app     {}", identity.app))?;
    printer.line(&format!("user    {}", identity.uid))?;
    if let Some(pid) = identity.pid {
        printer.line(&format!("process {pid}"))?;
    }
    if let Some(description) = &identity.description {
        printer.line(&format!("looks   like {description}"))?;
    }
    printer.line(&format!("known by {}", identity.source))?;
    printer.line(&format!("proves  {}", identity.proves))?;
    Ok(())
}
