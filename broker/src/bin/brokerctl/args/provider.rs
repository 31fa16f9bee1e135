//! What can be said of providers.

use std::path::PathBuf;

use authbroker::config::Flow;
use clap::Subcommand;
use clap_complete::ArgValueCandidates;

use crate::complete;

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// Add a provider that knows this client already
    Add(Add),
    /// Have a provider register a client, and add it
    Register(Register),
    /// List the providers
    List,
    /// Look at a provider, or at all of them, and tell what is wrong
    Check {
        /// The provider's name
        #[arg(add = ArgValueCandidates::new(complete::providers))]
        provider: Option<String>,
    },
}

/// What every new entry says.
#[derive(Debug, clap::Args)]
pub(crate) struct Entry {
    /// The provider's issuer identifier, letter for letter
    pub(crate) issuer: String,
    /// What to call it here
    #[arg(long, value_name = "N")]
    pub(crate) name: Option<String>,
    /// A scope beyond the usual ones
    #[arg(long = "scope", value_name = "S")]
    pub(crate) scopes: Vec<String>,
    /// An API that tokens are for; the first is the default one
    #[arg(long = "resource", value_name = "R")]
    pub(crate) resources: Vec<String>,
    /// A port for the way back from the browser, where any free one will not do
    #[arg(long = "port", value_name = "P")]
    pub(crate) ports: Vec<u16>,
    /// Certificates of a provider that the machine's own roots do not know, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// How sign-ins go: browser, device or client_credentials
    #[arg(long, value_name = "F", value_parser = flow, default_value = "browser")]
    pub(crate) flow: Flow,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    pub(crate) entry: Entry,
    /// Who this client is to the provider
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: String,
    /// A private file with the client's secret
    #[arg(long, value_name = "FILE", conflicts_with = "key_file")]
    pub(crate) secret_file: Option<PathBuf>,
    /// A private file with the client's private key, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Register {
    #[command(flatten)]
    pub(crate) entry: Entry,
    /// What people are shown when they are asked to agree
    #[arg(long, value_name = "TEXT", default_value = "authbroker")]
    pub(crate) client_name: String,
    /// A file with the provider's leave to register; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) initial_access_token: Option<PathBuf>,
}

fn flow(text: &str) -> Result<Flow, String> {
    match text {
        "browser" => Ok(Flow::Browser),
        "device" => Ok(Flow::Device),
        "client_credentials" => Ok(Flow::ClientCredentials),
        _ => Err("say browser, device or client_credentials".to_owned()),
    }
}
