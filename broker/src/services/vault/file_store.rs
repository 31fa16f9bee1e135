//! Where sealed records lie: a folder with one file each, or memory.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use authbroker_core::ids::AccountId;

use super::VaultError;
use crate::platform;
use crate::platform::fault_point::{FaultPoint, attempt};

/// The ending of a record's file.
const ENDING: &str = "record";
/// The ending of a note that a record's refresh token is in use.
const NOTE: &str = "in-use";
/// How a file begins that is not finished yet.
const UNFINISHED: &str = ".new-";

/// The records, by account.
#[derive(Debug)]
pub(super) enum Store {
    /// One file each.
    Files(PathBuf),
    /// Gone with the process.
    Memory(Mutex<BTreeMap<AccountId, Vec<u8>>>),
}

impl Store {
    pub(super) fn memory() -> Self {
        Self::Memory(Mutex::default())
    }

    /// Opens a folder, made if missing, and clears away what a crash left unfinished.
    pub(super) fn files(folder: PathBuf) -> Result<Self, VaultError> {
        platform::private_folder(&folder).map_err(|error| VaultError::disk(&folder, error))?;
        clear_unfinished(&folder).map_err(|error| VaultError::disk(&folder, error))?;
        Ok(Self::Files(folder))
    }

    pub(super) fn is_empty(&self) -> Result<bool, VaultError> {
        Ok(self.list()?.is_empty())
    }

    /// Every record's name, and its bytes or why they cannot be read.
    #[expect(clippy::type_complexity, reason = "each record fails for itself")]
    pub(super) fn list(&self) -> Result<Vec<(String, Result<Vec<u8>, VaultError>)>, VaultError> {
        match self {
            Self::Files(folder) => {
                list_files(folder).map_err(|error| VaultError::disk(folder, error))
            }
            Self::Memory(records) => {
                let records = records.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(records.iter().map(|(id, bytes)| (id.to_string(), Ok(bytes.clone()))).collect())
            }
        }
    }

    pub(super) fn read(&self, id: &AccountId) -> Result<Option<Vec<u8>>, VaultError> {
        match self {
            Self::Files(folder) => {
                let path = path_of(folder, id);
                match fs::read(&path) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(VaultError::disk(&path, error)),
                }
            }
            Self::Memory(records) => {
                Ok(records.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned())
            }
        }
    }

    pub(super) fn write(&self, id: &AccountId, bytes: &[u8]) -> Result<(), VaultError> {
        match self {
            Self::Files(folder) => {
                let path = path_of(folder, id);
                // The record first: a note without its use costs one careful repeat, a use
                // without its note could cost the sign-in.
                replace(folder, &path, bytes)
                    .and_then(|()| remove(folder, &note_of(folder, id)))
                    .and_then(|()| attempt(FaultPoint::NoteRemoved))
                    .map_err(|error| VaultError::disk(&path, error))
            }
            Self::Memory(records) => {
                records
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(id.clone(), bytes.to_vec());
                Ok(())
            }
        }
    }

    pub(super) fn remove(&self, id: &AccountId) -> Result<(), VaultError> {
        match self {
            Self::Files(folder) => {
                let path = path_of(folder, id);
                remove(folder, &path)
                    .and_then(|()| attempt(FaultPoint::RecordRemoved))
                    .and_then(|()| remove(folder, &note_of(folder, id)))
                    .map_err(|error| VaultError::disk(&path, error))
            }
            Self::Memory(records) => {
                records.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
                Ok(())
            }
        }
    }

    /// Notes that a record's refresh token is in use.
    pub(super) fn note(&self, id: &AccountId) -> Result<(), VaultError> {
        let Self::Files(folder) = self else { return Ok(()) };
        let path = note_of(folder, id);
        let made =
            platform::create_private_file(&path, b"").and_then(|()| attempt(FaultPoint::NoteMade));
        match made {
            // An earlier use was not settled: its note serves this one too.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map_err(|error| VaultError::disk(&path, error)),
        }
    }

    /// Whether a use of the record's refresh token was noted and not ended.
    pub(super) fn is_noted(&self, id: &AccountId) -> bool {
        match self {
            Self::Files(folder) => note_of(folder, id).exists(),
            Self::Memory(_) => false,
        }
    }

    pub(super) fn end_note(&self, id: &AccountId) -> Result<(), VaultError> {
        let Self::Files(folder) = self else { return Ok(()) };
        let path = note_of(folder, id);
        remove(folder, &path)
            .and_then(|()| attempt(FaultPoint::NoteRemoved))
            .map_err(|error| VaultError::disk(&path, error))
    }
}

fn note_of(folder: &Path, id: &AccountId) -> PathBuf {
    folder.join(format!("{id}.{NOTE}"))
}

fn path_of(folder: &Path, id: &AccountId) -> PathBuf {
    folder.join(format!("{id}.{ENDING}"))
}

/// Puts a whole new file in the place of the old one, durably.
fn replace(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    attempt(FaultPoint::FileCreated)?;
    file.write_all(bytes)?;
    attempt(FaultPoint::FileWritten)?;
    file.as_file().sync_all()?;
    attempt(FaultPoint::FileSynced)?;
    file.persist(path).map_err(|error| error.error)?;
    attempt(FaultPoint::FileRenamed)?;
    platform::sync_folder(folder)?;
    attempt(FaultPoint::FolderSynced)
}

fn remove(folder: &Path, path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => platform::sync_folder(folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[expect(clippy::type_complexity, reason = "each record fails for itself")]
fn list_files(folder: &Path) -> io::Result<Vec<(String, Result<Vec<u8>, VaultError>)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            found.push((name, fs::read(&path).map_err(|error| VaultError::disk(&path, error))));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found)
}

fn clear_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED)) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
