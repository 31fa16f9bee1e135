//! Minted sockets: what each is for, kept in `STATE/sockets`, one private file for each, so that
//! they outlive a restart. Nothing in there is secret, but what it says is believed: a file that
//! others could have written counts as none.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use authbroker_core::ids::AccountId;
use authbroker_core::minting::{Minting, SocketName, UnitName};
use authbroker_core::resource::Resource;
use authbroker_core::scope::ScopeSet;
use authbroker_core::time::UnixTime;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::platform;

/// The minted sockets of this broker.
#[derive(Debug, Clone)]
pub struct Mintings(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    // A std mutex: held while one small file is written, by the few who make or close a socket,
    // and for a look by those who come in by one.
    held: Mutex<BTreeMap<SocketName, Held>>,
}

/// A minted socket that is good.
#[derive(Debug, Clone)]
pub struct Held {
    /// What it is for.
    pub minting: Arc<Minting>,
    /// Cancelled once it is good no more.
    pub ended: CancellationToken,
}

/// A file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    account: String,
    resources: Vec<String>,
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    created: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
}

impl Mintings {
    /// Takes up the sockets of a state folder. Those whose time is over are forgotten; those whose
    /// file cannot be believed are named in the log and stay closed.
    pub fn within(state_dir: &Path, now: UnixTime) -> Self {
        let folder = state_dir.join("sockets");
        let mut held = BTreeMap::new();
        for path in records(&folder) {
            match read(&path) {
                Ok(minting) if minting.is_over(now) => drop(fs::remove_file(&path)),
                Ok(minting) => drop(held.insert(minting.name.clone(), Held::of(minting))),
                Err(error) => {
                    tracing::error!(path = %path.display(), "a minted socket stays closed: {error}");
                }
            }
        }
        Self(Arc::new(Inner { folder, held: Mutex::new(held) }))
    }

    /// Adds one, durably; fails with [`io::ErrorKind::AlreadyExists`] where its name is taken.
    pub fn add(&self, minting: Minting) -> io::Result<Held> {
        let mut all = self.held();
        if all.contains_key(&minting.name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.write(&minting)?;
        let held = Held::of(minting);
        all.insert(held.minting.name.clone(), held.clone());
        Ok(held)
    }

    /// What the socket of this name is for, while it is good.
    pub fn get(&self, name: &str, now: UnixTime) -> Option<Arc<Minting>> {
        let all = self.held();
        let held = all.get(&SocketName::parse(name).ok()?)?;
        (!held.minting.is_over(now)).then(|| Arc::clone(&held.minting))
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<Held> {
        self.held().values().cloned().collect()
    }

    /// Ends one, durably. Tells whether there was one. It is good no more even where its file stays.
    pub fn remove(&self, name: &SocketName) -> io::Result<bool> {
        let Some(held) = self.held().remove(name) else { return Ok(false) };
        held.ended.cancel();
        fs::remove_file(self.path(name))?;
        platform::sync_folder(&self.0.folder)?;
        Ok(true)
    }

    fn write(&self, minting: &Minting) -> io::Result<()> {
        platform::private_folder(&self.0.folder)?;
        let path = self.path(&minting.name);
        let new = path.with_extension("new");
        // What an interrupted run has left there is nobody's.
        let _none = fs::remove_file(&new);
        platform::create_private_file(&new, &serde_json::to_vec_pretty(&File::of(minting))?)?;
        fs::rename(&new, &path)?;
        platform::sync_folder(&self.0.folder)
    }

    fn path(&self, name: &SocketName) -> PathBuf {
        self.0.folder.join(format!("{name}.json"))
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<SocketName, Held>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn of(minting: Minting) -> Self {
        Self { minting: Arc::new(minting), ended: CancellationToken::new() }
    }
}

impl File {
    fn of(minting: &Minting) -> Self {
        Self {
            account: minting.account.to_string(),
            resources: minting.resources.iter().map(ToString::to_string).collect(),
            scopes: minting.scopes.to_words(),
            unit: minting.unit.as_ref().map(ToString::to_string),
            created: minting.created.as_secs(),
            expires: minting.expires.map(UnixTime::as_secs),
        }
    }
}

fn records(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect()
}

fn read(path: &Path) -> io::Result<Minting> {
    let file: File = serde_json::from_slice(&platform::read_private_file(path)?)?;
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let scopes = file.scopes.iter().map(String::as_str);
    let resources = file.resources.iter().map(|api| Resource::parse(api));
    Ok(Minting {
        name: SocketName::parse(name).map_err(wrong)?,
        account: AccountId::parse(&file.account).map_err(wrong)?,
        resources: resources.collect::<Result<_, _>>().map_err(wrong)?,
        scopes: ScopeSet::from_words(scopes).map_err(wrong)?,
        unit: file.unit.as_deref().map(UnitName::parse).transpose().map_err(wrong)?,
        created: UnixTime::from_secs(file.created),
        expires: file.expires.map(UnixTime::from_secs),
    })
}

fn wrong(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_000);

    fn minting(name: &str, expires: Option<u64>) -> Minting {
        Minting {
            name: SocketName::parse(name).unwrap(),
            account: AccountId::parse("acme-k3v9q2ma").unwrap(),
            resources: [Resource::parse("urn:a").unwrap()].into(),
            scopes: ScopeSet::from_words(["read"]).unwrap(),
            unit: (name == "short").then(|| UnitName::parse("backup.service").unwrap()),
            created: NOW,
            expires: expires.map(UnixTime::from_secs),
        }
    }

    #[test]
    fn a_socket_outlives_the_broker_until_its_time_is_over_or_it_is_closed() {
        let state = tempfile::tempdir().unwrap();
        let mintings = Mintings::within(state.path(), NOW);
        for minting in [minting("ci", None), minting("short", Some(2_000)), minting("shut", None)] {
            mintings.add(minting).unwrap();
        }
        let taken = mintings.add(minting("ci", None)).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        let shut = mintings.all().pop().unwrap();
        assert!(mintings.remove(&shut.minting.name).unwrap());
        assert!(shut.ended.is_cancelled());

        let again = Mintings::within(state.path(), NOW);
        assert_eq!(*again.get("ci", NOW).unwrap(), minting("ci", None));
        assert_eq!(*again.get("short", NOW).unwrap(), minting("short", Some(2_000)));
        assert_eq!(again.get("shut", NOW), None);
        let later = UnixTime::from_secs(2_000);
        assert_eq!(again.get("short", later), None, "its time is over while the broker runs");
        let later = Mintings::within(state.path(), later);
        assert_eq!(later.all().len(), 1);
        assert!(!state.path().join("sockets/short.json").exists());
    }

    #[test]
    fn a_file_that_others_could_have_written_opens_nothing() {
        let state = tempfile::tempdir().unwrap();
        Mintings::within(state.path(), NOW).add(minting("ci", None)).unwrap();
        let path = state.path().join("sockets/ci.json");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(Mintings::within(state.path(), NOW).all().is_empty());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "{}").unwrap();
        let mintings = Mintings::within(state.path(), NOW);
        assert!(mintings.all().is_empty());
        mintings.add(minting("ci", None)).unwrap();
        assert_eq!(Mintings::within(state.path(), NOW).all().len(), 1, "made anew");
    }
}
