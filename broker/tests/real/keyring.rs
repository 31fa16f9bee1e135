//! The vault's key in a real keyring: open, locked, emptied, restarted, and not there at all.

use std::time::{Duration, Instant};

use authbroker_client::{Client, Door, Watch};
use serde_json::{Value, json};

use crate::world::{
    DeafKeyring, Done, Keyring, NAME, ROOT, Running, Session, eventually, issuer, soon,
};

/// What "within seconds" is on a busy machine. The broker itself gives a silent request 20 s.
const SECONDS: Duration = Duration::from_secs(15);

impl Session {
    async fn status(&self) -> Value {
        self.brokerctl(&["status", "--json"]).await.json()
    }

    /// The state of the one account.
    async fn state(&self) -> String {
        let accounts = self.brokerctl(&["accounts", "--json"]).await.json();
        accounts[0]["state"].as_str().unwrap().to_owned()
    }

    /// A look at the accounts that lasts, as an app has it.
    async fn watch(&self) -> Watch {
        let socket = self.runtime_dir().join("broker.sock");
        Client::connect_to(Door::Socket(socket)).await.unwrap().watch().await.unwrap()
    }

    /// The property `State` of the one account, as it stands on the bus.
    async fn state_on_the_bus(&self) -> Value {
        let id = &self.brokerctl(&["accounts", "--json"]).await.json()[0]["id"];
        let path = format!("{ROOT}/accounts/{}", id.as_str().unwrap().replace('-', "_2d"));
        let property = ["get-property", NAME, &path, "org.authbroker.Broker1.Account", "State"];
        self.busctl(&property).await.json()["data"].take()
    }

    /// Signs in with the key in an open keyring, and ends the broker and the keyring.
    async fn signed_in_before(&self, issuer: &str) {
        let keyring = Keyring::unlocked(self).await;
        self.configure(issuer, "keyring");
        let broker = self.brokerd().await;
        self.sign_in().await;
        broker.end().await;
        keyring.end().await;
    }

    /// Asks for a token and holds the answer to what a locked vault owes its user.
    async fn assert_no_token(&self, error: &str, words: &str, hint: &str) {
        let begun = now();
        let refused = self.brokerctl(&["token", "--json"]).await;
        assert!(begun.elapsed() < SECONDS, "{:?}", begun.elapsed());
        assert_failure(&refused, error, words, hint);
    }

    /// Notes every call on the bus from here on.
    async fn monitor(&self) -> Running {
        let mut command = self.command("busctl");
        command.args(["--user", "--json=short", "monitor"]);
        let monitor = self.start_program("monitor", command).await;
        let is_monitoring = async || monitor.errors().contains("Monitoring").then_some(());
        eventually("a monitor", is_monitoring).await;
        monitor
    }

    /// The methods that were called on the keyring since the monitor began.
    async fn calls_to_the_keyring(&self, mut monitor: Running) -> Vec<String> {
        // Messages come in order: when this call shows up, everything before it has.
        self.ask_bus("NameHasOwner", &["s", "the.last.call"]).await;
        let mut calls = Vec::new();
        loop {
            let message = monitor.json().await;
            if message["payload"]["data"] == json!(["the.last.call"]) {
                return calls;
            }
            let interface = message["interface"].as_str().unwrap_or_default();
            if message["type"] == "method_call" && interface.starts_with("org.freedesktop.Secret") {
                calls.push(message["member"].as_str().unwrap().to_owned());
            }
        }
    }
}

/// Waits until the one account is told to be in a state.
async fn told(watch: &mut Watch, state: &str) {
    let told = async {
        while watch.next().await.unwrap().accounts.iter().all(|account| account.state != state) {}
    };
    soon(state, told).await;
}

/// How many threads of the broker wait for a keyring.
fn keyring_threads(broker: &Running) -> usize {
    let threads = format!("/proc/{}/task", broker.pid().as_raw_nonzero());
    let names = std::fs::read_dir(threads).unwrap().filter_map(|thread| {
        // A thread may end while it is looked at.
        std::fs::read_to_string(thread.ok()?.path().join("comm")).ok()
    });
    names.filter(|name| name.trim() == "keyring").count()
}

#[expect(clippy::disallowed_methods, reason = "how long a person waits is the point")]
fn now() -> Instant {
    Instant::now()
}

/// Contract §4: exit code 8, and in JSON the name, the sentence and the way out.
fn assert_failure(refused: &Done, error: &str, words: &str, hint: &str) {
    assert_eq!(refused.code, 8, "{refused:?}");
    let told: Value = serde_json::from_str(&refused.stderr).unwrap();
    assert_eq!(told["error"], error, "{told}");
    assert!(told["message"].as_str().unwrap().contains(words), "{told}");
    assert!(told["hint"].as_str().unwrap().contains(hint), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and gnome-keyring: ./test.sh runs it"]
async fn an_open_keyring_keeps_the_sign_in_over_a_restart() {
    let (session, issuer) = (Session::start().await, issuer().await);
    let _keyring = Keyring::unlocked(&session).await;
    session.configure(issuer.url(), "keyring");

    let broker = session.brokerd().await;
    session.sign_in().await;
    let first = session.brokerctl(&["token"]).await.good();
    assert!(broker.end().await.success());
    let _broker = session.brokerd().await;
    let second = session.brokerctl(&["token"]).await.good();
    assert_ne!(first, second, "only the refresh token is kept");
    assert_eq!(session.status().await["vault"]["state"], "open");
    assert_eq!(session.opened(), Vec::<String>::new(), "no browser");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and gnome-keyring: ./test.sh runs it"]
async fn a_locked_keyring_is_told_of_and_neither_waited_for_nor_prompted() {
    let (session, issuer) = (Session::start().await, issuer().await);
    let keyring = Keyring::unlocked(&session).await;
    session.configure(issuer.url(), "keyring");
    let broker = session.brokerd().await;
    session.sign_in().await;
    broker.end().await;
    keyring.end().await;
    let records = session.records();
    assert_eq!(records.len(), 1, "{records:?}");

    let keyring = Keyring::locked(&session).await;
    let monitor = session.monitor().await;
    let _broker = session.brokerd().await;
    session.assert_no_token("VaultLocked", "the keyring is locked", "brokerctl unlock").await;
    assert_eq!(session.state().await, "vault-locked");
    let vault = session.status().await["vault"].take();
    assert_eq!((&vault["state"], &vault["key"]), (&json!("locked"), &json!("keyring")));
    assert_eq!(session.records(), records, "nothing is deleted");
    let calls = session.calls_to_the_keyring(monitor).await;
    assert!(calls.contains(&"ReadAlias".to_owned()), "{calls:?}");
    assert!(!calls.iter().any(|call| call == "Unlock" || call == "Prompt"), "{calls:?}");

    // The person logs in properly: another keyring daemon, the same broker.
    keyring.end().await;
    let _keyring = Keyring::unlocked(&session).await;
    session.brokerctl(&["token"]).await.good();
    assert_eq!(session.state().await, "ready");
    assert_eq!(session.status().await["problems"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and gnome-keyring: ./test.sh runs it"]
async fn a_keyring_that_comes_back_is_used_again() {
    let (session, issuer) = (Session::start().await, issuer().await);
    let keyring = Keyring::unlocked(&session).await;
    session.configure(issuer.url(), "keyring");
    let broker = session.brokerd().await;
    session.sign_in().await;
    broker.end().await;
    keyring.end().await;

    let _broker = session.brokerd().await;
    session.assert_no_token("VaultLocked", "no keyring answers", "start a keyring").await;
    let _keyring = Keyring::unlocked(&session).await;
    session.brokerctl(&["token"]).await.good();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and gnome-keyring: ./test.sh runs it"]
async fn a_keyring_that_lost_the_key_means_a_damaged_vault_not_an_empty_one() {
    let (session, issuer) = (Session::start().await, issuer().await);
    let keyring = Keyring::unlocked(&session).await;
    session.configure(issuer.url(), "keyring");
    let broker = session.brokerd().await;
    session.sign_in().await;
    broker.end().await;
    keyring.end().await;
    let records = session.records();

    std::fs::remove_dir_all(session.path("home/.local/share/keyrings")).unwrap();
    let _keyring = Keyring::unlocked(&session).await;
    let _broker = session.brokerd().await;
    let words = "the keyring has no entry authbroker/vault-key";
    session.assert_no_token("VaultDamaged", words, "brokerctl").await;
    assert_eq!(session.records(), records, "nothing is deleted");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and gnome-keyring: ./test.sh runs it"]
async fn without_a_keyring_a_sign_in_does_not_even_begin() {
    let issuer = issuer().await;
    for session in [Session::start().await, Session::without_bus()] {
        session.configure(issuer.url(), "keyring");
        let _broker = session.brokerd().await;
        let begun = now();
        let refused = session.brokerctl(&["login", "--no-browser", "--json"]).await;
        assert!(begun.elapsed() < SECONDS, "{:?}", begun.elapsed());
        assert_failure(&refused, "VaultLocked", "no keyring answers", "[vault] key = \"file:");
        assert_eq!(refused.stdout, "", "no address to open");
        assert_eq!(session.records(), Vec::<std::path::PathBuf>::new());
    }
    assert!(issuer.requests().iter().all(|request| request.path != "/authorize"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and gnome-keyring: ./test.sh runs it"]
async fn who_watches_is_told_of_a_locked_keyring_and_of_its_unlocking_though_nobody_asks() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.signed_in_before(issuer.url()).await;
    let keyring = Keyring::locked(&session).await;
    let monitor = session.monitor().await;
    let _broker = session.brokerd().await;
    let mut watch = session.watch().await;
    told(&mut watch, "vault-locked").await;
    assert_eq!(session.state_on_the_bus().await, "vault-locked");
    keyring.unlock(&session).await;
    told(&mut watch, "ready").await;
    assert_eq!(session.state_on_the_bus().await, "ready");
    session.brokerctl(&["token"]).await.good();
    let calls = session.calls_to_the_keyring(monitor).await;
    assert!(!calls.iter().any(|call| call == "Prompt"), "nobody was asked: {calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and gnome-keyring: ./test.sh runs it"]
async fn who_watches_is_told_when_another_keyring_daemon_takes_over_though_nobody_asks() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.signed_in_before(issuer.url()).await;
    let keyring = Keyring::locked(&session).await;
    let broker = session.brokerd().await;
    let mut watch = session.watch().await;
    told(&mut watch, "vault-locked").await;
    keyring.end().await;
    let keyring = Keyring::unlocked(&session).await;
    told(&mut watch, "ready").await;

    // With the key in memory, no keyring is needed any more.
    keyring.end().await;
    session.brokerctl(&["token", "--force"]).await.good();
    assert_eq!(session.state().await, "ready");
    assert_eq!(keyring_threads(&broker), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and gnome-keyring: ./test.sh runs it"]
async fn unlocking_has_the_keyring_ask_and_a_token_alone_never_does() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.signed_in_before(issuer.url()).await;
    let _keyring = Keyring::locked(&session).await;
    let _broker = session.brokerd().await;
    let monitor = session.monitor().await;
    session.assert_no_token("VaultLocked", "the keyring is locked", "brokerctl unlock").await;
    let calls = session.calls_to_the_keyring(monitor).await;
    assert!(!calls.iter().any(|call| call == "Unlock"), "{calls:?}");

    // Nothing in this session can show a prompt: the keyring tries, and says so.
    let monitor = session.monitor().await;
    let refused = session.brokerctl(&["unlock", "--json"]).await;
    assert_failure(&refused, "VaultLocked", "the vault is locked", "brokerctl unlock");
    let calls = session.calls_to_the_keyring(monitor).await;
    assert!(calls.contains(&"Prompt".to_owned()), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and gnome-keyring: ./test.sh runs it"]
async fn a_rekey_puts_a_new_key_into_the_keyring() {
    let (session, issuer) = (Session::start().await, issuer().await);
    let _keyring = Keyring::unlocked(&session).await;
    session.configure(issuer.url(), "keyring");
    let broker = session.brokerd().await;
    session.sign_in().await;
    let record = std::fs::read(&session.records()[0]).unwrap();
    let rekeyed = session.brokerctl(&["vault", "rekey", "--json"]).await.json();
    assert_eq!(rekeyed, json!({"records": 1, "broken": []}));
    assert_ne!(std::fs::read(&session.records()[0]).unwrap(), record);
    session.brokerctl(&["lock"]).await.good();
    session.brokerctl(&["unlock"]).await.good();
    session.brokerctl(&["token"]).await.good();
    assert!(broker.end().await.success());
    let _broker = session.brokerd().await;
    session.brokerctl(&["token"]).await.good();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and gnome-keyring: ./test.sh runs it"]
async fn a_keyring_that_never_answers_costs_one_thread_and_nobody_waits_for_it() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.signed_in_before(issuer.url()).await;
    let deaf = DeafKeyring::start(&session).await;
    let broker = session.brokerd().await;
    // The broker has asked by itself; whoever comes meanwhile does not wait for that.
    session.assert_no_token("VaultLocked", "its key was asked for and has not come yet", "").await;
    let given_up = async || (session.status().await["vault"]["state"] == "locked").then_some(());
    eventually("the end of the broker's own question", given_up).await;
    let words = "an earlier question to the keyring is still open";
    for _ in 0..3 {
        session.assert_no_token("VaultLocked", words, "").await;
    }
    assert_eq!(keyring_threads(&broker), 1);
    let mut watch = session.watch().await;
    deaf.end().await;
    let _keyring = Keyring::unlocked(&session).await;
    told(&mut watch, "ready").await;
    session.brokerctl(&["token"]).await.good();
    assert_eq!(keyring_threads(&broker), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and gnome-keyring: ./test.sh runs it"]
async fn a_frozen_keyring_does_not_hold_up_the_start_and_is_used_when_it_goes_on() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.signed_in_before(issuer.url()).await;
    let keyring = Keyring::unlocked(&session).await;
    keyring.freeze();
    let begun = now();
    let _broker = session.brokerd().await;
    assert!(begun.elapsed() < SECONDS, "{:?}", begun.elapsed());
    let mut watch = session.watch().await;
    told(&mut watch, "vault-locked").await;
    session.assert_no_token("VaultLocked", "the vault is locked: ", "").await;
    keyring.thaw();
    session.brokerctl(&["unlock"]).await.good();
    session.brokerctl(&["token"]).await.good();
}
