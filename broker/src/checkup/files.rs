//! Files that should be their owner's alone.

use std::io::ErrorKind;
use std::path::Path;

use super::{Finding, Places};
use crate::config::{Settings, VaultKey};
use crate::platform::{self, Exposure};

/// What nobody else may do with a secret, a socket or a folder of ours.
const ANYTHING: u32 = 0o077;
/// What nobody else may do with the configuration. Reading it is harmless.
const CHANGE: u32 = 0o022;

pub(super) fn look(places: &Places, settings: Option<&Settings>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(config) = &places.config {
        findings.extend(exposed("configuration", config, CHANGE, "chmod go-w"));
    }
    if let Some(state) = &places.state_dir {
        findings.extend(exposed("state folder", state, ANYTHING, "chmod 700"));
    }
    if let Some(runtime) = &places.runtime_dir {
        findings.extend(exposed("runtime folder", runtime, ANYTHING, "chmod 700"));
        for socket in ["broker.sock", "admin.sock"] {
            findings.extend(exposed("socket", &runtime.join(socket), ANYTHING, "chmod 600"));
        }
    }
    findings.extend(settings.and_then(vault_key));
    if findings.is_empty() {
        findings.push(Finding::good("files", "nobody else can use them"));
    }
    findings
}

/// The vault's key, where it is in a file. What a client proves itself with, its provider's section
/// tells about.
fn vault_key(settings: &Settings) -> Option<Finding> {
    let VaultKey::File(path) = &settings.vault_key else { return None };
    match platform::read_private_file(path) {
        // One that is missing is made, or missed by the vault itself.
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let cure = format!("chmod 600 {}, and chown it to you", path.display());
            Some(Finding::problem("vault key", error.to_string(), cure))
        }
        _ => None,
    }
}

fn exposed(about: &'static str, path: &Path, mask: u32, cure: &str) -> Option<Finding> {
    let shown = path.display();
    let exposure = match platform::exposure(path, mask) {
        Ok(exposure) => exposure?,
        // What is not there yet will be made as it should be.
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => {
            let cure = "check the folders on the way there";
            return Some(Finding::problem(about, format!("{shown}: {error}"), cure));
        }
    };
    Some(match exposure {
        Exposure::Mode(mode) => {
            let text = format!("{shown} has mode {mode:04o}: others can use it");
            Finding::problem(about, text, format!("{cure} {shown}"))
        }
        Exposure::Owner(uid) => {
            let text = format!("{shown} belongs to user {uid}");
            Finding::problem(about, text, format!("chown it to you, or name another one: {shown}"))
        }
    })
}

/// Another broker that has a folder of ours, where none answers at its socket.
pub(super) fn holder(places: &Places) -> Option<Finding> {
    let folders = [&places.state_dir, &places.runtime_dir];
    folders.into_iter().flatten().find_map(|folder| {
        let pid = platform::lock_holder(folder)?;
        let text = format!(
            "process {pid} holds {}, and does not answer in the place where brokers do",
            folder.display()
        );
        let cure = format!("find it: ps {pid}; then say --runtime-dir as it was told, or end it");
        Some(Finding::problem("broker", text, cure))
    })
}
