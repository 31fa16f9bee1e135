//! `brokerctl accounts`: who is signed in.

use super::{client, local_time};
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let accounts = client(place).await?.accounts().await?;
    if printer.json() {
        printer.document(&accounts)?;
        return Ok(());
    }
    if accounts.is_empty() {
        printer.say("Nobody is signed in. Sign in with: brokerctl login");
        return Ok(());
    }
    let rows: Vec<_> = accounts
        .into_iter()
        .map(|account| {
            let since = local_time(account.auth_time);
            let renewed = local_time(account.renewed_at);
            vec![
                account.id,
                account.provider,
                account.username,
                account.state,
                since,
                renewed,
                account.state_reason,
            ]
        })
        .collect();
    printer.table(
        &["ACCOUNT", "PROVIDER", "USERNAME", "STATE", "SIGNED IN SINCE", "LAST RENEWED", ""],
        &rows,
    )?;
    Ok(())
}
