//! What is in force, and who says so: every key with its file and line, and every default that no
//! file changes. No value is a secret: the configuration names where they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use authbroker_core::policy::Decision;
use serde::Serialize;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::settings::{Flow, Settings, Target, Use};
use super::{ConfigError, line_of, load, system_files};

/// One key that is in force.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// The key, from the top: `provider.acme.issuer`.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// The file that says so; none for a default.
    pub file: Option<PathBuf>,
    /// The line there, from 1.
    pub line: Option<usize>,
}

/// Where a key is said.
#[derive(Clone)]
struct Said {
    value: Value,
    file: PathBuf,
    line: usize,
}

/// Every key that is in force, by name. A wrong configuration is none.
pub fn effective(user: Option<&Path>, named: bool) -> Result<Vec<Shown>, ConfigError> {
    let settings = load(user, named)?;
    let mut said = BTreeMap::new();
    for file in system_files().into_iter().chain(user.map(Path::to_path_buf)) {
        // One that cannot be read by now has just been removed.
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        if let (Ok(table), Ok(places)) = (toml::from_str::<Table>(&text), DeTable::parse(&text)) {
            collect(&File { path: &file, text: &text }, "", &table, places.get_ref(), &mut said);
        }
    }
    let mut shown: BTreeMap<_, _> = defaults(&settings)
        .into_iter()
        .map(|(key, value)| (key.clone(), default(key, value)))
        .collect();
    shown.extend(said.into_iter().map(|(key, said)| (key.clone(), written(key, said))));
    Ok(shown.into_values().collect())
}

fn default(key: String, value: Value) -> Shown {
    Shown { key, value, file: None, line: None }
}

fn written(key: String, said: Said) -> Shown {
    Shown { key, value: said.value, file: Some(said.file), line: Some(said.line) }
}

/// A file that says something.
struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

/// Takes down what one table says, over what was said before.
fn collect(
    file: &File<'_>,
    above: &str,
    table: &Table,
    places: &DeTable<'_>,
    said: &mut BTreeMap<String, Said>,
) {
    for (name, place) in places {
        let Some(value) = table.get(name.get_ref().as_ref()) else { continue };
        let key = format!("{above}{}", quoted(name.get_ref()));
        match (value, place.get_ref()) {
            (Value::Table(inner), DeValue::Table(places)) => {
                collect(file, &format!("{key}."), inner, places, said);
            }
            // Rules are added to those of other files, and never replace one.
            (Value::Array(rules), DeValue::Array(places)) if key == "rule" => {
                for (rule, place) in rules.iter().zip(places.iter()) {
                    let count = said.keys().filter(|key| key.starts_with("rule[")).count();
                    let place = file.says(rule, place.span().start);
                    said.insert(format!("rule[{count}]"), place);
                }
            }
            _ => {
                said.insert(key, file.says(value, name.span().start));
            }
        }
    }
}

impl File<'_> {
    fn says(&self, value: &Value, at: usize) -> Said {
        let line = line_of(self.text, at);
        Said { value: value.clone(), file: self.path.to_path_buf(), line }
    }
}

/// A name as it would stand in a dotted key.
fn quoted(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

/// What holds where no file says anything.
fn defaults(settings: &Settings) -> Vec<(String, Value)> {
    let mut defaults = vec![
        ("vault.key".to_owned(), Value::from(settings.vault_key.describe())),
        ("refresh.ahead".to_owned(), Value::from(duration(settings.ahead))),
        ("policy.unverified".to_owned(), Value::from(decision(settings.policy.unverified))),
        ("policy.verified".to_owned(), Value::from(decision(settings.policy.verified))),
    ];
    for (name, provider) in &settings.providers {
        let at = |key: &str| format!("provider.{name}.{key}");
        defaults.extend([
            (at("scopes"), Value::from(provider.scopes.to_words())),
            (at("flow"), Value::from(flow(provider.flow))),
            (at("target"), Value::from(target(provider.target))),
            (at("dpop"), Value::from(word(provider.dpop))),
            (at("par"), Value::from(word(provider.par))),
        ]);
    }
    defaults
}

fn duration(time: Duration) -> String {
    let time = jiff::SignedDuration::try_from(time).unwrap_or_default();
    format!("{time:#}")
}

const fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Ask => "ask",
        Decision::Deny => "deny",
    }
}

const fn flow(flow: Flow) -> &'static str {
    match flow {
        Flow::Browser => "browser",
        Flow::Device => "device",
        Flow::ClientCredentials => "client_credentials",
    }
}

const fn target(target: Target) -> &'static str {
    match target {
        Target::Resource => "resource",
        Target::Audience => "audience",
        Target::None => "none",
    }
}

const fn word(when: Use) -> &'static str {
    match when {
        Use::Auto => "auto",
        Use::Always => "always",
        Use::Never => "never",
    }
}
