//! A new key for every record, and a crash after each step on the way there.

use super::head::HEAD;
use super::*;

/// A copy of everything in a world, as a power cut would leave it.
fn as_it_lies(world: &World) -> World {
    let copy = World::new();
    std::fs::create_dir(copy.path("vault")).unwrap();
    for folder in ["", "vault"] {
        for entry in std::fs::read_dir(world.path(folder)).unwrap() {
            let from = entry.unwrap().path();
            if from.is_file() {
                std::fs::copy(&from, copy.path(folder).join(from.file_name().unwrap())).unwrap();
            }
        }
    }
    copy
}

impl World {
    /// Asserts that everything opens at the next start, that nothing is left of a rekey, and that
    /// the start after that finds it so too.
    async fn assert_whole(&self, after: &str) {
        for _ in 0..2 {
            assert_eq!(self.broken().await, Vec::<String>::new(), "after {after}");
            let recalled = self.vault().recall(&account("alice").id).await.unwrap();
            let Some(Memory::Interrupted(_)) = recalled else { panic!("the note, after {after}") };
            assert!(!self.path("vault/rekey").exists(), "after {after}");
            assert_eq!(self.audit_head().await, HEAD, "after {after}");
        }
    }
}

#[tokio::test]
async fn a_rekey_seals_every_record_and_the_index_with_a_new_key() {
    let world = World::new();
    let id = world.remember("alice").await;
    let older = std::fs::read(world.file(&id)).unwrap();
    let (old_key, vault) = (std::fs::read(world.path("key")).unwrap(), world.vault());
    vault.ready(Prompt::Never).await.unwrap();
    let rekeyed = vault.rekey(None).await.unwrap();
    assert_eq!(rekeyed, Rekeyed { records: 1, broken: Vec::new() });
    assert_ne!(std::fs::read(world.path("key")).unwrap(), old_key);
    for vault in [vault, world.vault()] {
        assert_eq!(vault.recall(&id).await.unwrap(), Some(granted()));
    }
    std::fs::write(world.file(&id), older).unwrap();
    let error = world.vault().recall(&id).await.unwrap_err().to_string();
    assert!(error.contains("it was sealed with another key"), "{error}");
    std::fs::write(world.path("key"), old_key).unwrap();
    assert!(world.vault().recall(&id).await.is_err(), "the old key opens nothing");
}

#[tokio::test]
async fn a_crash_after_any_step_of_a_rekey_leaves_a_vault_that_opens() {
    let world = World::new();
    for subject in ["alice", "bob", "carol"] {
        world.remember(subject).await;
    }
    world.vault().intend(&account("alice").id).await.unwrap();
    let vault = world.vault();
    vault.ready(Prompt::Never).await.unwrap();
    vault.keep_audit_head(HEAD).unwrap();
    let inner = &vault.0;
    let old = vault.keys(Prompt::Never).await.unwrap().current;
    let new = Key::generate().unwrap();
    as_it_lies(&world).assert_whole("nothing").await;

    rekey::announce(&inner.store, &old, &new).unwrap();
    as_it_lies(&world).assert_whole("the old key was sealed with the new one").await;
    inner.source.store(new.clone(), None).await.unwrap();
    as_it_lies(&world).assert_whole("the new key was in force").await;
    let keys = Keys { current: new, previous: Some(old) };
    inner.head.take_up(&inner.store, &keys).unwrap();
    as_it_lies(&world).assert_whole("the audit's head was sealed anew").await;
    for (name, bytes) in inner.store.list().unwrap() {
        let ledger = &inner.ledger;
        rekey::reseal_one(&inner.store, ledger, &name, &bytes.unwrap(), &keys).unwrap();
        as_it_lies(&world).assert_whole(&format!("{name} was sealed anew")).await;
    }
    inner.ledger.touch();
    inner.ledger.flush(&inner.store, &keys).unwrap();
    as_it_lies(&world).assert_whole("the index was sealed anew").await;
    rekey::reseal(&inner.store, &inner.ledger, &keys).unwrap();
    as_it_lies(&world).assert_whole("all").await;
}

#[tokio::test]
async fn a_broken_record_is_named_by_a_rekey_and_left_alone() {
    let world = World::new();
    let (alice, bob) = (world.remember("alice").await, world.remember("bob").await);
    let mut bytes = std::fs::read(world.file(&bob)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(world.file(&bob), &bytes).unwrap();
    let vault = world.vault();
    vault.ready(Prompt::Never).await.unwrap();
    let rekeyed = vault.rekey(None).await.unwrap();
    assert_eq!((rekeyed.records, rekeyed.broken[0].name.as_str()), (1, bob.as_str()));
    assert_eq!(vault.recall(&alice).await.unwrap(), Some(granted()));
    assert_eq!(std::fs::read(world.file(&bob)).unwrap(), bytes);
}

#[tokio::test]
async fn a_new_key_that_cannot_be_stored_leaves_the_old_one_in_force() {
    let world = World::new();
    let id = world.remember("alice").await;
    let vault = world.vault();
    vault.ready(Prompt::Never).await.unwrap();
    // A folder in the key's place: it can be neither read nor replaced.
    std::fs::remove_file(world.path("key")).unwrap();
    std::fs::create_dir(world.path("key")).unwrap();
    assert!(vault.rekey(None).await.is_err());
    assert_eq!(vault.recall(&id).await.unwrap(), Some(granted()));
    assert_eq!(vault.state(), VaultState::Open);
}

#[tokio::test]
async fn a_rekey_asks_for_the_passphrase_and_may_exchange_it() {
    let world = World::new();
    let open = || Vault::open(VaultKey::Passphrase, world.folder.path()).unwrap();
    let secret = |text: &str| Secret::new(text.into());
    let vault = open();
    vault.unlock_with(Passphrase::First(secret("old"))).await.unwrap();
    vault.remember(&account("alice"), &granted(), Prompt::Never).await.unwrap();
    assert!(vault.rekey(None).await.is_err(), "not without it");
    let typed = Retyped { known: secret("old"), new: Some(secret("new")) };
    assert_eq!(vault.rekey(Some(typed)).await.unwrap().records, 1);
    let vault = open();
    vault.unlock_with(Passphrase::Known(secret("new"))).await.unwrap();
    assert_eq!(vault.recall(&account("alice").id).await.unwrap(), Some(granted()));
    let wrong = open().unlock_with(Passphrase::Known(secret("old"))).await;
    assert!(matches!(wrong, Err(VaultError::WrongPassphrase)), "{wrong:?}");
}

#[tokio::test]
async fn a_vault_in_memory_has_a_new_key_too() {
    let vault = Vault::open(VaultKey::Memory, World::new().folder.path()).unwrap();
    vault.remember(&account("alice"), &granted(), Prompt::Never).await.unwrap();
    assert_eq!(vault.rekey(None).await.unwrap().records, 1);
    assert_eq!(vault.recall(&account("alice").id).await.unwrap(), Some(granted()));
}
