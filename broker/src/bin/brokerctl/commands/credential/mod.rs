//! `brokerctl credential`: the broker in the place of a tool's own password store.
//!
//! Each file speaks one tool's protocol. Two of them ask about a server; `[credential."HOST"]` in the
//! configuration says which account speaks there, and no other server is given anything. Nothing that
//! a tool wants stored is stored: the broker has what it needs.

mod aws;
mod docker;
mod git;
mod kubernetes;

use std::io::{self, Read as _};
use std::time::Duration;

use authbroker::config::{self, CredentialSettings, Credentials};
use authbroker_client::{AccessToken, Client, TokenRequest};

use super::{bearer, client, expires_at};
use crate::args::{CredentialCommand, Place};
use crate::failure::Failure;
use crate::print::Printer;

/// How long a credential is of use at least: tools ask once and then make several requests.
const USEFUL: Duration = Duration::from_mins(1);
/// The most that a tool has to say, in bytes.
const MOST: u64 = 64 * 1024;

pub(crate) async fn run(
    place: &Place,
    command: CredentialCommand,
    printer: &Printer,
) -> Result<(), Failure> {
    match command {
        CredentialCommand::Git { operation } => git::run(place, &operation, printer).await,
        CredentialCommand::Kubernetes(wanted) => kubernetes::run(place, wanted, printer).await,
        CredentialCommand::Docker { operation } => docker::run(place, &operation, printer).await,
        CredentialCommand::Aws(aws) => aws::run(place, aws, printer).await,
    }
}

/// What the configuration says about servers.
fn credentials(place: &Place) -> Result<Credentials, Failure> {
    let file = config::user_file(place.config.clone());
    let settings =
        config::load(file.as_deref(), place.config.is_some()).map_err(Failure::Config)?;
    Ok(settings.credentials)
}

/// What the tool says on standard input.
async fn input() -> Result<String, Failure> {
    let read = tokio::task::spawn_blocking(|| {
        let mut text = String::new();
        io::stdin().lock().take(MOST).read_to_string(&mut text).map(|_| text)
    });
    read.await.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(Failure::Input)
}

/// A token for a server.
async fn token(broker: &Client, settings: &CredentialSettings) -> Result<AccessToken, Failure> {
    bearer(broker.token(request(settings)).await?)
}

fn request(settings: &CredentialSettings) -> TokenRequest {
    let request = TokenRequest::new().account(&settings.account).min_ttl(USEFUL);
    let request = settings.resource.iter().fold(request, TokenRequest::resource);
    settings.scopes.iter().fold(request, TokenRequest::scope)
}

/// Renews a token that a server would not take, if it is the newest one: what came of an older one
/// says nothing. A server that takes none is asked again no sooner for it.
async fn refused(place: &Place, settings: &CredentialSettings, token: &str) -> Result<(), Failure> {
    let broker = client(place).await?;
    let newest = self::token(&broker, settings).await?;
    if newest.expose() == token {
        broker.token(request(settings).force()).await?;
    }
    Ok(())
}
