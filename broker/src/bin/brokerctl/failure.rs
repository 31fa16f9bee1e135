//! What ends a command other than success.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use authbroker::config::{AddError, ConfigError};
use authbroker::setup;
use authbroker_client::ErrorCode;

/// A command's failure: a sentence, a way out, an exit code (contract §4).
#[derive(Debug)]
pub(crate) enum Failure {
    /// The broker, or the way to it.
    Client(authbroker_client::Error),
    /// The configuration.
    Config(ConfigError),
    /// A provider was not added to it.
    Add(AddError),
    /// A provider that was asked without a daemon.
    Provider(Box<setup::Failure>),
    /// A provider that the configuration does not have.
    NoProvider(String),
    /// Providers that cannot be used as they are configured. What is wrong has been told.
    Unusable(Vec<String>),
    /// An answer that is not there.
    NoAnswer,
    /// A file that the command line names, or a folder that is missing from it.
    File(String),
    /// A server that no account is configured for.
    NoCredential(String),
    /// A password for such a server, which was to be kept.
    NotKept(String),
    /// A token that is of no use without a proof for each request (RFC 9449).
    Bound {
        /// The account's id.
        account: String,
        /// How its tokens are presented.
        token_type: String,
    },
    /// So many things are wrong on this machine. They have been told.
    Unwell(usize),
    /// A folder that cannot be written to.
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program that cannot be run.
    Program {
        /// Its name, as it was given.
        program: OsString,
        /// Why.
        source: io::Error,
    },
    /// What is to be printed cannot be written.
    Output(io::Error),
    /// What is to be typed cannot be read.
    Input(io::Error),
    /// The audit record is not what was written. What is wrong with it, in a sentence.
    Audit(String),
    /// What was typed cannot be used.
    Use(&'static str),
}

impl From<authbroker_client::Error> for Failure {
    fn from(error: authbroker_client::Error) -> Self {
        Self::Client(error)
    }
}

impl From<setup::Failure> for Failure {
    fn from(failure: setup::Failure) -> Self {
        Self::Provider(Box::new(failure))
    }
}

impl From<AddError> for Failure {
    fn from(error: AddError) -> Self {
        Self::Add(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Client(error) => error.exit_code(),
            Self::Config(_) | Self::Add(AddError::Config(_)) => 7,
            Self::NoCredential(_) => 3,
            Self::Add(AddError::Entry(_) | AddError::Taken(_))
            | Self::NoProvider(_)
            | Self::NoAnswer
            | Self::File(_)
            | Self::Use(_) => 2,
            Self::Provider(failure) => {
                ErrorCode::from_name(failure.code.name()).map_or(1, ErrorCode::exit_code)
            }
            // As shells have it.
            Self::Program { source, .. } if source.kind() == io::ErrorKind::NotFound => 127,
            Self::Program { .. } => 126,
            Self::Add(AddError::Disk { .. })
            | Self::Unusable(_)
            | Self::NotKept(_)
            | Self::Unwell(_)
            | Self::Folder { .. }
            | Self::Bound { .. }
            | Self::Audit(_)
            | Self::Output(_)
            | Self::Input(_) => 1,
        }
    }

    /// The error's name, where it has one.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Client(error) => {
                error.code().map_or("NoBroker", authbroker_client::ErrorCode::name)
            }
            Self::Config(_) | Self::Add(AddError::Config(_)) => "ConfigInvalid",
            Self::Add(AddError::Entry(_) | AddError::Taken(_))
            | Self::NoProvider(_)
            | Self::NoAnswer
            | Self::File(_)
            | Self::Use(_)
            | Self::Program { .. } => "InvalidArgs",
            Self::Provider(failure) => failure.code.name(),
            Self::Unusable(_) => "ProviderError",
            Self::NoCredential(_) => "NoSuchAccount",
            Self::Bound { .. } | Self::NotKept(_) => "NotSupported",
            Self::Audit(_) => "AuditBroken",
            Self::Unwell(_)
            | Self::Folder { .. }
            | Self::Add(AddError::Disk { .. })
            | Self::Output(_)
            | Self::Input(_) => "Internal",
        }
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Self::Client(error) => error.to_string(),
            Self::Config(error) => error.to_string(),
            Self::Add(error) => error.to_string(),
            Self::Provider(failure) => failure.message.clone(),
            Self::NoProvider(name) => format!("the configuration has no provider {name}"),
            Self::Unusable(names) => {
                format!("as it is configured, it cannot be used: {}", names.join(", "))
            }
            Self::NoAnswer => "nobody has answered that".to_owned(),
            Self::File(what) | Self::Audit(what) => what.clone(),
            Self::NoCredential(server) => format!("no account is configured for {server}"),
            Self::NotKept(server) => {
                format!("no account is configured for {server}, and passwords are not kept")
            }
            Self::Bound { account, token_type } => format!(
                "the tokens of {account} are bound to a key ({token_type}): alone they open nothing"
            ),
            Self::Unwell(1) => "one thing is wrong".to_owned(),
            Self::Unwell(count) => format!("{count} things are wrong"),
            Self::Folder { folder, source } => {
                format!("{} cannot be written to: {source}", folder.display())
            }
            Self::Program { program, source } => {
                format!("{} cannot be run: {source}", program.display())
            }
            Self::Output(error) => format!("the output cannot be written: {error}"),
            Self::Input(error) => format!("nothing can be read: {error}"),
            Self::Use(what) => (*what).to_owned(),
        }
    }

    pub(crate) fn hint(&self) -> &str {
        match self {
            Self::Client(error) => error.hint(),
            Self::Config(_) | Self::Add(AddError::Config(_)) => {
                "mend the file, then run brokerctl config check again"
            }
            Self::Add(AddError::Entry(_)) => "brokerctl provider add --help",
            Self::Add(AddError::Taken(_)) => "choose another name: --name NAME",
            Self::Add(AddError::Disk { .. }) => "check the file's owner and the disk",
            Self::Provider(failure) => &failure.hint,
            Self::NoProvider(_) => "brokerctl provider list",
            Self::Unusable(_) | Self::Unwell(_) => "do what stands beside each problem",
            Self::NoAnswer => "brokerctl grants",
            Self::File(_) => "brokerctl provider register --help",
            Self::NoCredential(_) | Self::NotKept(_) => {
                "add [credential.\"HOST\"] to the configuration (brokerctl config schema)"
            }
            Self::Bound { .. } => "brokerctl headers METHOD URL gives a proof along with the token",
            Self::Folder { .. } => "choose a folder of your own",
            Self::Program { .. } => "check the command after --",
            Self::Audit(_) => {
                "keep a copy of that folder: it is the evidence. To begin a new record, stop the broker and move away STATE/audit and STATE/vault/audit-head"
            }
            Self::Output(_) => "check where the output goes",
            Self::Input(_) => "type it on a terminal, or give it on standard input",
            Self::Use(_) => "try again",
        }
    }
}
