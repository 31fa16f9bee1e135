//! What the vault keeps, and what it notices.

mod freshness;
mod head;
mod keys;
mod rekeying;

use std::path::PathBuf;

use authbroker_core::account::{Grant, Person};
use authbroker_core::authentication::Authentication;
use authbroker_core::ids::ProviderName;
use authbroker_core::issuer::IssuerUrl;
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use authbroker_core::time::UnixTime;

use super::*;

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A vault as it is after a start of the daemon.
    fn vault(&self) -> Vault {
        let key = VaultKey::File(self.folder.path().join("key"));
        Vault::open(key, self.folder.path()).unwrap()
    }

    async fn remember(&self, subject: &str) -> AccountId {
        let account = account(subject);
        self.vault().remember(&account, &granted(), Prompt::Never).await.unwrap();
        account.id
    }

    fn file(&self, id: &AccountId) -> PathBuf {
        self.path(&format!("vault/{id}.record"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Every broken record, as the next start of the daemon finds it.
    async fn broken(&self) -> Vec<String> {
        let vault = self.vault();
        vault.ready(Prompt::Never).await.unwrap();
        vault.inspect().await.unwrap().broken.iter().map(ToString::to_string).collect()
    }
}

fn account(subject: &str) -> Account {
    let provider = ProviderName::parse("acme").unwrap();
    let issuer = IssuerUrl::parse("https://login.example").unwrap();
    let id = AccountId::derive(&provider, &issuer, "client", subject);
    let person = Person { name: Some("Alice".into()), ..Person::default() };
    Account {
        id,
        provider,
        issuer,
        client_id: "client".into(),
        subject: subject.into(),
        person,
        auth_time: UnixTime::from_secs(7),
    }
}

fn granted() -> Memory {
    Memory::Granted(Grant {
        refresh_token: Some(Secret::new("the-refresh-token".into())),
        scopes: ScopeSet::parse("openid read").unwrap(),
        id_token: Some(Secret::new("the-id-token".into())),
        authentication: Authentication {
            acr: Some("gold".into()),
            auth_time: Some(UnixTime::from_secs(7)),
        },
        dpop_key: Some(Secret::new("the-dpop-key".into())),
    })
}

/// Made by the first version: the key, a record with a grant, and one whose session had ended.
const FORMAT_1_KEY: &[u8] = include_bytes!("../../../../tests/vault/format-1/key");
const FORMAT_1_ALICE: &[u8] =
    include_bytes!("../../../../tests/vault/format-1/acme-srzbb6xw.record");
const FORMAT_1_BOB: &[u8] = include_bytes!("../../../../tests/vault/format-1/acme-ps624lxj.record");

#[tokio::test]
async fn what_is_remembered_is_there_after_a_restart() {
    let world = World::new();
    let id = world.remember("alice").await;
    let vault = world.vault();
    assert_eq!(vault.list().unwrap(), [Ok(account("alice"))]);
    assert_eq!(vault.recall(&id).await.unwrap(), Some(granted()));
}

#[tokio::test]
async fn no_token_is_readable_in_any_file() {
    let world = World::new();
    let id = world.remember("alice").await;
    let bytes = std::fs::read(world.file(&id)).unwrap();
    for secret in ["the-refresh-token", "the-id-token"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

#[tokio::test]
async fn a_changed_swapped_or_cut_record_is_noticed_and_left_alone() {
    let world = World::new();
    let (alice, bob) = (world.remember("alice").await, world.remember("bob").await);
    let whole = std::fs::read(world.file(&alice)).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    let renamed = String::from_utf8_lossy(&whole).replace("Alice", "Mallo");
    for bad in [
        changed,
        std::fs::read(world.file(&bob)).unwrap(),
        whole[..whole.len() / 2].to_vec(),
        renamed.into_bytes(),
        Vec::new(),
    ] {
        std::fs::write(world.file(&alice), &bad).unwrap();
        let vault = world.vault();
        assert!(matches!(vault.recall(&alice).await, Err(VaultError::Record(_))));
        assert!(vault.recall(&bob).await.is_ok(), "the other record still opens");
        assert_eq!(std::fs::read(world.file(&alice)).unwrap(), bad);
    }
}

#[tokio::test]
async fn records_without_their_key_are_a_locked_vault_and_no_new_key_is_made() {
    let world = World::new();
    let id = world.remember("alice").await;
    let key = world.folder.path().join("key");
    std::fs::remove_file(&key).unwrap();
    let vault = world.vault();
    assert!(matches!(vault.recall(&id).await, Err(VaultError::Locked { .. })));
    assert!(!key.exists());
    assert!(matches!(vault.state(), VaultState::Locked(..)));
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let id = world.remember("alice").await;
    let key = world.folder.path().join("key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = world.vault().recall(&id).await.unwrap_err().to_string();
    assert!(error.contains("mode 0644"), "{error}");
}

#[tokio::test]
async fn two_swapped_records_are_both_named() {
    let world = World::new();
    let (alice, bob) = (world.remember("alice").await, world.remember("bob").await);
    let aside = world.path("aside");
    std::fs::rename(world.file(&alice), &aside).unwrap();
    std::fs::rename(world.file(&bob), world.file(&alice)).unwrap();
    std::fs::rename(&aside, world.file(&bob)).unwrap();
    let mut expected = [(&alice, &bob), (&bob, &alice)]
        .map(|(name, of)| format!("record {name} cannot be used: it is the record of {of}"));
    expected.sort();
    assert_eq!(world.broken().await, expected);
}

#[tokio::test]
async fn a_record_of_the_first_format_is_read_for_ever() {
    let world = World::new();
    let key = world.path("key");
    file_store::create(world.folder.path(), &key, FORMAT_1_KEY).unwrap();
    std::fs::create_dir(world.path("vault")).unwrap();
    let (alice, bob) = (account("alice").id, account("bob").id);
    std::fs::write(world.file(&alice), FORMAT_1_ALICE).unwrap();
    std::fs::write(world.file(&bob), FORMAT_1_BOB).unwrap();
    let vault = world.vault();
    assert_eq!(vault.list().unwrap(), [Ok(account("bob")), Ok(account("alice"))]);
    let then = Memory::Granted(Grant {
        refresh_token: Some(Secret::new("the-refresh-token".into())),
        scopes: ScopeSet::parse("openid read").unwrap(),
        id_token: Some(Secret::new("the-id-token".into())),
        ..Grant::default()
    });
    assert_eq!(vault.recall(&alice).await.unwrap(), Some(then));
    assert_eq!(vault.recall(&bob).await.unwrap(), Some(Memory::Ended));
    let seen = vault.inspect().await.unwrap();
    assert_eq!((seen.records, seen.older, seen.broken.len(), seen.index), (2, 2, 0, None));
    world.remember("alice").await;
    assert_eq!(world.vault().recall(&alice).await.unwrap(), Some(granted()));
    assert_eq!(world.vault().recall(&bob).await.unwrap(), Some(Memory::Ended));
    std::fs::write(world.file(&alice), FORMAT_1_ALICE).unwrap();
    assert_eq!(world.broken().await.len(), 1, "it has a newer one by now");
}

#[tokio::test]
async fn a_record_of_a_newer_format_is_left_alone_and_its_format_named() {
    let world = World::new();
    let id = world.remember("alice").await;
    let bytes = std::fs::read(world.file(&id)).unwrap();
    let newer = String::from_utf8_lossy(&bytes).replace("\"format\":2", "\"format\":9");
    std::fs::write(world.file(&id), &newer).unwrap();
    let error = world.vault().recall(&id).await.unwrap_err().to_string();
    assert!(error.contains("a newer version wrote it, in format 9; this one reads up to 2"));
    assert_eq!(std::fs::read(world.file(&id)).unwrap(), newer.as_bytes());
}

#[tokio::test]
async fn an_unfinished_write_is_cleared_away_and_the_old_record_stays() {
    let world = World::new();
    let id = world.remember("alice").await;
    let leftover = world.folder.path().join("vault/.new-half");
    std::fs::write(&leftover, b"half").unwrap();
    assert_eq!(world.vault().recall(&id).await.unwrap(), Some(granted()));
    assert!(!leftover.exists());
}

#[tokio::test]
async fn a_note_is_found_after_a_restart_until_something_is_remembered_or_settled() {
    let world = World::new();
    let id = world.remember("alice").await;
    let Memory::Granted(grant) = granted() else { panic!() };
    for _ in 0..2 {
        world.vault().intend(&id).await.unwrap();
        let found = world.vault().recall(&id).await.unwrap();
        assert_eq!(found, Some(Memory::Interrupted(grant.clone())));
    }
    world.vault().settle(&id).await.unwrap();
    assert_eq!(world.vault().recall(&id).await.unwrap(), Some(granted()));
    world.vault().intend(&id).await.unwrap();
    world.remember("alice").await;
    assert_eq!(world.vault().recall(&id).await.unwrap(), Some(granted()));
    assert_eq!(world.vault().list().unwrap().len(), 1, "a note is no record");
}

#[tokio::test]
async fn a_forgotten_account_is_gone_and_forgetting_twice_is_no_error() {
    let world = World::new();
    let id = world.remember("alice").await;
    let vault = world.vault();
    vault.forget(&id).await.unwrap();
    vault.forget(&id).await.unwrap();
    assert_eq!(world.vault().recall(&id).await.unwrap(), None);
}

#[tokio::test]
async fn a_vault_in_memory_writes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(VaultKey::Memory, folder.path()).unwrap();
    vault.remember(&account("alice"), &granted(), Prompt::Never).await.unwrap();
    assert_eq!(vault.recall(&account("alice").id).await.unwrap(), Some(granted()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
