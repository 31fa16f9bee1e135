//! `brokerctl reload`: the daemon reads its configuration again.

use super::admin;
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(place: &Place, printer: &Printer) -> Result<(), Failure> {
    admin(place).await?.reload().await?;
    if printer.json() {
        printer.document(&serde_json::json!({"reloaded": true}))?;
    }
    printer.say("The configuration was read again.");
    Ok(())
}
