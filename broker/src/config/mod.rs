//! The configuration: files, laid over each other, checked as a whole.
//!
//! 1. `/etc/authbroker/config.toml`, then `/etc/authbroker/conf.d/*.toml`, then the user's file.
//! 2. Each is read by itself first, so that an error names its file and line.
//! 3. Laid over each other by key, the later one wins; [`settings`] makes what the program uses.
//! 4. Rules are not laid over each other: each file's stand behind those of the file before, so that
//!    nobody takes away what the machine's administrator has ruled.

mod client_auth;
mod credential;
mod entry;
pub mod env;
mod file;
mod manifests;
mod rules;
mod schema;
pub mod settings;
mod show;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use authbroker_client::wire::places;
use authbroker_core::policy::Rule;
use toml::Table;

pub use self::credential::{CredentialSettings, Credentials, Scheme};
pub use self::entry::{AddError, NewClientAuth, NewProvider, name_for};
pub use self::schema::schema;
pub use self::settings::{
    ClientAuth, Endpoints, Flow, ProviderSettings, SecretPlace, Settings, Target, Use, VaultKey,
};
pub use self::show::{Shown, effective};

/// The system's configuration.
const SYSTEM_FILE: &str = "/etc/authbroker/config.toml";
/// Files that packages and administrators add to it.
const SYSTEM_FOLDER: &str = "/etc/authbroker/conf.d";

/// What is wrong with a configuration: every problem, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl ConfigError {
    /// The problems, one sentence each.
    pub fn problems(&self) -> &[String] {
        &self.0
    }
}

/// The user's file: `given`, or where the environment says, or in the user's configuration folder.
pub fn user_file(given: Option<PathBuf>) -> Option<PathBuf> {
    let usual = || Some(places::project()?.config_dir().join("config.toml"));
    given.or_else(|| env::path(env::CONFIG)).or_else(usual)
}

/// Reads the system's files and the user's. A missing file is an empty one, unless it was `named`
/// by the user.
pub fn load(user: Option<&Path>, named: bool) -> Result<Settings, ConfigError> {
    settle(user.map(|path| read(path, named)), user)
}

/// What the settings were, if the user's file said `text`.
pub(crate) fn load_text(user: &Path, text: &str) -> Result<Settings, ConfigError> {
    settle(Some(checked(user, text)), Some(user))
}

/// What one file says.
#[derive(Default)]
struct Layer {
    table: Table,
    rules: Vec<Rule>,
}

/// Lays what the user's file says over the system's files.
fn settle(
    above: Option<Result<Layer, Vec<String>>>,
    user: Option<&Path>,
) -> Result<Settings, ConfigError> {
    let (mut whole, mut rules, mut problems) = (Table::new(), Vec::new(), Vec::new());
    let system = system_files();
    for layer in system.iter().map(|path| read(path, false)).chain(above) {
        match layer {
            Ok(mut layer) => {
                rules.append(&mut layer.rules);
                lay_over(&mut whole, layer.table);
            }
            Err(mut wrong) => problems.append(&mut wrong),
        }
    }
    if !problems.is_empty() {
        return Err(ConfigError(problems));
    }
    let mut settings = parse(whole).map_err(|problems| locate(problems, user))?;
    settings.policy.rules = rules;
    settings.policy.manifests = manifests::all();
    Ok(settings)
}

fn system_files() -> Vec<PathBuf> {
    let mut files = vec![PathBuf::from(SYSTEM_FILE)];
    let added = fs::read_dir(SYSTEM_FOLDER).into_iter().flatten().flatten();
    let is_toml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let mut added: Vec<_> = added.map(|entry| entry.path()).filter(is_toml).collect();
    added.sort();
    files.append(&mut added);
    files
}

/// Reads one file.
fn read(path: &Path, required: bool) -> Result<Layer, Vec<String>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => {
            return Ok(Layer::default());
        }
        Err(error) => return Err(vec![format!("{}: {error}", path.display())]),
    };
    checked(path, &text)
}

/// Parses a file's text, and checks it by itself.
fn checked(path: &Path, text: &str) -> Result<Layer, Vec<String>> {
    let wrong = |error: toml::de::Error| vec![explain(path, text, &error)];
    let mut table: Table = toml::from_str(text).map_err(wrong)?;
    let file: file::File = toml::from_str(text).map_err(wrong)?;
    let rules = rules::of_file(path, text, file.rule)?;
    table.remove("rule");
    Ok(Layer { table, rules })
}

fn parse(whole: Table) -> Result<Settings, Vec<String>> {
    let file =
        whole.try_into().map_err(|error: toml::de::Error| vec![error.message().to_owned()])?;
    settings::from_file(file)
}

/// Names the user's file with each problem of the whole: that is where to mend it.
fn locate(problems: Vec<String>, user: Option<&Path>) -> ConfigError {
    let place = user.map_or_else(|| SYSTEM_FILE.to_owned(), |path| path.display().to_string());
    ConfigError(problems.into_iter().map(|problem| format!("{place}: {problem}")).collect())
}

/// Lays a later table over an earlier one, key by key.
fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => lay_over(old, new),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// One line for a person: file, line, what is wrong, and the nearest word that would be right.
fn explain(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let line = line_of(text, error.span().map_or(0, |span| span.start));
    let message = error.message().trim().replace('\n', " ");
    let message = nearest(&message).unwrap_or(message);
    format!("{}:{line}: {message}", path.display())
}

/// The line of a byte, from 1.
fn line_of(text: &str, byte: usize) -> usize {
    text.get(..byte).unwrap_or_default().matches('\n').count() + 1
}

/// Turns serde's list of everything expected into the one word that was probably meant.
fn nearest(message: &str) -> Option<String> {
    let mut words = message.split('`').skip(1).step_by(2);
    let unknown = message.strip_prefix("unknown ")?;
    let kind = if unknown.starts_with("field") { "key" } else { "value" };
    let wrong = words.next()?;
    let close = |known: &&str| strsim::damerau_levenshtein(wrong, known) <= 3;
    let known: Vec<_> = words.collect();
    let best = known
        .iter()
        .copied()
        .filter(close)
        .min_by_key(|known| strsim::damerau_levenshtein(wrong, known));
    Some(match best {
        Some(best) => format!("unknown {kind} `{wrong}`; did you mean `{best}`?"),
        None => format!("unknown {kind} `{wrong}`; known here: {}", known.join(", ")),
    })
}

/// Reads a configuration that somebody made up.
#[cfg(feature = "fuzzing")]
pub fn fuzz(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(layer) = checked(Path::new("config.toml"), text) {
        let _settings = parse(layer.table);
    }
}
