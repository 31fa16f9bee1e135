//! One account's record: a line of JSON that anybody may read, then the sealed rest.
//!
//! The header is what lists and states need before the vault is open. It is authenticated with the
//! body: a changed header, a body from another record, or half a file does not open.

use authbroker_core::account::{Account, Grant, Memory, Person};
use authbroker_core::authentication::Authentication;
use authbroker_core::ids::{AccountId, ProviderName};
use authbroker_core::issuer::IssuerUrl;
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use authbroker_core::time::UnixTime;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::VaultError;
use super::seal::Key;

/// The newest format. Older ones are read for ever.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
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

/// Writes a record.
pub(super) fn seal(account: &Account, memory: &Memory, key: &Key) -> Result<Vec<u8>, VaultError> {
    let unwritable = |error: serde_json::Error| VaultError::Damaged(format!("unwritable: {error}"));
    let mut record = serde_json::to_vec(&header_of(account)).map_err(unwritable)?;
    let body = Zeroizing::new(serde_json::to_vec(&body_of(memory)).map_err(unwritable)?);
    let mut sealed = key.seal(&record, &body)?;
    record.push(b'\n');
    record.append(&mut sealed);
    Ok(record)
}

/// Reads the whole of a record.
pub(super) fn unseal(id: &AccountId, record: &[u8], key: &Key) -> Result<Memory, VaultError> {
    read_header(id.as_str(), record)?;
    let (header, sealed) = split(record)?;
    let plain = key
        .open(header, sealed)
        .map_err(|error| VaultError::Damaged(format!("record {id}: {error}")))?;
    let body: Body = serde_json::from_slice(&plain)
        .map_err(|_| damaged(id.as_str(), "its body is no record"))?;
    memory_of(body).ok_or_else(|| damaged(id.as_str(), "its scopes are none"))
}

/// Reads the readable part of the record in the file `name`.
pub(super) fn read_header(name: &str, record: &[u8]) -> Result<Account, VaultError> {
    let (header, _) = split(record).map_err(|_| damaged(name, "it is cut off"))?;
    let header: Header =
        serde_json::from_slice(header).map_err(|_| damaged(name, "its header is no record"))?;
    if header.format != FORMAT {
        return Err(damaged(name, "it was written by a newer version"));
    }
    let account = account_of(header).ok_or_else(|| damaged(name, "its header is no account"))?;
    if account.id.as_str() != name {
        return Err(damaged(name, "it belongs to another account"));
    }
    Ok(account)
}

fn split(record: &[u8]) -> Result<(&[u8], &[u8]), VaultError> {
    let end = record.iter().position(|byte| *byte == b'\n');
    let end = end.ok_or_else(|| VaultError::Damaged("the record is cut off".to_owned()))?;
    Ok((&record[..end], &record[end + 1..]))
}

fn damaged(name: &str, why: &str) -> VaultError {
    VaultError::Damaged(format!("record {name} cannot be used: {why}"))
}

fn header_of(account: &Account) -> Header {
    let person = account.person.clone();
    Header {
        format: FORMAT,
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
