//! `brokerctl provider`: the places where people sign in. None of it needs a daemon; one that runs is
//! told what has changed.

mod add;
mod check;
mod draft;
mod list;
mod register;

use std::path::{Path, PathBuf};

use authbroker::config::{self, Settings};
use authbroker_client::{Admin, Error};

use super::findings::{documents, lines};
use super::{admin, state_dir};
use crate::args::{Place, ProviderCommand};
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(
    place: &Place,
    command: ProviderCommand,
    printer: &Printer,
) -> Result<(), Failure> {
    // A client may have to prove itself by a signature. Two back ends could be compiled in, and this
    // one is meant.
    let _already = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    match command {
        ProviderCommand::Add(add) => add::run(place, add, printer).await,
        ProviderCommand::Register(register) => register::run(place, register, printer).await,
        ProviderCommand::List => list::run(place, printer).await,
        ProviderCommand::Check { provider } => check::run(place, provider, printer).await,
    }
}

/// The file that a new provider is written to.
fn config_file(place: &Place) -> Result<PathBuf, Failure> {
    let file = config::user_file(place.config.clone());
    file.ok_or_else(|| Failure::File("there is no home folder, and no --config".to_owned()))
}

/// The settings as they are now.
fn settings(place: &Place) -> Result<Settings, Failure> {
    let file = config::user_file(place.config.clone());
    config::load(file.as_deref(), place.config.is_some()).map_err(Failure::Config)
}

/// The daemon, if one runs.
async fn running(place: &Place) -> Result<Option<Admin>, Failure> {
    match admin(place).await {
        Ok(broker) => Ok(Some(broker)),
        Err(Error::NoBroker { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Has a daemon that runs take up a new provider.
async fn take_up(place: &Place, file: &Path, printer: &Printer) -> Result<(), Failure> {
    let Some(broker) = running(place).await? else {
        printer.say("No broker is running; it reads the file when it starts.");
        return Ok(());
    };
    let theirs = broker.status().await?.config;
    if !is_same(Path::new(&theirs), file) {
        printer.say(&format!("note: the broker that runs reads another file, {theirs}"));
        return Ok(());
    }
    broker.reload().await?;
    printer.say("The running broker has taken it up.");
    Ok(())
}

fn is_same(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(a).is_some_and(|a| Some(a) == real(b))
}
