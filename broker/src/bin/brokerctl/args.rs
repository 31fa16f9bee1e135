//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::ArgValueCandidates;

use crate::complete;

mod around;
mod audit;
mod credential;
mod exec;
mod policy;
mod provider;
mod socket;
mod wanted;

pub(crate) use self::around::{Completions, Man, Shell};
pub(crate) use self::audit::Audit;
pub(crate) use self::credential::{Aws, CredentialCommand};
pub(crate) use self::exec::Exec;
pub(crate) use self::policy::{Answer, GrantsCommand, Why};
pub(crate) use self::provider::{Add, Entry, ProviderCommand, Register};
pub(crate) use self::socket::{Create, SocketCommand};
pub(crate) use self::wanted::Wanted;

/// Signs in and out, gives tokens, and tells how the broker is.
#[derive(Debug, Parser)]
#[command(
    name = "brokerctl",
    version,
    after_long_help = "\
Exit codes: 0 done; 1 failed otherwise; 2 wrong use; 3 a person must act; 4 refused; 5 the provider cannot be \
reached; 6 no broker is running; 7 the configuration is wrong; 8 the vault is locked or broken."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Answer in JSON: one document, or one object a line where more than one comes
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the broker is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Place {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", env = "AUTHBROKER_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where the broker's sockets are
    #[arg(long, global = true, value_name = "DIR", env = "AUTHBROKER_RUNTIME_DIR")]
    pub(crate) runtime_dir: Option<PathBuf>,
    /// Where the broker's vault is
    #[arg(long, global = true, value_name = "DIR", env = "AUTHBROKER_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// One socket for apps to speak to, instead of the admin socket
    #[arg(long, global = true, value_name = "PATH", env = "AUTHBROKER_SOCKET")]
    pub(crate) socket: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign in
    Login(Login),
    /// Sign out: revoke at the provider, end the session there, forget here
    Logout(Logout),
    /// List the accounts
    Accounts,
    /// Print an access token
    Token(Token),
    /// Print the request headers for one call to an API
    Headers(Headers),
    /// Run a program with an access token in its environment
    Exec(Exec),
    /// Answer a tool that asks its credential helper
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// How the broker sees this program
    Whoami,
    /// Answer in this terminal what apps ask for; with --json, from a script
    Agent,
    /// How the broker is
    Status,
    /// What on this machine is wrong or missing, and what helps
    Doctor,
    /// Tell what happens to the accounts and what is given to whom, as it happens
    Monitor,
    /// Have the broker read its configuration again
    Reload,
    /// About the places where people sign in; no daemon is needed
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// About the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Open the vault: with its passphrase, or with what the keyring asks for
    Unlock,
    /// Lock the vault: nobody gets a token until it is unlocked
    Lock,
    /// Why an app may have a token, or may not, and what would change that
    Why(Why),
    /// List the apps that have asked
    Apps,
    /// What people have answered about apps
    Grants {
        #[command(subcommand)]
        command: Option<GrantsCommand>,
    },
    /// About the vault
    #[command(subcommand)]
    Vault(VaultCommand),
    /// About sockets for containers and remote shells
    #[command(subcommand)]
    Socket(SocketCommand),
    /// The record of who was given what; what its chain promises, --verify checks
    Audit(Audit),
    /// Print the script with which a shell completes command lines
    Completions(Completions),
    /// Write the manual pages into a folder
    Man(Man),
}

#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// How the vault is, after a look at every record
    Status,
    /// Seal every record with a new key
    Rekey(Rekey),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rekey {
    /// Choose another passphrase too
    #[arg(long)]
    pub(crate) new_passphrase: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration, without a daemon
    Check,
    /// Show what is in force, and which file and line says so
    Show,
    /// Print the configuration's JSON Schema, for editors
    Schema,
}

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "fields are named as the options are")]
pub(crate) struct Login {
    /// The provider, or an account to sign in again
    #[arg(add = ArgValueCandidates::new(complete::accounts_and_providers))]
    pub(crate) provider: Option<String>,
    /// Print the address instead of opening a browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Print an address and a code for it: sign in there on any device
    #[arg(long)]
    pub(crate) device: bool,
    /// Where there is a code to type, open its page here, too
    #[arg(long, conflicts_with = "no_browser")]
    pub(crate) open: bool,
    /// A scope beyond the configured ones
    #[arg(long = "scope", value_name = "S")]
    pub(crate) scopes: Vec<String>,
    /// An API that tokens will be asked for
    #[arg(long = "resource", value_name = "R")]
    pub(crate) resources: Vec<String>,
    /// OpenID Connect's prompt: login, consent or select_account
    #[arg(long, value_name = "P")]
    pub(crate) prompt: Option<String>,
    /// The authentication context wanted
    #[arg(long = "acr", value_name = "A")]
    pub(crate) acr: Vec<String>,
    /// Who will sign in
    #[arg(long, value_name = "H")]
    pub(crate) login_hint: Option<String>,
    /// How long to wait for the person, for example 2m
    #[arg(long, value_name = "DUR", value_parser = seconds)]
    pub(crate) timeout: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Logout {
    /// The account: its id, its provider, or its username
    #[arg(add = ArgValueCandidates::new(complete::accounts))]
    pub(crate) account: Option<String>,
    /// Every account
    #[arg(long, conflicts_with = "account")]
    pub(crate) all: bool,
    /// Only forget, without telling the provider
    #[arg(long)]
    pub(crate) local: bool,
    /// Print the address that ends the browser's session instead of opening it
    #[arg(long)]
    pub(crate) no_browser: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Token {
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// How long it must be valid, for example 5m
    #[arg(long, value_name = "DUR", value_parser = seconds)]
    pub(crate) min_ttl: Option<u32>,
    /// Renew it first
    #[arg(long)]
    pub(crate) force: bool,
    /// Sign in first, if need be
    #[arg(long)]
    pub(crate) interactive: bool,
    /// Print an Authorization header line
    #[arg(long)]
    pub(crate) header: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Headers {
    /// The request's method, for example GET
    pub(crate) method: String,
    /// Its address, which decides the API where none is named
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
}

/// Reads "90s" or "5m" as seconds.
fn seconds(text: &str) -> Result<u32, String> {
    let duration: jiff::SignedDuration =
        text.parse().map_err(|error: jiff::Error| error.to_string())?;
    u32::try_from(duration.as_secs())
        .map_err(|_| "it must be positive, and shorter than a century".to_owned())
}
