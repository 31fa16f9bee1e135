//! The vault in a person's hands: its key, its lock, a look at it, and what was put back into it.

use authbroker_client::AcquireRequest;
use authbroker_client::wire::broker1::Change;
use dev_issuer::{Fault, Times};
use serde_json::json;

use crate::stand::{LIMIT, Stand, daemon, run, tool};

impl Stand {
    /// What the vault tells about itself.
    async fn vault(&self) -> serde_json::Value {
        self.ctl(["vault", "status", "--json"]).await.json()
    }

    async fn state(&self) -> String {
        let accounts = self.ctl(["accounts", "--json"]).await.json();
        accounts[0]["state"].as_str().unwrap().to_owned()
    }
}

/// Waits until the one account is told to be in a state.
async fn told(watch: &mut authbroker_client::Watch, state: &str) {
    let told = async {
        loop {
            let Change { accounts, .. } = watch.next().await.unwrap();
            if accounts.iter().any(|account| account.state == state) {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, told).await.unwrap_or_else(|_| panic!("{state} was not told"));
}

#[tokio::test]
async fn a_passphrase_is_chosen_at_the_first_unlocking_and_asked_once_per_daemon() {
    let mut stand = Stand::with_vault_key("passphrase").await;
    let locked = stand.ctl(["login", "--no-browser"]).await;
    locked.assert_fails(8, "the vault is locked: its passphrase was not given", "brokerctl unlock");
    let chosen = stand.ctl_with(["unlock"], "open sesame\n").await;
    assert_eq!(chosen.code, 0, "{chosen:?}");
    assert!(chosen.err.contains("Choose the passphrase"), "{chosen:?}");
    stand.sign_in("alice").await;
    assert_eq!(stand.ctl(["unlock"]).await.code, 0, "nothing is asked where it is open");

    stand.restart().await;
    let mut watch = stand.app().await.watch().await.unwrap();
    told(&mut watch, "vault-locked").await;
    stand.ctl(["token"]).await.assert_fails(8, "the vault is locked", "brokerctl unlock");
    let wrong = stand.ctl_with(["unlock"], "open barley\n").await;
    wrong.assert_fails(8, "the passphrase is wrong", "brokerctl unlock");
    let soon = stand.ctl_with(["unlock"], "open sesame\n").await;
    soon.assert_fails(1, "the next one is heard in 1 s", "wait");
    // What was told is true: a moment later the right one is heard.
    let opened =
        async { while stand.ctl_with(["unlock", "--json"], "open sesame\n").await.code != 0 {} };
    tokio::time::timeout(LIMIT, opened).await.unwrap();
    told(&mut watch, "ready").await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
    assert!(!stand.log().contains("open sesame"), "no passphrase in the log, even at its loudest");
}

#[tokio::test]
async fn a_locked_vault_gives_no_token_until_it_is_unlocked() {
    let stand = Stand::signed_in().await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
    let mut watch = stand.app().await.watch().await.unwrap();
    assert_eq!(stand.ctl(["lock", "--json"]).await.json(), json!({"state": "locked"}));
    told(&mut watch, "vault-locked").await;
    let words = "the vault is locked: somebody locked it";
    stand.ctl(["token"]).await.assert_fails(8, words, "brokerctl unlock");
    stand.ctl(["login", "--no-browser"]).await.assert_fails(8, words, "brokerctl unlock");
    assert_eq!(stand.vault().await["state"], "locked");
    assert_eq!(stand.ctl(["lock"]).await.code, 0, "twice is no error");

    assert_eq!(stand.ctl(["unlock", "--json"]).await.json(), json!({"state": "open"}));
    told(&mut watch, "ready").await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
    assert_eq!(stand.grants("authorization_code"), 1);
}

#[tokio::test]
async fn a_sign_in_that_the_lock_overtakes_is_refused_and_nothing_is_exchanged() {
    let stand = Stand::new().await;
    let login = stand.begin_login([]).await;
    assert_eq!(stand.ctl(["lock"]).await.code, 0);
    login.browse("alice").await;
    login.end().await.assert_says(8, "somebody locked it", "brokerctl unlock");
    assert_eq!(stand.grants("authorization_code"), 0);
}

#[tokio::test]
async fn a_lock_waits_for_a_renewal_and_loses_nothing_of_it() {
    let stand = Stand::signed_in().await;
    stand.issuer.inject(Fault::token_hang(), Times::Once);
    let renewal = stand.ctl_command().args(["token", "--force"]).spawn().unwrap();
    stand.renewing().await;
    // Until the provider's time is up, the answer may bring another refresh token.
    assert_eq!(stand.ctl(["lock"]).await.code, 0);
    assert!(!renewal.wait_with_output().await.unwrap().status.success());
    assert_eq!(stand.ctl(["unlock"]).await.code, 0);
    assert_eq!(stand.ctl(["token"]).await.code, 0, "the one repeat that a lost answer allows");
    assert_eq!(stand.grants("refresh_token"), 2);
}

#[tokio::test]
async fn a_vault_in_memory_is_not_locked_because_all_would_be_lost() {
    let stand = Stand::with_vault_key("memory").await;
    stand.ctl(["lock"]).await.assert_fails(2, "a vault in memory cannot be locked", "");
}

#[tokio::test]
async fn the_status_of_a_vault_counts_its_records_and_names_the_broken_ones() {
    let mut stand = Stand::new().await;
    let (alice, bob) = (stand.sign_in("alice").await, stand.sign_in("bob").await);
    let vault = stand.vault().await;
    assert_eq!((&vault["state"], &vault["records"]), (&json!("open"), &json!(2)));
    assert_eq!((&vault["format"], &vault["broken"]), (&json!(2), &json!([])));
    stand.terminate().await;
    let record = stand.path(&format!("state/vault/{bob}.record"));
    let mut bytes = std::fs::read(&record).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&record, bytes).unwrap();
    stand.start().await;
    assert_eq!(stand.ctl(["token", &alice]).await.code, 0);
    let vault = stand.vault().await;
    assert_eq!(vault["broken"][0]["name"], bob.as_str(), "{vault}");
    let told = stand.ctl(["vault", "status"]).await;
    assert!(told.out.contains(&format!("broken    {bob}: ")), "{told:?}");
    assert!(told.out.contains("2 records; each was opened"), "{told:?}");
}

#[tokio::test]
async fn a_record_from_an_older_backup_is_named_and_the_other_account_goes_on() {
    let mut stand = Stand::new().await;
    let (alice, bob) = (stand.sign_in("alice").await, stand.sign_in("bob").await);
    let record = stand.path(&format!("state/vault/{alice}.record"));
    let older = std::fs::read(&record).unwrap();
    assert_eq!(stand.ctl(["token", &alice, "--force"]).await.code, 0);
    stand.kill().await;
    std::fs::write(&record, &older).unwrap();
    stand.start().await;
    let words = format!("record {alice} cannot be used: an older copy of it was put back");
    stand.ctl(["token", &alice]).await.assert_fails(8, &words, "brokerctl login");
    assert_eq!(stand.ctl(["token", &bob]).await.code, 0);
    assert_eq!(stand.grants("refresh_token"), 2, "the used refresh token was not shown again");
    let accounts = stand.ctl(["accounts", "--json"]).await.json();
    let states: Vec<_> = accounts.as_array().unwrap().iter().map(|a| &a["state"]).collect();
    assert!(states.contains(&&json!("interaction-required")), "{accounts}");
    assert_eq!(std::fs::read(&record).unwrap(), older, "left as it was");
    stand.sign_in("alice").await;
    assert_eq!(stand.ctl(["token", &alice]).await.code, 0);
    assert_eq!(stand.vault().await["broken"], json!([]));
}

#[tokio::test]
async fn a_rekey_gives_every_record_a_new_key_and_nobody_notices() {
    let mut stand = Stand::new().await;
    let (alice, bob) = (stand.sign_in("alice").await, stand.sign_in("bob").await);
    let key = std::fs::read(stand.path("key")).unwrap();
    let rekeyed = stand.ctl(["vault", "rekey", "--json"]).await.json();
    assert_eq!(rekeyed, json!({"records": 2, "broken": []}));
    assert_ne!(std::fs::read(stand.path("key")).unwrap(), key);
    assert_eq!(stand.ctl(["token", &alice, "--force"]).await.code, 0);
    stand.kill().await;
    stand.start().await;
    for account in [&alice, &bob] {
        assert_eq!(stand.ctl(["token", account]).await.code, 0);
    }
    assert_eq!(stand.vault().await["broken"], json!([]));
}

#[tokio::test]
async fn a_rekey_with_a_new_passphrase_is_the_one_that_opens_the_vault() {
    let mut stand = Stand::with_vault_key("passphrase").await;
    assert_eq!(stand.ctl_with(["unlock"], "old\n").await.code, 0);
    stand.sign_in("alice").await;
    let ran = stand.ctl_with(["vault", "rekey", "--new-passphrase"], "old\nnew\n").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    stand.restart().await;
    assert_eq!(stand.ctl_with(["unlock"], "new\n").await.code, 0);
    assert_eq!(stand.ctl(["token"]).await.code, 0);
}

#[tokio::test]
async fn a_credential_of_systemd_opens_the_vault_and_another_one_does_not() {
    let mut stand = Stand::prepared(dev_issuer::Options::default()).await;
    stand.put_vault_key("credential:vault");
    let credentials = stand.path("credentials");
    std::fs::create_dir(&credentials).unwrap();
    let give = |text: &str| std::fs::write(credentials.join("vault"), text).unwrap();
    let with_credentials = |stand: &Stand| {
        let mut daemon = daemon(stand.folder.path());
        daemon.env("CREDENTIALS_DIRECTORY", &credentials);
        daemon
    };

    give("too short");
    stand.start_as(&mut with_credentials(&stand)).await;
    let words = "the credential vault has fewer than 32 bytes";
    stand.ctl(["login", "--no-browser"]).await.assert_fails(8, words, "openssl rand");
    give("0123456789abcdef0123456789abcdef");
    stand.sign_in("alice").await;
    stand.terminate().await;

    stand.start_as(&mut with_credentials(&stand)).await;
    assert_eq!(stand.ctl(["token"]).await.code, 0);
    assert_eq!(stand.ctl(["vault", "rekey"]).await.code, 0);
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    stand.terminate().await;

    give("another secret that is as long as it has to be");
    stand.start_as(&mut with_credentials(&stand)).await;
    let words = "the credential vault does not open";
    stand.ctl(["token"]).await.assert_fails(8, words, "brokerctl vault status");
    stand.terminate().await;

    stand.start_as(daemon(stand.folder.path()).env_remove("CREDENTIALS_DIRECTORY")).await;
    let words = "systemd gave this process no credentials";
    stand.ctl(["token"]).await.assert_fails(8, words, "LoadCredential=");
    assert_eq!(stand.state().await, "vault-locked");
}

#[tokio::test]
async fn every_place_of_a_key_is_right_to_the_configuration_check() {
    let stand = Stand::prepared(dev_issuer::Options::default()).await;
    for place in ["keyring", "credential:vault", "file:/etc/key", "passphrase", "memory"] {
        stand.put_vault_key(place);
        let mut check = tool();
        check.args(["config", "check", "--json", "--config"]).arg(stand.path("config.toml"));
        assert_eq!(run(&mut check).await.json()["vault"], place);
    }
}

#[tokio::test]
async fn an_apps_sign_in_takes_the_place_of_a_broken_record() {
    let mut stand = Stand::signed_in().await;
    stand.terminate().await;
    let record = stand.path(&format!("state/vault/{}.record", stand.records()[0]));
    let mut bytes = std::fs::read(&record).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&record, bytes).unwrap();
    stand.start().await;
    let app = stand.app().await;
    let mut pending = app.acquire(AcquireRequest::new().account("dev")).await.unwrap();
    stand.browse_pending(&mut pending, "alice").await;
    let account = pending.done().await.unwrap();
    assert_eq!(stand.ctl(["token", &account]).await.code, 0);
    assert_eq!(stand.vault().await["broken"], json!([]));
}
