//! Restarts, power cuts, and what lies damaged on the disk.

use std::os::unix::fs::PermissionsExt as _;

use dev_issuer::{Fault, Times};

use crate::stand::{LIMIT, Stand, daemon, daemon_with};

#[tokio::test]
async fn a_restart_keeps_the_sign_in() {
    let mut stand = Stand::signed_in().await;
    stand.restart().await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
    assert_eq!(stand.grants("authorization_code"), 1);
}

#[tokio::test]
async fn a_power_cut_right_after_a_renewal_keeps_the_sign_in() {
    let mut stand = Stand::signed_in().await;
    for _ in 0..3 {
        assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
        stand.kill().await;
        stand.start().await;
    }
    assert_eq!(stand.ctl(["token"]).await.code, 0);
    assert_eq!(stand.grants("authorization_code"), 1);
}

#[tokio::test]
async fn a_power_cut_in_the_middle_of_a_renewal_is_made_good_by_one_repeat() {
    let mut stand = Stand::signed_in().await;
    stand.issuer.inject(Fault::token_hang(), Times::Once);
    let hanging = stand.ctl_command().args(["token", "--force"]).spawn().unwrap();
    stand.renewing().await;
    stand.kill().await;
    drop(hanging);
    stand.start().await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
    assert_eq!(stand.grants("refresh_token"), 2);
}

#[tokio::test]
async fn a_power_cut_between_the_providers_rotation_and_our_receipt_is_named() {
    let mut stand = Stand::signed_in().await;
    stand.issuer.inject(Fault::refresh_lost_answer(), Times::Once);
    let cut_off = stand.ctl_command().args(["token", "--force"]).spawn().unwrap();
    stand.renewing().await;
    stand.kill().await;
    drop(cut_off);
    stand.start().await;
    // A strict provider has ended it by now; nobody can make that good, but it can be said.
    stand.ctl(["token"]).await.assert_fails(3, "a renewal was interrupted", "brokerctl login dev");
    stand.sign_in("alice").await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
}

#[tokio::test]
async fn a_damaged_record_is_named_and_the_other_account_goes_on() {
    let mut stand = Stand::new().await;
    let (alice, bob) = (stand.sign_in("alice").await, stand.sign_in("bob").await);
    stand.terminate().await;
    let record = stand.path(&format!("state/vault/{alice}.record"));
    let mut bytes = std::fs::read(&record).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&record, &bytes).unwrap();
    stand.start().await;
    stand.ctl(["token", &alice]).await.assert_fails(
        8,
        &format!("record {alice}"),
        "brokerctl login",
    );
    assert_eq!(stand.ctl(["token", &bob]).await.code, 0);
    assert_eq!(std::fs::read(&record).unwrap(), bytes, "left as it was");
}

#[tokio::test]
async fn a_record_that_is_garbage_does_not_keep_the_daemon_from_starting() {
    let mut stand = Stand::signed_in().await;
    stand.terminate().await;
    std::fs::write(stand.path("state/vault/dev-aaaaaaaa.record"), b"\0\0garbage").unwrap();
    stand.start().await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
    let status = stand.ctl(["status"]).await;
    assert!(status.out.contains("dev-aaaaaaaa"), "{status:?}");
}

#[tokio::test]
async fn a_missing_key_is_a_locked_vault_and_nothing_is_deleted() {
    let mut stand = Stand::signed_in().await;
    stand.terminate().await;
    let key = std::fs::read(stand.path("key")).unwrap();
    std::fs::remove_file(stand.path("key")).unwrap();
    stand.start().await;
    stand.ctl(["token"]).await.assert_fails(8, "the vault is locked", "");
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json()[0]["state"], "vault-locked");
    std::fs::write(stand.path("key"), key).unwrap();
    std::fs::set_permissions(stand.path("key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(stand.ctl(["token"]).await.code, 0, "it recovers without a restart");
}

#[tokio::test]
async fn a_stale_socket_file_is_no_obstacle() {
    let mut stand = Stand::new().await;
    stand.kill().await;
    assert!(stand.socket().exists(), "a killed daemon leaves its socket");
    stand.start().await;
    assert_eq!(stand.ctl(["status"]).await.code, 0);
}

#[tokio::test]
async fn a_second_daemon_ends_and_says_who_was_first() {
    let stand = Stand::new().await;
    let output = tokio::time::timeout(LIMIT, daemon(stand.folder.path()).output()).await;
    let output = output.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("another broker (process ") && said.contains("\nhint: "), "{said}");
    assert_eq!(stand.ctl(["status"]).await.code, 0, "the first one goes on");
}

#[tokio::test]
async fn a_second_daemon_with_another_runtime_folder_does_not_get_the_same_vault() {
    let stand = Stand::signed_in().await;
    let mut second = daemon_with(stand.folder.path(), &stand.path("another-run"));
    let output = tokio::time::timeout(LIMIT, second.output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let state = stand.path("state").display().to_string();
    assert!(said.contains(&format!("has {state}")) && said.contains("--state-dir"), "{said}");
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0, "the first one goes on");
}

#[tokio::test]
async fn everything_on_disk_is_private() {
    let stand = Stand::signed_in().await;
    for (name, mode) in [
        ("run", 0o700),
        ("state", 0o700),
        ("state/vault", 0o700),
        ("run/broker.sock", 0o600),
        ("run/admin.sock", 0o600),
        ("key", 0o600),
    ] {
        let found = std::fs::metadata(stand.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name} has {found:o}");
    }
    for record in std::fs::read_dir(stand.path("state/vault")).unwrap() {
        let record = record.unwrap();
        assert_eq!(record.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
