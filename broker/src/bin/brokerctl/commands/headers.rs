//! `brokerctl headers`: the request headers for one call to an API, with a proof where the token is
//! bound to a key. `brokerctl headers GET URL | curl -H @- URL` sends it.

use std::collections::BTreeMap;

use serde_json::json;

use super::client;
use crate::args::{Headers, Place};
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(place: &Place, args: Headers, printer: &Printer) -> Result<(), Failure> {
    let request = args.wanted.request();
    let told = client(place).await?.headers(&args.method, &args.url, &request).await?;
    let headers: BTreeMap<_, _> =
        told.headers.iter().map(|(name, value)| (name, value.expose())).collect();
    if printer.json() {
        printer.document(&json!({
            "headers": headers,
            "token_type": told.token_type,
            "expires_at": told.expires_at,
            "scopes": told.scopes,
            "resource": told.resource,
            "account": told.account,
            "subject": told.subject,
        }))?;
        return Ok(());
    }
    for (name, value) in headers {
        printer.line(&format!("{name}: {value}"))?;
    }
    Ok(())
}
