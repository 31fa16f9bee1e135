//! Completion on the command line: a shell asks this program, and this program asks the broker.
//!
//! A shell that waits for an answer must not wait long, and nothing is started for it: the broker that
//! runs is asked on its socket, or nobody is.

use std::io;
use std::time::Duration;

use authbroker_client::{Account, Admin, Client, Door};
use clap::{CommandFactory as _, Parser as _};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, CompletionCandidate};

use crate::args::{Args, Place, Shell};

/// The variable by which a shell's script asks.
const ASKED: &str = "_BROKERCTL_COMPLETE";
/// How long a person waits for the names of accounts.
const LIMIT: Duration = Duration::from_millis(500);

/// Answers a shell, if one asks; then nothing else happens.
pub(crate) fn answer() {
    CompleteEnv::with_factory(Args::command).var(ASKED).complete();
}

/// The script that has a shell ask.
pub(crate) fn script(shell: Shell) -> io::Result<Vec<u8>> {
    let name = shell.name();
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let shell = shells.completer(name).ok_or(io::ErrorKind::Unsupported)?;
    shell.write_registration(ASKED, "brokerctl", "brokerctl", "brokerctl", &mut script)?;
    Ok(script)
}

/// Whatever names an account: its id, and its provider and username where they are no other's too.
pub(crate) fn accounts() -> Vec<CompletionCandidate> {
    let accounts = &ask();
    let ids = accounts.iter().map(|account| candidate(&account.id, account));
    let sole = |name: fn(&Account) -> &String| {
        let bears = move |other: &&Account, it: &Account| name(other) == name(it);
        let alone =
            move |it: &&Account| accounts.iter().filter(|other| bears(other, it)).count() == 1;
        accounts.iter().filter(alone).map(move |account| candidate(name(account), account))
    };
    ids.chain(sole(|account| &account.provider)).chain(sole(|account| &account.username)).collect()
}

/// The providers that are configured.
pub(crate) fn providers() -> Vec<CompletionCandidate> {
    use authbroker::config;
    let file = config::user_file(None);
    let Ok(settings) = config::load(file.as_deref(), false) else { return Vec::new() };
    let candidate = |(name, provider): (_, &config::ProviderSettings)| {
        CompletionCandidate::new(format!("{name}")).help(Some(provider.issuer.to_string().into()))
    };
    settings.providers.iter().map(candidate).collect()
}

/// Whom one can sign in again, and where one can sign in anew.
pub(crate) fn accounts_and_providers() -> Vec<CompletionCandidate> {
    let mut all = accounts();
    for provider in providers() {
        if all.iter().all(|known| known.get_value() != provider.get_value()) {
            all.push(provider);
        }
    }
    all
}

fn candidate(name: &str, account: &Account) -> CompletionCandidate {
    let help = format!("{} at {}, {}", account.username, account.provider, account.state);
    CompletionCandidate::new(name).help(Some(help.into()))
}

/// The accounts of a broker that runs and answers soon.
fn ask() -> Vec<Account> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return Vec::new() };
    runtime.block_on(async {
        let asked = tokio::time::timeout(LIMIT, async { connect().await?.accounts().await.ok() });
        asked.await.ok().flatten().unwrap_or_default()
    })
}

/// The broker that the environment names: the rest of the command line is half written.
async fn connect() -> Option<Client> {
    let Place { socket, runtime_dir, .. } =
        Args::try_parse_from(["brokerctl", "status"]).ok()?.place;
    match socket {
        Some(socket) => Client::connect_to(Door::Socket(socket)).await.ok(),
        None => Some(Admin::connect(runtime_dir).await.ok()?.client()),
    }
}
