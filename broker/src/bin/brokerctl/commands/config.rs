//! `brokerctl config check`: whether a configuration is right, without a daemon.

use std::path::PathBuf;

use authbroker::config;
use serde_json::json;

use crate::failure::Failure;
use crate::print::Printer;

pub(crate) fn check(file: Option<PathBuf>, printer: &Printer) -> Result<(), Failure> {
    let named = file.is_some();
    let path = config::user_file(file);
    let settings = config::load(path.as_deref(), named).map_err(Failure::Config)?;
    let shown = path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let providers: Vec<_> = settings.providers.keys().map(ToString::to_string).collect();
    if printer.json() {
        printer.document(&json!({"config": shown, "providers": providers, "vault": settings.vault_key.describe()}))?;
        return Ok(());
    }
    let missing = path.as_ref().is_some_and(|path| !path.exists());
    printer.line(&format!(
        "{shown}{}",
        if missing { " does not exist; the defaults hold" } else { " is right" }
    ))?;
    printer.line(&format!(
        "providers: {}",
        if providers.is_empty() { "none".to_owned() } else { providers.join(", ") }
    ))?;
    printer.line(&format!("vault key: {}", settings.vault_key.describe()))?;
    Ok(())
}
