//! The credential plugins of client-go: an `ExecCredential` on standard output.

use authbroker::config::env;
use serde::Deserialize;
use serde_json::json;

use super::{USEFUL, bearer, client, expires_at};
use crate::args::{Place, Wanted};
use crate::commands::rfc3339;
use crate::failure::Failure;
use crate::print::Printer;

/// What is spoken where the caller does not say.
const NEWEST: &str = "client.authentication.k8s.io/v1";
/// What is spoken by those who are older. The answer is the same.
const OLDER: &str = "client.authentication.k8s.io/v1beta1";

/// What the caller is about to do. There is more to it, and none of it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Occasion {
    api_version: String,
}

pub(super) async fn run(place: &Place, wanted: Wanted, printer: &Printer) -> Result<(), Failure> {
    let version = version(env::text(env::KUBERNETES))?;
    let token = client(place).await?.token(wanted.request().min_ttl(USEFUL)).await?;
    let token = bearer(token)?;
    printer.document(&json!({
        "apiVersion": version,
        "kind": "ExecCredential",
        "status": {
            "token": token.expose(),
            "expirationTimestamp": rfc3339(expires_at(&token)),
        },
    }))?;
    Ok(())
}

/// The caller's own words have to be used again.
fn version(said: Option<String>) -> Result<&'static str, Failure> {
    let Some(said) = said else { return Ok(NEWEST) };
    let occasion: Result<Occasion, _> = serde_json::from_str(&said);
    match occasion.as_ref().map(|occasion| occasion.api_version.as_str()) {
        Ok(NEWEST) => Ok(NEWEST),
        Ok(OLDER) => Ok(OLDER),
        _ => Err(Failure::Use(
            "KUBERNETES_EXEC_INFO names neither client.authentication.k8s.io/v1 nor v1beta1",
        )),
    }
}
