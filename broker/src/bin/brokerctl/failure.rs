//! What ends a command other than success.

use authbroker::config::ConfigError;

/// A command's failure: a sentence, a way out, an exit code (contract §4).
#[derive(Debug)]
pub(crate) enum Failure {
    /// The broker, or the way to it.
    Client(authbroker_client::Error),
    /// The configuration.
    Config(ConfigError),
    /// What is to be printed cannot be written.
    Output(std::io::Error),
}

impl From<authbroker_client::Error> for Failure {
    fn from(error: authbroker_client::Error) -> Self {
        Self::Client(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Client(error) => error.exit_code(),
            Self::Config(_) => 7,
            Self::Output(_) => 1,
        }
    }

    /// The error's name, where it has one.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Client(error) => {
                error.code().map_or("NoBroker", authbroker_client::ErrorCode::name)
            }
            Self::Config(_) => "ConfigInvalid",
            Self::Output(_) => "Internal",
        }
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Self::Client(error) => error.to_string(),
            Self::Config(error) => error.to_string(),
            Self::Output(error) => format!("the output cannot be written: {error}"),
        }
    }

    pub(crate) fn hint(&self) -> &str {
        match self {
            Self::Client(error) => error.hint(),
            Self::Config(_) => "mend the file, then run brokerctl config check again",
            Self::Output(_) => "check where the output goes",
        }
    }
}
