//! What `brokerd` can be told on its command line.

use std::path::PathBuf;

use clap::Parser;

/// A local OAuth 2 and OpenID Connect broker: signs people in, keeps their refresh tokens, and
/// gives access tokens to their apps.
#[derive(Debug, Parser)]
#[command(name = "brokerd", version)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the sockets are
    #[arg(long, value_name = "DIR")]
    pub runtime_dir: Option<PathBuf>,
    /// Where the vault is
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Serve the sockets only, even where there is a session bus
    #[arg(long)]
    pub no_dbus: bool,
    /// Write one byte to this descriptor when every door is open
    #[arg(long, value_name = "N")]
    pub ready_fd: Option<i32>,
    /// What to log, for example "debug"
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
}
