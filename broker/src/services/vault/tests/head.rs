//! The head of the audit record, and the key of its chain.

use super::*;

pub(super) const HEAD: &[u8] = b"the head";

impl World {
    /// The head, as the next start of the daemon finds it.
    pub(super) async fn audit_head(&self) -> Vec<u8> {
        let vault = self.vault();
        vault.ready(Prompt::Never).await.unwrap();
        vault.audit_head().unwrap().unwrap().to_vec()
    }
}

async fn opened(world: &World) -> Vault {
    let vault = world.vault();
    vault.ready(Prompt::Never).await.unwrap();
    vault
}

#[tokio::test]
async fn a_head_that_was_kept_is_there_at_the_next_start_and_nobody_elses_to_read() {
    let world = World::new();
    let vault = opened(&world).await;
    assert!(vault.audit_head().unwrap().is_none());
    vault.keep_audit_head(b"an older one").unwrap();
    vault.keep_audit_head(HEAD).unwrap();
    assert_eq!(world.audit_head().await, HEAD);
    let bytes = std::fs::read(world.path("vault/audit-head")).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("the head"), "it is sealed");
    let mode = std::fs::metadata(world.path("vault/audit-head")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    assert!(!world.path("vault/audit-head.new").exists());
}

#[tokio::test]
async fn a_changed_head_is_named() {
    let world = World::new();
    opened(&world).await.keep_audit_head(HEAD).unwrap();
    let mut bytes = std::fs::read(world.path("vault/audit-head")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(world.path("vault/audit-head"), bytes).unwrap();
    let error = opened(&world).await.audit_head().unwrap_err().to_string();
    assert!(error.contains("the head of the audit record") && error.contains("changed"), "{error}");
}

#[tokio::test]
async fn a_chain_has_its_key_from_the_first_opening_on_and_through_a_lock() {
    let world = World::new();
    let vault = world.vault();
    assert!(vault.chain_key().is_none(), "nobody needed the vault yet");
    assert!(vault.keep_audit_head(HEAD).is_err());
    vault.ready(Prompt::Never).await.unwrap();
    let key = vault.chain_key().unwrap();
    vault.begin_to_lock().unwrap().finish();
    assert_eq!(vault.chain_key().unwrap().expose(), key.expose());
    vault.keep_audit_head(HEAD).unwrap();
    assert_eq!(opened(&world).await.chain_key().unwrap().expose(), key.expose());
}

#[tokio::test]
async fn a_rekey_gives_the_chain_another_key_and_keeps_the_head() {
    let world = World::new();
    let vault = opened(&world).await;
    vault.keep_audit_head(HEAD).unwrap();
    let before = vault.chain_key().unwrap();
    vault.rekey(None).await.unwrap();
    let after = vault.chain_key().unwrap();
    assert_ne!((before.id(), before.expose()), (after.id(), after.expose()));
    assert_eq!(vault.audit_head().unwrap().unwrap().as_slice(), HEAD);
    assert_eq!(world.audit_head().await, HEAD);
}
