//! A look at this machine, for a person whose broker does not do what it should: what is wrong, and
//! what helps. It needs no daemon, changes nothing, and asks nobody for a secret.
//!
//! | file | what it looks at |
//! | --- | --- |
//! | `files` | folders, sockets and secrets that others could use, and who holds a folder |
//! | `machine` | the kernel, the session bus, the keyring |
//! | `providers` | what answers where people sign in, and the way back from there |

mod files;
mod machine;
mod providers;

use std::path::PathBuf;

use futures_util::future::join_all;

use crate::config::{self, ConfigError, ProviderSettings, Settings, VaultKey};
pub use crate::setup::{Finding, Grade};

/// Where to look.
#[derive(Debug, Clone)]
pub struct Places {
    /// The user's configuration file.
    pub config: Option<PathBuf>,
    /// Whether that file was named, and so must exist.
    pub config_named: bool,
    /// Sockets and locks.
    pub runtime_dir: Option<PathBuf>,
    /// The vault.
    pub state_dir: Option<PathBuf>,
}

/// What was found about one thing: the machine, or a provider by its name.
#[derive(Debug, Clone)]
pub struct Section {
    /// What it is about.
    pub name: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Looks at everything. It takes as long as the slowest provider: ten seconds at most.
pub async fn examine(places: &Places) -> Vec<Section> {
    let (settings, mut findings) = read(places);
    findings.extend(files::look(places, settings.as_ref()));
    findings.push(machine::kernel());
    let keyring = settings.as_ref().is_some_and(|known| known.vault_key == VaultKey::Keyring);
    findings.extend(machine::bus_and_keyring(keyring).await);
    let mut sections = vec![Section { name: "this machine".to_owned(), findings }];
    let providers = settings.iter().flat_map(|settings| settings.providers.values());
    sections.extend(join_all(providers.map(provider)).await);
    sections
}

/// Who else holds a folder of ours, where no broker answers.
pub fn holder(places: &Places) -> Option<Finding> {
    files::holder(places)
}

async fn provider(settings: &ProviderSettings) -> Section {
    Section { name: settings.name.to_string(), findings: providers::look(settings).await }
}

/// The settings, unless they are wrong.
fn read(places: &Places) -> (Option<Settings>, Vec<Finding>) {
    let about = "configuration";
    let loaded = config::load(places.config.as_deref(), places.config_named);
    match loaded {
        Ok(settings) if settings.providers.is_empty() => {
            let text = "no provider is configured: nobody can sign in";
            let cure = "brokerctl provider add ISSUER --client-id ID";
            (Some(settings), vec![Finding::problem(about, text, cure)])
        }
        Ok(settings) => (Some(settings), vec![Finding::good(about, "right")]),
        Err(error) => (None, mistakes(about, &error)),
    }
}

fn mistakes(about: &'static str, error: &ConfigError) -> Vec<Finding> {
    let cure = "mend the file, then: brokerctl reload";
    error.problems().iter().map(|problem| Finding::problem(about, problem, cure)).collect()
}
