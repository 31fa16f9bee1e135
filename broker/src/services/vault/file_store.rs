//! Where sealed records lie: a folder with one file each, or memory.
//!
//! A write is four steps, each a function of its own: a whole file is written aside, put in the
//! place of the old one, and the folder is flushed; then the note of its use is taken away. A crash
//! between any two of them leaves the old file or the new one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use authbroker_core::ids::AccountId;
use tempfile::NamedTempFile;

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

/// A file beside the records. A store in memory has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extra {
    /// What the newest records are.
    Index,
    /// The key before the one in force, while a rekey is not finished.
    Rekey,
    /// The key, sealed by what a systemd credential says.
    SealedKey,
    /// The key, encrypted with a passphrase.
    EncryptedKey,
    /// The head of the audit record.
    AuditHead,
}

impl Extra {
    const fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Rekey => "rekey",
            Self::SealedKey => "key.sealed",
            Self::EncryptedKey => "key.age",
            Self::AuditHead => "audit-head",
        }
    }
}

/// A record's name, and its bytes or why they cannot be read: each record fails for itself.
pub(super) type Found = (String, Result<Vec<u8>, VaultError>);

impl Store {
    pub(super) fn memory() -> Self {
        Self::Memory(Mutex::default())
    }

    /// Opens a folder, made if missing, and clears away what a crash left unfinished.
    pub(super) fn files(folder: PathBuf) -> Result<Self, VaultError> {
        platform::private_folder(&folder).map_err(|error| VaultError::disk(&folder, error))?;
        if let Err(error) = clear_unfinished(&folder) {
            // A disk that cannot be written today: it is no hindrance to reading.
            tracing::warn!(%error, "what a crash left unfinished in the vault stays there");
        }
        Ok(Self::Files(folder))
    }

    pub(super) fn is_empty(&self) -> Result<bool, VaultError> {
        match self {
            Self::Files(folder) => {
                let names =
                    record_names(folder).map_err(|error| VaultError::disk(folder, error))?;
                Ok(names.is_empty())
            }
            Self::Memory(records) => Ok(lock(records).is_empty()),
        }
    }

    /// Every record, by name.
    pub(super) fn list(&self) -> Result<Vec<Found>, VaultError> {
        match self {
            Self::Files(folder) => {
                let names =
                    record_names(folder).map_err(|error| VaultError::disk(folder, error))?;
                Ok(names.into_iter().map(|name| read_named(folder, name)).collect())
            }
            Self::Memory(records) => {
                let records = lock(records);
                Ok(records.iter().map(|(id, bytes)| (id.to_string(), Ok(bytes.clone()))).collect())
            }
        }
    }

    pub(super) fn read(&self, id: &AccountId) -> Result<Option<Vec<u8>>, VaultError> {
        match self {
            Self::Files(folder) => read_if_there(&path_of(folder, id)),
            Self::Memory(records) => Ok(lock(records).get(id).cloned()),
        }
    }

    /// Writes a record. When this returns, a power cut does not undo it; the end of its note lasts
    /// from the next flush of the folder on, that of the index.
    pub(super) fn write(&self, id: &AccountId, bytes: &[u8]) -> Result<(), VaultError> {
        // The record first: a note without its use costs one careful repeat, a use without its
        // note could cost the sign-in.
        self.rewrite(id, bytes)?;
        let Self::Files(folder) = self else { return Ok(()) };
        let note = note_of(folder, id);
        take_away(&note)
            .and_then(|_| attempt(FaultPoint::NoteRemoved))
            .map_err(|error| VaultError::disk(&note, error))
    }

    /// Writes a record that says what it said before, durably. A note of its use stays.
    pub(super) fn rewrite(&self, id: &AccountId, bytes: &[u8]) -> Result<(), VaultError> {
        match self {
            Self::Files(folder) => {
                let path = path_of(folder, id);
                replace(folder, &path, bytes).map_err(|error| VaultError::disk(&path, error))
            }
            Self::Memory(records) => {
                lock(records).insert(id.clone(), bytes.to_vec());
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
                lock(records).remove(id);
                Ok(())
            }
        }
    }

    /// Notes that a record's refresh token is in use.
    pub(super) fn note(&self, id: &AccountId) -> Result<(), VaultError> {
        let Self::Files(folder) = self else { return Ok(()) };
        let path = note_of(folder, id);
        match put_note(folder, &path) {
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

    /// Where a file beside the records is, for people.
    pub(super) fn place_of(&self, extra: Extra) -> PathBuf {
        match self {
            Self::Files(folder) => folder.join(extra.name()),
            Self::Memory(_) => PathBuf::from(extra.name()),
        }
    }

    pub(super) fn read_extra(&self, extra: Extra) -> Result<Option<Vec<u8>>, VaultError> {
        match self {
            Self::Files(folder) => read_if_there(&folder.join(extra.name())),
            Self::Memory(_) => Ok(None),
        }
    }

    pub(super) fn write_extra(&self, extra: Extra, bytes: &[u8]) -> Result<(), VaultError> {
        let Self::Files(folder) = self else { return Ok(()) };
        let path = folder.join(extra.name());
        replace(folder, &path, bytes).map_err(|error| VaultError::disk(&path, error))
    }

    pub(super) fn remove_extra(&self, extra: Extra) -> Result<(), VaultError> {
        let Self::Files(folder) = self else { return Ok(()) };
        let path = folder.join(extra.name());
        remove(folder, &path).map_err(|error| VaultError::disk(&path, error))
    }
}

fn lock(
    records: &Mutex<BTreeMap<AccountId, Vec<u8>>>,
) -> std::sync::MutexGuard<'_, BTreeMap<AccountId, Vec<u8>>> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note_of(folder: &Path, id: &AccountId) -> PathBuf {
    folder.join(format!("{id}.{NOTE}"))
}

fn path_of(folder: &Path, id: &AccountId) -> PathBuf {
    folder.join(format!("{id}.{ENDING}"))
}

/// Puts a whole new file in the place of the old one, durably.
pub(super) fn replace(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = write_aside(folder, bytes)?;
    put_in_place(unfinished, path)?;
    attempt(FaultPoint::FileRenamed)?;
    platform::sync_folder(folder)?;
    attempt(FaultPoint::FolderSynced)
}

/// Makes a new file, whole and durable. Fails where one exists.
pub(super) fn create(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = write_aside(folder, bytes)?;
    unfinished.persist_noclobber(path).map_err(|error| error.error)?;
    platform::sync_folder(folder)
}

/// Writes a whole file under a name that nobody reads. It is gone again if it is not put in place.
fn write_aside(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    attempt(FaultPoint::FileCreated)?;
    file.write_all(bytes)?;
    attempt(FaultPoint::FileWritten)?;
    file.as_file().sync_all()?;
    attempt(FaultPoint::FileSynced)?;
    Ok(file)
}

fn put_in_place(unfinished: NamedTempFile, path: &Path) -> io::Result<()> {
    unfinished.persist(path).map(drop).map_err(|error| error.error)
}

/// Makes a note: an empty file has no contents to flush, only a name.
fn put_note(folder: &Path, path: &Path) -> io::Result<()> {
    platform::create_empty_file(path)?;
    attempt(FaultPoint::NoteMade)?;
    platform::sync_folder(folder)
}

fn remove(folder: &Path, path: &Path) -> io::Result<()> {
    match take_away(path)? {
        Taken::Away => platform::sync_folder(folder),
        Taken::WasNotThere => Ok(()),
    }
}

/// What became of a file that is to go.
enum Taken {
    Away,
    WasNotThere,
}

fn take_away(path: &Path) -> io::Result<Taken> {
    match fs::remove_file(path) {
        Ok(()) => Ok(Taken::Away),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Taken::WasNotThere),
        Err(error) => Err(error),
    }
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, VaultError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(VaultError::disk(path, error)),
    }
}

fn read_named(folder: &Path, name: String) -> Found {
    let path = folder.join(format!("{name}.{ENDING}"));
    let bytes = fs::read(&path).map_err(|error| VaultError::disk(&path, error));
    (name, bytes)
}

fn record_names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            names.push(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
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
