//! The places of the key, and the person at the door.

use super::*;

impl World {
    fn vault_with(&self, place: VaultKey) -> Vault {
        Vault::open(place, self.folder.path()).unwrap()
    }

    fn behind_passphrase(&self) -> Vault {
        self.vault_with(VaultKey::Passphrase)
    }
}

fn first(text: &str) -> Passphrase {
    Passphrase::First(Secret::new(text.into()))
}

fn known(text: &str) -> Passphrase {
    Passphrase::Known(Secret::new(text.into()))
}

#[tokio::test]
async fn a_passphrase_is_chosen_once_and_opens_the_vault_after_every_restart() {
    let world = World::new();
    let vault = world.behind_passphrase();
    assert_eq!(vault.passphrase().unwrap(), Some(PassphraseState::NotChosen));
    let error = vault.ready(Prompt::Allowed).await.unwrap_err();
    assert_eq!(error.to_failure().hint, "brokerctl unlock");
    vault.unlock_with(first("open sesame")).await.unwrap();
    vault.remember(&account("alice"), &granted(), Prompt::Never).await.unwrap();

    let vault = world.behind_passphrase();
    assert_eq!(vault.passphrase().unwrap(), Some(PassphraseState::Chosen));
    let refused = vault.recall(&account("alice").id).await;
    assert!(matches!(refused, Err(VaultError::Locked { .. })), "{refused:?}");
    vault.unlock_with(known("open sesame")).await.unwrap();
    assert_eq!(vault.recall(&account("alice").id).await.unwrap(), Some(granted()));
    let bytes = std::fs::read(world.path("vault/key.age")).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n-> scrypt "));
}

#[tokio::test]
async fn a_wrong_passphrase_opens_nothing_and_the_next_one_has_to_wait() {
    let world = World::new();
    world.behind_passphrase().unlock_with(first("open sesame")).await.unwrap();
    let vault = world.behind_passphrase();
    let wrong = vault.unlock_with(known("open barley")).await;
    assert!(matches!(wrong, Err(VaultError::WrongPassphrase)), "{wrong:?}");
    let soon = vault.unlock_with(known("open sesame")).await.unwrap_err().to_failure();
    assert_eq!(soon.code, authbroker_core::failure::Code::RateLimited);
    assert!(soon.retry_after.is_some());
    assert_ne!(vault.state(), VaultState::Open);
}

#[tokio::test]
async fn one_passphrase_is_tried_at_a_time() {
    let world = World::new();
    world.behind_passphrase().unlock_with(first("open sesame")).await.unwrap();
    let vault = world.behind_passphrase();
    let (one, other) =
        tokio::join!(vault.unlock_with(known("open sesame")), vault.unlock_with(known("guess")));
    assert!(one.is_ok() && matches!(other, Err(VaultError::Busy)), "{one:?} {other:?}");
}

#[tokio::test]
async fn a_passphrase_is_not_chosen_by_accident_nor_a_second_time() {
    let world = World::new();
    let vault = world.behind_passphrase();
    for slip in [known("open sesame"), first("")] {
        let refused = vault.unlock_with(slip).await;
        assert!(matches!(refused, Err(VaultError::Refused(_))), "{refused:?}");
    }
    vault.unlock_with(first("open sesame")).await.unwrap();
    let again = world.behind_passphrase().unlock_with(first("another")).await;
    assert!(matches!(again, Err(VaultError::Refused(_))), "{again:?}");
}

#[tokio::test]
async fn a_passphrases_file_that_is_missing_or_cut_is_told_and_never_made_anew() {
    let world = World::new();
    let vault = world.behind_passphrase();
    vault.unlock_with(first("open sesame")).await.unwrap();
    vault.remember(&account("alice"), &granted(), Prompt::Never).await.unwrap();
    let file = world.path("vault/key.age");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 3]).unwrap();
    let cut = world.behind_passphrase().unlock_with(known("open sesame")).await;
    assert!(matches!(cut, Err(VaultError::Damaged(_))), "{cut:?}");
    std::fs::remove_file(&file).unwrap();
    let missing = world.behind_passphrase().unlock_with(first("another")).await;
    assert!(matches!(missing, Err(VaultError::Locked { .. })), "{missing:?}");
    assert!(!file.exists());
}

#[tokio::test]
async fn a_locked_vault_gives_nothing_until_a_person_opens_it() {
    let world = World::new();
    let (id, vault) = (world.remember("alice").await, world.vault());
    vault.ready(Prompt::Never).await.unwrap();
    vault.begin_to_lock().unwrap().finish();
    for prompt in [Prompt::Never, Prompt::Allowed] {
        let error = vault.ready(prompt).await.unwrap_err();
        assert_eq!(error.to_string(), "the vault is locked: somebody locked it");
    }
    assert!(vault.recall(&id).await.is_err());
    vault.unlock().await.unwrap();
    assert_eq!(vault.recall(&id).await.unwrap(), Some(granted()));
}

#[tokio::test]
async fn while_a_vault_is_being_locked_what_is_under_way_is_still_written() {
    let world = World::new();
    let (id, vault) = (world.remember("alice").await, world.vault());
    vault.ready(Prompt::Never).await.unwrap();
    let locking = vault.begin_to_lock().unwrap();
    assert!(vault.recall(&id).await.is_err(), "nothing new is had");
    vault.remember(&account("alice"), &granted(), Prompt::Never).await.unwrap();
    drop(locking);
    assert!(vault.recall(&id).await.is_ok(), "it was taken back");
}

#[tokio::test]
async fn a_vault_in_memory_cannot_be_locked() {
    let vault = World::new().vault_with(VaultKey::Memory);
    assert!(matches!(vault.begin_to_lock(), Err(VaultError::Refused(_))));
}

#[tokio::test]
async fn another_key_in_the_place_of_the_right_one_is_told_and_not_kept() {
    let world = World::new();
    let id = world.remember("alice").await;
    let right = std::fs::read(world.path("key")).unwrap();
    std::fs::write(world.path("key"), Key::generate().unwrap().to_text().as_bytes()).unwrap();
    let vault = world.vault();
    let error = vault.recall(&id).await.unwrap_err();
    assert!(matches!(error, VaultError::Damaged(_)), "{error:?}");
    assert!(error.to_string().contains("sealed with another one"), "{error}");
    assert!(vault.ready(Prompt::Allowed).await.is_err(), "no sign-in is sealed with it");
    std::fs::write(world.path("key"), right).unwrap();
    assert_eq!(vault.recall(&id).await.unwrap(), Some(granted()), "without a restart");
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_file_is_never_made_through_a_link() {
    let world = World::new();
    std::os::unix::fs::symlink(world.path("elsewhere"), world.path("key")).unwrap();
    assert!(world.vault().ready(Prompt::Allowed).await.is_err());
    assert!(!world.path("elsewhere").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_somebody_elses_file_is_no_key() {
    let world = World::new();
    let theirs = if crate::platform::own_uid() == 0 {
        let path = world.path("theirs");
        std::fs::write(&path, Key::generate().unwrap().to_text().as_bytes()).unwrap();
        std::os::unix::fs::chown(&path, Some(1), None).unwrap();
        path
    } else {
        PathBuf::from("/etc/passwd")
    };
    std::os::unix::fs::symlink(theirs, world.path("key")).unwrap();
    let error = world.vault().ready(Prompt::Allowed).await.unwrap_err().to_string();
    assert!(error.contains("belongs to user"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_in_the_place_of_the_key_is_refused_and_not_waited_for() {
    let world = World::new();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let (here, pipe) = (rustix::fs::CWD, rustix::fs::FileType::Fifo);
    rustix::fs::mknodat(here, world.path("key"), pipe, mode, 0).unwrap();
    let error = world.vault().ready(Prompt::Allowed).await.unwrap_err().to_string();
    assert!(error.contains("is no file"), "{error}");
}
