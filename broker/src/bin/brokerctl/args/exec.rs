//! What can be said of a program that is to have a token.

use std::ffi::OsString;

use super::Wanted;

#[derive(Debug, clap::Args)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// How long the token must be valid, for example 5m
    #[arg(long, value_name = "DUR", value_parser = super::seconds)]
    pub(crate) min_ttl: Option<u32>,
    /// The program, and what it is to be told
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}
