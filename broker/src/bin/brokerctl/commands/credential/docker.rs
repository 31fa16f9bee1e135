//! Docker's protocol (docker-credential-helpers): one word as an argument, JSON both ways, and what
//! went wrong on standard output, because that is where docker looks for it.

use std::collections::BTreeMap;

use authbroker::config::Credentials;
use serde::Deserialize;
use serde_json::json;

use super::{client, credentials, input, token};
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

/// By these words docker knows that there is nothing, and goes on without.
const NOTHING: &str = "credentials not found in native keychain";

/// What docker wants stored.
#[derive(Deserialize)]
struct Stored {
    #[serde(rename = "ServerURL")]
    server: String,
}

pub(super) async fn run(place: &Place, operation: &str, printer: &Printer) -> Result<(), Failure> {
    let done = perform(place, operation, printer).await;
    if let Err(failure) = &done {
        match failure {
            Failure::NoCredential(_) => printer.line(NOTHING)?,
            failure => printer.line(&format!("{} ({})", failure.message(), failure.hint()))?,
        }
    }
    done
}

async fn perform(place: &Place, operation: &str, printer: &Printer) -> Result<(), Failure> {
    let credentials = credentials(place)?;
    match operation {
        "get" => get(place, &credentials, printer).await,
        "list" => list(&credentials, printer),
        "store" => store(&credentials, &input().await?),
        // A sign-out at a registry. The account stays: it is not docker's alone.
        "erase" => Ok(()),
        _ => Err(Failure::Use("docker asks for get, list, store or erase")),
    }
}

async fn get(place: &Place, credentials: &Credentials, printer: &Printer) -> Result<(), Failure> {
    let server = input().await?;
    let server = server.trim();
    let settings = credentials.of(server);
    let settings = settings.ok_or_else(|| Failure::NoCredential(server.to_owned()))?;
    let token = token(&client(place).await?, settings).await?;
    let (username, secret) = (&settings.username, token.expose());
    printer.document(&json!({"ServerURL": server, "Username": username, "Secret": secret}))?;
    Ok(())
}

fn list(credentials: &Credentials, printer: &Printer) -> Result<(), Failure> {
    let names = credentials.iter().map(|(server, settings)| (server, &settings.username));
    printer.document(&names.collect::<BTreeMap<_, _>>())?;
    Ok(())
}

/// What is ours already needs no storing; the rest has to go elsewhere.
fn store(credentials: &Credentials, text: &str) -> Result<(), Failure> {
    let stored: Result<Stored, _> = serde_json::from_str(text);
    let Stored { server } = stored.map_err(|_| Failure::Use("that is not what docker stores"))?;
    match credentials.of(&server) {
        Some(_) => Ok(()),
        None => Err(Failure::NotKept(server)),
    }
}
