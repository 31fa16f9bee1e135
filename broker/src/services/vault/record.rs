//! One account's record: a line of JSON that anybody may read, then the sealed rest.
//!
//! The header is what lists and states need before the vault is open. It is authenticated with the
//! body: a changed header, a body from another record, or half a file does not open. Members may be
//! added to header and body as long as older records can do without them; anything else is a new
//! format, and [`FORMAT`] counts up.

use authbroker_core::account::{Account, Grant, Memory, Person};
use authbroker_core::authentication::Authentication;
use authbroker_core::ids::{AccountId, ProviderName};
use authbroker_core::issuer::IssuerUrl;
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use authbroker_core::time::UnixTime;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::seal::{Key, KeyId, Keys};
use super::{Broken, VaultError, envelope};

/// The newest format. Older ones are read for ever: 1 had neither a key's name nor a serial.
pub(super) const FORMAT: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    /// The key that it is sealed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<KeyId>,
    /// Which of the vault's writes made it: see `index`.
    #[serde(default)]
    serial: u64,
    id: String,
    provider: String,
    issuer: String,
    client_id: String,
    subject: String,
    auth_time: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
}

/// What is sealed. An ended session has no grant any more.
#[derive(Serialize, Deserialize)]
struct Body {
    grant: Option<SealedGrant>,
}

#[derive(Serialize, Deserialize)]
struct SealedGrant {
    refresh_token: Option<String>,
    scopes: String,
    id_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dpop_key: Option<String>,
}

impl Drop for SealedGrant {
    fn drop(&mut self) {
        self.refresh_token.zeroize();
        self.id_token.zeroize();
        self.dpop_key.zeroize();
    }
}

/// What the readable part of a record tells.
pub(super) struct Label {
    pub(super) account: Account,
    pub(super) format: u32,
    pub(super) serial: u64,
    key: Option<KeyId>,
}

impl Label {
    /// Whether it names this key.
    pub(super) fn is_sealed_with(&self, key: &Key) -> bool {
        self.key.as_ref() == Some(key.id())
    }
}

/// Writes a record.
pub(super) fn seal(
    account: &Account,
    memory: &Memory,
    serial: u64,
    key: &Key,
) -> Result<Vec<u8>, VaultError> {
    let body = serde_json::to_vec(&body_of(memory)).map_err(envelope::unwritable)?;
    envelope::close(&header_of(account, serial, key), &Zeroizing::new(body), key)
}

/// Reads the whole of the record in the file `name`.
pub(super) fn unseal(
    name: &str,
    record: &[u8],
    keys: &Keys,
) -> Result<(Label, Memory), VaultError> {
    let label = read_label(name, record)?;
    let (header, sealed) = envelope::split(record).ok_or_else(|| cut_off(name))?;
    let opened = keys.open(label.key.as_ref(), header, sealed);
    let plain = opened.map_err(|why| broken(name, why.to_string()))?;
    let body: Body =
        serde_json::from_slice(&plain).map_err(|_| broken(name, "its body is no record"))?;
    let memory = memory_of(body).ok_or_else(|| broken(name, "its scopes are none"))?;
    Ok((label, memory))
}

/// Reads the readable part of the record in the file `name`.
pub(super) fn read_label(name: &str, record: &[u8]) -> Result<Label, VaultError> {
    let (header, _) = envelope::split(record).ok_or_else(|| cut_off(name))?;
    check_format(name, header)?;
    let mut header: Header =
        serde_json::from_slice(header).map_err(|_| broken(name, "its header is no record"))?;
    let (format, serial, key) = (header.format, header.serial, header.key.take());
    let account = account_of(header).ok_or_else(|| broken(name, "its header is no account"))?;
    if account.id.as_str() != name {
        return Err(broken(name, format!("it is the record of {}", account.id)));
    }
    Ok(Label { account, format, serial, key })
}

/// Refuses what only a newer version understands, whatever else is in it.
fn check_format(name: &str, header: &[u8]) -> Result<(), VaultError> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    match serde_json::from_slice(header) {
        Ok(Format { format }) if format > FORMAT => Err(broken(
            name,
            format!("a newer version wrote it, in format {format}; this one reads up to {FORMAT}"),
        )),
        _ => Ok(()),
    }
}

fn cut_off(name: &str) -> VaultError {
    broken(name, "it is cut off")
}

/// The word for a record that cannot be used.
pub(super) fn broken(name: &str, reason: impl Into<String>) -> VaultError {
    VaultError::Record(Broken { name: name.to_owned(), reason: reason.into() })
}

fn header_of(account: &Account, serial: u64, key: &Key) -> Header {
    let person = account.person.clone();
    Header {
        format: FORMAT,
        key: Some(key.id().clone()),
        serial,
        id: account.id.to_string(),
        provider: account.provider.to_string(),
        issuer: account.issuer.to_string(),
        client_id: account.client_id.clone(),
        subject: account.subject.clone(),
        auth_time: account.auth_time.as_secs(),
        username: person.username,
        name: person.name,
        email: person.email,
        picture: person.picture,
    }
}

fn account_of(header: Header) -> Option<Account> {
    Some(Account {
        id: AccountId::parse(&header.id).ok()?,
        provider: ProviderName::parse(&header.provider).ok()?,
        issuer: IssuerUrl::parse(&header.issuer).ok()?,
        client_id: header.client_id,
        subject: header.subject,
        person: Person {
            username: header.username,
            name: header.name,
            email: header.email,
            picture: header.picture,
        },
        auth_time: UnixTime::from_secs(header.auth_time),
    })
}

fn body_of(memory: &Memory) -> Body {
    let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    let grant = match memory {
        Memory::Granted(grant) | Memory::Interrupted(grant) => Some(SealedGrant {
            refresh_token: text(&grant.refresh_token),
            scopes: grant.scopes.to_string(),
            id_token: text(&grant.id_token),
            acr: grant.authentication.acr.clone(),
            auth_time: grant.authentication.auth_time.map(UnixTime::as_secs),
            dpop_key: text(&grant.dpop_key),
        }),
        Memory::Ended => None,
    };
    Body { grant }
}

fn memory_of(body: Body) -> Option<Memory> {
    let Some(mut grant) = body.grant else { return Some(Memory::Ended) };
    Some(Memory::Granted(Grant {
        refresh_token: grant.refresh_token.take().map(Secret::new),
        scopes: ScopeSet::parse(&grant.scopes).ok()?,
        id_token: grant.id_token.take().map(Secret::new),
        authentication: Authentication {
            acr: grant.acr.take(),
            auth_time: grant.auth_time.map(UnixTime::from_secs),
        },
        dpop_key: grant.dpop_key.take().map(Secret::new),
    }))
}
