//! `brokerctl socket …`.

use clap::Subcommand;

use super::seconds;

#[derive(Debug, Subcommand)]
pub(crate) enum SocketCommand {
    /// Make a socket that gives these tokens to whoever holds it, and nothing else
    Create(Create),
    /// List the sockets
    List,
    /// Close a socket, and every connection on it
    Close {
        /// Its name
        name: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// What to call it
    pub(crate) name: String,
    /// The account: its id, its provider or its username
    #[arg(long, value_name = "A", default_value = "", hide_default_value = true)]
    pub(crate) account: String,
    /// An API that its tokens are for; left out, the provider's first one
    #[arg(long = "resource", value_name = "R")]
    pub(crate) resources: Vec<String>,
    /// A scope that its tokens may have; left out, all that were granted
    #[arg(long = "scope", value_name = "S")]
    pub(crate) scopes: Vec<String>,
    /// The system's service that its token is a credential of (LoadCredential=): the socket then
    /// gives the token while that service starts, and nothing else to anybody
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<String>,
    /// How long it lasts, for example 8h; left out, until it is closed
    #[arg(long, value_name = "DUR", value_parser = seconds)]
    pub(crate) expires: Option<u32>,
}
