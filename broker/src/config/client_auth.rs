//! `client_auth = { … }`: how the client proves itself, and where its secret is.

use std::path::PathBuf;

use super::env;
use super::file::{self, AuthMethod};
use super::settings::Problems;

/// How a client proves itself at the token endpoint (RFC 6749 §2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuth {
    /// Not at all: a public client (RFC 8252 §8.5).
    None,
    /// `client_secret_basic`.
    Basic(SecretPlace),
    /// `client_secret_post`.
    Post(SecretPlace),
    /// `private_key_jwt` (RFC 7523): the place of a private key, in PEM.
    PrivateKey(SecretPlace),
}

/// Where a client secret is read from, each time it is needed. Never from the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// A file that only its owner can read.
    File(PathBuf),
    /// A file that systemd made for this service.
    Credential(PathBuf),
    /// An environment variable.
    Variable(String),
}

/// Takes what the file says, or notes what is wrong with it.
pub(super) fn parse(
    place: &str,
    auth: file::ClientAuth,
    problems: &mut Problems,
) -> Option<ClientAuth> {
    let (make, file, word) = match auth.method {
        AuthMethod::None => return Some(ClientAuth::None),
        AuthMethod::ClientSecretBasic => (ClientAuth::Basic as fn(_) -> _, auth.file, "file"),
        AuthMethod::ClientSecretPost => (ClientAuth::Post as fn(_) -> _, auth.file, "file"),
        AuthMethod::PrivateKeyJwt => {
            (ClientAuth::PrivateKey as fn(_) -> _, auth.key_file, "key_file")
        }
    };
    let secret = match (file, auth.credential, auth.env) {
        (Some(path), None, None) => Ok(SecretPlace::File(path)),
        (None, Some(name), None) => credential(&name).map(SecretPlace::Credential),
        (None, None, Some(name)) => Ok(SecretPlace::Variable(name)),
        _ => Err(format!("say where the secret is, in one of {word}, credential and env")),
    };
    problems.take(place, secret).map(make)
}

fn credential(name: &str) -> Result<PathBuf, String> {
    let folder = env::path(env::CREDENTIALS);
    let folder = folder.ok_or("systemd gave this process no credentials (LoadCredential=)")?;
    credential_name(name).map(|name| folder.join(name))
}

/// A credential's name is a file's name.
pub(super) fn credential_name(name: &str) -> Result<&str, String> {
    let plain = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
    plain.then_some(name).ok_or_else(|| format!("{name:?} is no credential's name"))
}
