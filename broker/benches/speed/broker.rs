//! A broker with people who signed in before it was started.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use authbroker::config::VaultKey;
use authbroker::services::vault::{Prompt, Vault};
use authbroker_core::account::{Account, Grant, Memory, Person};
use authbroker_core::ids::{AccountId, ProviderName};
use authbroker_core::issuer::IssuerUrl;
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use authbroker_core::time::UnixTime;
use tempfile::TempDir;

use crate::provider::Provider;

/// The daemon, until it is dropped.
pub(crate) struct Broker {
    folder: TempDir,
    daemon: Child,
}

impl Broker {
    /// Starts a broker, and gives the accounts' ids: so many at each provider, by its name.
    pub(crate) fn start(providers: &[(&str, &Provider, usize)]) -> (Self, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let rule = "[[rule]]\napp = \"*\"\ndecision = \"allow\"\n";
        let mut config = format!("{rule}[vault]\nkey = \"file:{}\"\n", path("key").display());
        let mut accounts = Vec::new();
        for (name, provider, people) in providers {
            let issuer = provider.issuer();
            let table = format!("[provider.{name}]\nissuer = {issuer:?}\nclient_id = \"bench\"\n");
            config.push_str(&table);
            accounts.extend((0..*people).map(|person| account(name, &issuer, person)));
        }
        std::fs::write(path("config.toml"), config).unwrap();
        remember(folder.path(), &accounts);
        let daemon = start(folder.path());
        (Self { folder, daemon }, accounts.iter().map(|account| account.id.to_string()).collect())
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("run/broker.sock")
    }

    /// Where it keeps what it has.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.id()
    }

    /// Ends the daemon, and leaves what it has on the disk.
    pub(crate) fn stop(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
    }

    /// Starts it on what the last one left.
    pub(crate) fn start_again(&mut self) {
        self.daemon = start(self.folder.path());
    }

    /// A place for another socket.
    pub(crate) fn other_socket(&self) -> PathBuf {
        self.folder.path().join("nothing.sock")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _gone = self.daemon.kill();
        let _reaped = self.daemon.wait();
    }
}

fn account(provider: &str, issuer: &str, person: usize) -> Account {
    let provider = ProviderName::parse(provider).unwrap();
    let issuer = IssuerUrl::parse(issuer).unwrap();
    let subject = format!("person-{person}");
    Account {
        id: AccountId::derive(&provider, &issuer, "bench", &subject),
        provider,
        issuer,
        client_id: "bench".into(),
        subject,
        person: Person::default(),
        auth_time: UnixTime::from_secs(1),
    }
}

fn remember(folder: &Path, accounts: &[Account]) {
    std::fs::create_dir(folder.join("state")).unwrap();
    let grant = Grant {
        refresh_token: Some(Secret::new("refresh-0".into())),
        scopes: ScopeSet::parse("openid").unwrap(),
        ..Grant::default()
    };
    let vault = Vault::open(VaultKey::File(folder.join("key")), &folder.join("state")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for account in accounts {
            let memory = Memory::Granted(grant.clone());
            vault.remember(account, &memory, Prompt::Never).await.unwrap();
        }
    });
}

fn start(folder: &Path) -> Child {
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_brokerd"))
        .args(["--no-dbus", "--ready-fd", "1", "--log", "warn"])
        .arg("--config")
        .arg(folder.join("config.toml"))
        .arg("--runtime-dir")
        .arg(folder.join("run"))
        .arg("--state-dir")
        .arg(folder.join("state"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    daemon.stdout.as_mut().unwrap().read_exact(&mut [0]).expect("the daemon is ready");
    daemon
}
