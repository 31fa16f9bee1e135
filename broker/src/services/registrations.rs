//! What is kept of clients that providers registered for us (RFC 7591 §3.2.1): private files in
//! `STATE/registrations`, one for each provider.
//!
//! The client's id is in the configuration, where a person looks for it. Here is what nobody should
//! see: the token that the registration can be changed with, and a secret where the provider insists
//! on one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use authbroker_core::ids::ProviderName;
use authbroker_core::secret::Secret;
use authbroker_core::time::UnixTime;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::platform;

/// The folder of the registrations.
#[derive(Debug, Clone)]
pub struct Registrations(PathBuf);

/// One registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The issuer that registered the client.
    pub issuer: String,
    /// The client.
    pub client_id: String,
    /// When its secret runs out, where it does.
    pub expires: Option<UnixTime>,
    /// What the registration can be read and removed with (RFC 7592), and where.
    pub access: Option<(Secret, String)>,
}

/// A file as it is written: the members are the standard's.
#[derive(Serialize, Deserialize)]
struct File {
    issuer: String,
    client_id: String,
    #[serde(default)]
    client_secret_expires_at: u64,
    registration_access_token: Option<String>,
    registration_client_uri: Option<String>,
}

impl Drop for File {
    fn drop(&mut self) {
        self.registration_access_token.zeroize();
    }
}

impl Registrations {
    /// The registrations in a state folder.
    pub fn within(state_dir: &Path) -> Self {
        Self(state_dir.join("registrations"))
    }

    /// Keeps a registration, durably, in the place of an older one of that provider.
    pub fn keep(&self, provider: &ProviderName, kept: &Kept) -> io::Result<PathBuf> {
        let path = self.path(provider, "json");
        let text = Zeroizing::new(serde_json::to_string_pretty(&File::of(kept))?);
        self.write(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Keeps a client's secret in a file of its own, as the configuration can name it.
    pub fn keep_secret(&self, provider: &ProviderName, secret: &Secret) -> io::Result<PathBuf> {
        let path = self.path(provider, "secret");
        self.write(&path, secret.expose().as_bytes())?;
        Ok(path)
    }

    /// What is kept for a provider. A file that others could read, or nobody can, counts as none.
    pub fn of(&self, provider: &ProviderName) -> Option<Kept> {
        let bytes = Zeroizing::new(platform::read_private_file(&self.path(provider, "json")).ok()?);
        serde_json::from_slice::<File>(&bytes).ok().map(Kept::from)
    }

    fn path(&self, provider: &ProviderName, ending: &str) -> PathBuf {
        self.0.join(format!("{provider}.{ending}"))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        platform::private_folder(&self.0)?;
        let new = path.with_extension("new");
        // What an interrupted run has left there is nobody's.
        let _none = fs::remove_file(&new);
        platform::create_private_file(&new, bytes)?;
        fs::rename(&new, path)?;
        platform::sync_folder(&self.0)
    }
}

impl File {
    fn of(kept: &Kept) -> Self {
        let (token, place) = kept.access.clone().unzip();
        Self {
            issuer: kept.issuer.clone(),
            client_id: kept.client_id.clone(),
            client_secret_expires_at: kept.expires.map_or(0, UnixTime::as_secs),
            registration_access_token: token.map(|token| token.expose().to_owned()),
            registration_client_uri: place,
        }
    }
}

impl From<File> for Kept {
    fn from(mut file: File) -> Self {
        let token = file.registration_access_token.take().map(Secret::new);
        let expires = file.client_secret_expires_at;
        Self {
            issuer: file.issuer.clone(),
            client_id: file.client_id.clone(),
            expires: (expires > 0).then(|| UnixTime::from_secs(expires)),
            access: token.zip(file.registration_client_uri.take()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn kept(client_id: &str, expires: Option<u64>) -> Kept {
        Kept {
            issuer: "https://a.example".to_owned(),
            client_id: client_id.to_owned(),
            expires: expires.map(UnixTime::from_secs),
            access: Some((Secret::new("t".into()), "https://a.example/register/c1".to_owned())),
        }
    }

    #[test]
    fn what_was_kept_reads_back_and_is_nobody_elses_to_read() {
        let state = tempfile::tempdir().unwrap();
        let registrations = Registrations::within(state.path());
        let name = ProviderName::parse("acme").unwrap();
        assert_eq!(registrations.of(&name), None);
        for registration in [kept("c1", None), kept("c2", Some(99))] {
            let path = registrations.keep(&name, &registration).unwrap();
            assert_eq!(registrations.of(&name), Some(registration));
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let secret = registrations.keep_secret(&name, &Secret::new("s".into())).unwrap();
        assert_eq!(fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
        let left = fs::read_dir(state.path().join("registrations")).unwrap().count();
        assert_eq!(left, 2, "nothing but the two files");
    }
}
