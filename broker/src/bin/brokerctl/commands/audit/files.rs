//! The record's files, read without a broker. They belong to the person who runs this.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use authbroker_client::wire::{audit::Entry, places};

use crate::args::Place;
use crate::failure::Failure;

/// The folder of the record.
pub(super) fn folder(place: &Place) -> Result<PathBuf, Failure> {
    let state = place.state_dir.clone().or_else(places::state_dir);
    let state = state.ok_or_else(|| Failure::File("there is no state folder".to_owned()))?;
    Ok(state.join("audit"))
}

/// Its files in their order, the lines that wait last.
pub(super) fn parts(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| unreadable(folder, &error))?,
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_part = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "jsonl");
    let mut parts: Vec<_> = paths.filter(is_part).collect();
    parts.sort();
    Ok(parts)
}

/// The lines of a file. What is no line is told as such.
pub(super) fn entries(path: &Path) -> Result<Vec<Entry>, Failure> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().filter(|line| !line.is_empty());
    Ok(lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| no_line())).collect())
}

fn no_line() -> Entry {
    Entry { event: "unreadable".to_owned(), ..Entry::default() }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::File(format!("{} cannot be read: {error}", path.display()))
}
