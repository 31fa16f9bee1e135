//! What apps say of themselves: `authbroker/apps/APPID.toml` in the folders for data.
//!
//! A manifest only ever takes away, so it does not matter who wrote it: where several folders have
//! one for an app, all of them hold. One that cannot be read lets nothing through, and says so in
//! the log: a limit must not vanish by a mistake in it.

use std::fs;
use std::path::{Path, PathBuf};

use authbroker_client::wire::places;
use authbroker_core::failure::printable;
use authbroker_core::policy::{Manifest, Reach};
use authbroker_core::resource::Resources;
use authbroker_core::scope::ScopeSet;
use serde::Deserialize;

use super::{env, explain, rules};

/// The folder in each of the folders for data.
const FOLDER: &str = "authbroker/apps";
/// Where data lies that is not the user's own (XDG Base Directory Specification).
const DATA_DIRS: &str = "/usr/local/share:/usr/share";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    app: Option<rules::App>,
    resources: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    reason: Option<String>,
}

/// Every manifest of this machine and this user.
pub(super) fn all() -> Vec<Manifest> {
    folders().iter().flat_map(|folder| in_folder(folder)).collect()
}

fn folders() -> Vec<PathBuf> {
    let own = places::project().map(|project| project.data_dir().join("apps"));
    let dirs = env::path(env::DATA_DIRS).unwrap_or_else(|| DATA_DIRS.into());
    let shared = std::env::split_paths(&dirs).filter(|dir| dir.is_absolute());
    own.into_iter().chain(shared.map(|dir| dir.join(FOLDER))).collect()
}

pub(super) fn in_folder(folder: &Path) -> Vec<Manifest> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_toml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let mut files: Vec<_> = files.filter(is_toml).collect();
    files.sort();
    files.iter().filter_map(|path| one(path)).collect()
}

fn one(path: &Path) -> Option<Manifest> {
    let id = path.file_stem()?.to_str()?.to_owned();
    Some(read(path, &id).unwrap_or_else(|problem| {
        tracing::warn!("this app is given nothing until its manifest is mended: {problem}");
        let nothing =
            Reach { resources: Some(Resources::new()), scopes: Some(ScopeSet::default()) };
        Manifest { file: name_of(path), id, app: None, reach: nothing, reason: None }
    }))
}

fn read(path: &Path, id: &str) -> Result<Manifest, String> {
    let at = |problem: String| format!("{}: {problem}", path.display());
    let text = fs::read_to_string(path).map_err(|error| at(error.to_string()))?;
    let file: File = toml::from_str(&text).map_err(|error| explain(path, &text, &error))?;
    let reach = rules::reach(file.resources.as_deref(), file.scopes.as_deref()).map_err(at)?;
    let app = file.app.map(rules::App::matcher).transpose().map_err(at)?;
    let reason = file.reason.map(|reason| printable(&reason));
    Ok(Manifest { file: name_of(path), id: id.to_owned(), app, reach, reason })
}

fn name_of(path: &Path) -> std::sync::Arc<str> {
    path.display().to_string().into()
}
