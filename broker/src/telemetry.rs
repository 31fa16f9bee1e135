//! Logs: to standard error, or to the journal's side of it. No secret type can be printed.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::env;

/// What is logged unless somebody says otherwise.
const USUAL: &str = "info,zbus=warn,hyper=warn,reqwest=warn";

/// What no filter changes: this crate logs the addresses that it opens, secrets and all.
const ALWAYS: &str = "webbrowser=off";

/// A filter that does not parse.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no log filter; say for example debug, or authbroker=debug,warn")]
pub struct BadFilter(String);

/// Begins to log.
pub fn start(filter: Option<&str>) -> Result<(), BadFilter> {
    let from_environment = env::text(env::LOG);
    let text = filter.or(from_environment.as_deref()).unwrap_or(USUAL);
    let filter = EnvFilter::try_new(format!("{text},{ALWAYS}"));
    let filter = filter.map_err(|_| BadFilter(text.to_owned()))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if env::logs_to_journal() {
        builder.without_time().init();
    } else {
        builder.init();
    }
    Ok(())
}
