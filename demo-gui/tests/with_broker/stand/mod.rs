//! The world of a test: a folder of its own, a broker on a socket in it, an API on loopback.

mod api;
mod broker;
#[cfg(target_os = "linux")]
mod real;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use api::{Api, Mood, SignIn};
use authbroker_client::Account;
pub(crate) use broker::{Broker, Person, World};
#[cfg(target_os = "linux")]
pub(crate) use real::RealBroker;
use tempfile::TempDir;

/// How long anything may take before a test gives it up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A folder, an API, and a broker that may or may not run.
pub(crate) struct Stand {
    folder: TempDir,
    pub(crate) api: Api,
}

impl Stand {
    pub(crate) async fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), api: Api::start().await }
    }

    /// Where the broker listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("broker.sock")
    }

    /// A broker with nobody signed in.
    pub(crate) fn broker(&self) -> Broker {
        Broker::start(&self.socket(), World::default())
    }

    /// A broker where Alice is signed in already.
    pub(crate) fn broker_with_alice(&self) -> Broker {
        let accounts = vec![self.alice()];
        Broker::start(&self.socket(), World { accounts, ..World::default() })
    }

    /// Alice, with a picture at the API's address.
    pub(crate) fn alice(&self) -> Account {
        Account { picture: format!("{}/alice.png", self.api.url()), ..alice() }
    }

    /// What the program is started with.
    pub(crate) fn args(&self) -> Vec<String> {
        let socket = self.socket().to_str().unwrap().to_owned();
        let api = self.api.url().to_owned();
        ["--socket", &socket, "--api", &api, "--resource", "urn:demo"].map(str::to_owned).to_vec()
    }
}

pub(crate) fn alice() -> Account {
    Account {
        id: "demo-alice".into(),
        provider: "demo".into(),
        issuer: "https://login.example".into(),
        username: "alice".into(),
        label: "Alice Adams".into(),
        subject: "u-1".into(),
        state: "ready".into(),
        ..Account::default()
    }
}
