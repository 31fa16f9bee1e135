//! Disks that are full, and disks that cannot be written: the sign-in lives on in memory, the broker
//! says so, and mends it by itself as soon as it can.

use authbroker_client::{Client, Door, Watch};
use serde_json::Value;

use crate::world::{Disk, Session, issuer, soon};

/// What the broker says while it cannot write.
const UNSAVED: &str = "the disk refuses to keep this sign-in";

/// A session whose vault lies on a small disk, with the key elsewhere.
async fn session_on_a_disk(issuer: &str) -> (Session, Disk) {
    let session = Session::without_bus();
    let key = session.path("home/.config/authbroker/key");
    session.configure(issuer, &format!("file:{}", key.display()));
    let disk = Disk::mount(&session).await;
    (session, disk)
}

impl Session {
    async fn account(&self) -> Value {
        self.brokerctl(&["accounts", "--json"]).await.json()[0].take()
    }

    async fn watch_accounts(&self) -> Watch {
        // A broker on a disk of its own has namespaces of its own, and cannot look into a program
        // outside of them: at the socket for apps, that one would be nobody's.
        let socket = self.runtime_dir().join("admin.sock");
        Client::connect_to(Door::Socket(socket)).await.unwrap().watch().await.unwrap()
    }

    /// Asserts that tokens are given while the one account is not saved, and that everybody who
    /// asks how things are is told.
    async fn assert_lives_on_in_memory(&self) {
        self.brokerctl(&["token"]).await.good();
        let account = self.account().await;
        assert_eq!(account["state"], "ready");
        assert!(account["state_reason"].as_str().unwrap().contains(UNSAVED), "{account}");
        let status = self.brokerctl(&["status", "--json"]).await.json();
        assert!(status["problems"][0].as_str().unwrap().contains(UNSAVED), "{status}");
    }

    /// Waits until it is told that the audit record has no room.
    async fn record_is_refused(&self) {
        let told = async {
            loop {
                let status = self.brokerctl(&["status", "--json"]).await.json();
                if status["problems"].to_string().contains("the audit record cannot be written") {
                    return;
                }
            }
        };
        soon("a record that is refused", told).await;
    }

    /// Waits until the one account is told to be saved, though nobody asks.
    async fn saved(&self, watch: &mut Watch) {
        let saved = async {
            while watch.next().await.unwrap().accounts.iter().all(|a| !a.state_reason.is_empty()) {}
        };
        soon("a write that is tried again", saved).await;
        // The audit record asks the disk again by itself, and at another moment.
        let well = async {
            loop {
                let status = self.brokerctl(&["status", "--json"]).await.json();
                if status["problems"] == serde_json::json!([]) {
                    return;
                }
            }
        };
        soon("a record that can be written again", well).await;
        self.brokerctl(&["audit", "--verify"]).await.good();
    }
}

/// What keeps a disk from being written.
#[derive(Clone, Copy)]
enum Trouble {
    Full,
    ReadOnly,
}

impl Trouble {
    async fn begin(self, disk: &Disk, session: &Session) {
        match self {
            Self::Full => disk.fill(),
            Self::ReadOnly => disk.make_vault_read_only(session).await,
        }
    }

    async fn end(self, disk: &Disk, session: &Session) {
        match self {
            Self::Full => disk.make_room(),
            Self::ReadOnly => disk.make_vault_writable(session).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs unshare, nsenter and mount: ./test.sh runs it"]
async fn a_full_disk_at_the_first_sign_in_is_said_and_mended_as_soon_as_there_is_room() {
    let issuer = issuer().await;
    let (session, disk) = session_on_a_disk(issuer.url()).await;
    let broker = session.brokerd_on(&disk).await;
    disk.fill();
    session.sign_in().await;
    session.assert_lives_on_in_memory().await;
    session.record_is_refused().await;

    let mut watch = session.watch_accounts().await;
    disk.make_room();
    session.saved(&mut watch).await;
    broker.kill().await;
    let _broker = session.brokerd_on(&disk).await;
    session.brokerctl(&["token"]).await.good();
    assert_eq!(session.account().await["state"], "ready");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs unshare, nsenter and mount: ./test.sh runs it"]
async fn a_disk_that_is_full_or_read_only_at_a_renewal_costs_no_sign_in() {
    let issuer = issuer().await;
    let (session, disk) = session_on_a_disk(issuer.url()).await;
    let mut broker = session.brokerd_on(&disk).await;
    session.sign_in().await;
    for trouble in [Trouble::Full, Trouble::ReadOnly] {
        trouble.begin(&disk, &session).await;
        session.brokerctl(&["token", "--force"]).await.good();
        session.assert_lives_on_in_memory().await;
        let mut watch = session.watch_accounts().await;
        trouble.end(&disk, &session).await;
        session.saved(&mut watch).await;
        broker.kill().await;
        broker = session.brokerd_on(&disk).await;
        session.brokerctl(&["token"]).await.good();
    }
    let vault = session.brokerctl(&["vault", "status", "--json"]).await.json();
    assert_eq!((&vault["records"], &vault["broken"]), (&1.into(), &serde_json::json!([])));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs unshare, nsenter and mount: ./test.sh runs it"]
async fn a_broker_starts_on_a_disk_that_cannot_be_written_and_serves_who_is_signed_in() {
    let issuer = issuer().await;
    let (session, disk) = session_on_a_disk(issuer.url()).await;
    let broker = session.brokerd_on(&disk).await;
    session.sign_in().await;
    assert!(broker.end().await.success());
    disk.make_read_only(&session).await;
    let _broker = session.brokerd_on(&disk).await;
    session.brokerctl(&["token"]).await.good();
    session.assert_lives_on_in_memory().await;
    let mut watch = session.watch_accounts().await;
    disk.make_writable(&session).await;
    session.saved(&mut watch).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs unshare, nsenter and mount: ./test.sh runs it"]
async fn on_a_full_disk_a_vault_is_neither_rekeyed_nor_locked_and_nothing_is_lost() {
    let issuer = issuer().await;
    let (session, disk) = session_on_a_disk(issuer.url()).await;
    let broker = session.brokerd_on(&disk).await;
    session.sign_in().await;
    disk.fill();
    let rekey = session.brokerctl(&["vault", "rekey", "--json"]).await;
    assert_eq!(rekey.code, 8, "{rekey:?}");
    assert!(rekey.stderr.contains("make room on that disk"), "{rekey:?}");
    session.brokerctl(&["token", "--force"]).await.good();
    // The new refresh token is in memory alone.
    let lock = session.brokerctl(&["lock", "--json"]).await;
    assert!(lock.stderr.contains("locked now, these would be lost"), "{lock:?}");
    session.brokerctl(&["token"]).await.good();

    let mut watch = session.watch_accounts().await;
    disk.make_room();
    session.saved(&mut watch).await;
    session.brokerctl(&["vault", "rekey"]).await.good();
    broker.kill().await;
    let _broker = session.brokerd_on(&disk).await;
    session.brokerctl(&["token"]).await.good();
}
