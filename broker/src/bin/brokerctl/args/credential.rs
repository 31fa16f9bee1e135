//! What tools say that ask for credentials.

use std::path::PathBuf;

use clap::Subcommand;
use url::Url;

use super::Wanted;

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialCommand {
    /// As a credential helper of git
    #[command(
        after_help = "git config --global credential.https://HOST.helper '!brokerctl credential git'"
    )]
    Git {
        /// What git asks: get, store or erase
        operation: String,
    },
    /// As a credential plugin of kubectl and its kin
    #[command(
        after_help = "In the kubeconfig: exec = { command: brokerctl, args: [credential, kubernetes, ACCOUNT] }"
    )]
    Kubernetes(Wanted),
    /// As a credential helper of docker
    #[command(
        after_help = "Link it: ln -s \"$(command -v brokerctl)\" ~/.local/bin/docker-credential-authbroker"
    )]
    Docker {
        /// What docker asks: get, list, store or erase
        operation: String,
    },
    /// As a credential_process of the AWS tools
    #[command(
        after_help = "In ~/.aws/config: credential_process = brokerctl credential aws --role-arn ARN ACCOUNT"
    )]
    Aws(Aws),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Aws {
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// The role whose keys are wanted
    #[arg(long, value_name = "ARN")]
    pub(crate) role_arn: String,
    /// What the session is called in the cloud's record
    #[arg(long, value_name = "NAME", default_value = "authbroker")]
    pub(crate) session_name: String,
    /// How long the keys shall last, for example 1h
    #[arg(long, value_name = "DUR", value_parser = super::seconds)]
    pub(crate) duration: Option<u32>,
    /// Where the token is exchanged
    #[arg(long, value_name = "URL", default_value = "https://sts.amazonaws.com/")]
    pub(crate) sts_endpoint: Url,
    /// Certificates that are trusted there besides the machine's own roots, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}
