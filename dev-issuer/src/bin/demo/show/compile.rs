//! Has cargo build the other programs, beside this one and in the same way.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tokio::process::Command;

use super::narrator::Narrator;

/// Each program and its package.
const PROGRAMS: [(&str, &str); 5] = [
    ("dev-issuer", "dev-issuer"),
    ("brokerd", "authbroker"),
    ("brokerctl", "authbroker"),
    ("private-api", "private-api"),
    ("demo-gui", "demo-gui"),
];

/// The folder with the programs.
pub(super) struct Programs(PathBuf);

impl Programs {
    /// A command that runs the program of this name. The person's own settings for our programs
    /// stay out of it.
    pub(super) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.0.join(name));
        let ours = |name: &OsString| name.as_encoded_bytes().starts_with(b"AUTHBROKER_");
        for name in env::vars_os().map(|(name, _)| name).filter(ours) {
            command.env_remove(name);
        }
        command
    }

    /// Where the program of this name is, as the kernel will call it.
    pub(super) fn path(&self, name: &str) -> anyhow::Result<PathBuf> {
        self.0.join(name).canonicalize().with_context(|| format!("{name} is nowhere"))
    }
}

/// Builds what is not up to date. Cargo shows its own progress on stderr.
pub(super) async fn build(say: &mut Narrator) -> anyhow::Result<Programs> {
    let own = env::current_exe().context("this program does not know where it is")?;
    let folder = own.parent().context("this program is in no folder")?;
    say.title("\nBuilding");
    say.line("  The first time takes some minutes, for the window most of all.");
    let status = cargo_build(folder).status().await.context("cargo cannot be run")?;
    ensure!(status.success(), "cargo could not build the programs ({status})");
    for (program, _) in PROGRAMS {
        let path = folder.join(program);
        ensure!(path.is_file(), "cargo did not put {program} beside {}", own.display());
    }
    Ok(Programs(folder.to_owned()))
}

/// `folder` is `TARGET/PROFILE`, and `TARGET` may end with a target triple: then cargo, which is
/// not told of the triple, comes to the same folder.
fn cargo_build(folder: &Path) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.arg("build").kill_on_drop(true);
    command.arg("--manifest-path").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    command.arg("--profile").arg(profile(folder));
    if let Some(target) = folder.parent() {
        command.arg("--target-dir").arg(target);
    }
    for (program, package) in PROGRAMS {
        command.args(["--package", package, "--bin", program]);
    }
    command
}

/// The profile that `folder` is of: the folder of profile `dev` has a name of its own.
fn profile(folder: &Path) -> &str {
    match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_names_the_profile() {
        assert_eq!(profile(Path::new("target/debug")), "dev");
        assert_eq!(profile(Path::new("target/release")), "release");
    }
}
