//! `brokerctl config`: whether a configuration is right, what it means, and what it may say. None of
//! it needs a daemon.

use std::path::PathBuf;

use authbroker::config::{self, Shown};
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

/// What is in force, and which file and line says so.
pub(crate) fn show(file: Option<PathBuf>, printer: &Printer) -> Result<(), Failure> {
    let named = file.is_some();
    let shown = config::effective(config::user_file(file).as_deref(), named);
    let shown = shown.map_err(Failure::Config)?;
    if printer.json() {
        printer.document(&shown)?;
        return Ok(());
    }
    let from = |shown: &Shown| match (&shown.file, shown.line) {
        (Some(file), Some(line)) => format!("{}:{line}", file.display()),
        _ => "default".to_owned(),
    };
    let row = |shown: &Shown| vec![shown.key.clone(), shown.value.to_string(), from(shown)];
    let rows: Vec<_> = shown.iter().map(row).collect();
    printer.table(&["KEY", "VALUE", "SAID BY"], &rows)?;
    Ok(())
}

/// The configuration's JSON Schema, for editors.
pub(crate) fn schema(printer: &Printer) -> Result<(), Failure> {
    let schema = serde_json::to_string_pretty(&config::schema()).map_err(std::io::Error::from)?;
    printer.line(&schema)?;
    Ok(())
}
