//! What can be said about who may have what.

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct Why {
    /// The app, for example flatpak:org.acme.Mail or exe:/usr/bin/curl
    pub(crate) app: String,
    /// An API; left out, the provider's default one
    pub(crate) resource: Vec<String>,
    /// The account: its id, its provider, or its username
    #[arg(long, value_name = "A")]
    pub(crate) account: Option<String>,
    /// A scope; left out, all that were granted
    #[arg(long = "scope", value_name = "S")]
    pub(crate) scopes: Vec<String>,
}

#[derive(Debug, Default, Subcommand)]
pub(crate) enum GrantsCommand {
    /// List what people have answered
    #[default]
    List,
    /// Let an app have tokens without a question
    Allow(Answer),
    /// Refuse tokens to an app without a question
    Deny(Answer),
    /// Take an answer back, by its number, or all about an app
    Revoke {
        /// The number, or the app
        which: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Answer {
    /// The app, for example flatpak:org.acme.Mail or exe:/usr/bin/curl
    pub(crate) app: String,
    /// The account: its id, its provider, or its username; left out, every account
    #[arg(long, value_name = "A")]
    pub(crate) account: Option<String>,
    /// An API; left out, every one
    #[arg(long = "resource", value_name = "R")]
    pub(crate) resources: Vec<String>,
    /// A scope; left out, every one
    #[arg(long = "scope", value_name = "S")]
    pub(crate) scopes: Vec<String>,
    /// For how long, for example 8h; left out, until it is revoked
    #[arg(long = "for", value_name = "DUR", value_parser = super::seconds)]
    pub(crate) lasts: Option<u32>,
}
