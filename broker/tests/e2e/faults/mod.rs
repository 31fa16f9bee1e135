//! The fault matrix: what a provider, a network or another process brings, group by group. Each
//! fault is a definite error that names its cause; nothing is kept, no request follows it, and the
//! next good sign-in works.

mod device;
mod discovery;
mod id_token;
mod keys;
mod machine;
mod redirect;
mod refresh;
mod token;

use std::net::TcpListener;
use std::time::Duration;

use dev_issuer::{Fault, Options, Times};

use crate::stand::{Ran, Stand};

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Longer than the slowest disk takes for a file.
const LONG: Duration = Duration::from_mins(1);

/// A stand, and a listener at the address that redirects lead to: nobody may come there.
struct Ordeal {
    stand: Stand,
    elsewhere: TcpListener,
}

impl Ordeal {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let address = format!("http://{}/", elsewhere.local_addr().unwrap());
        let stand = Stand::with(Options { elsewhere: address, ..options }).await;
        Self { stand, elsewhere }
    }

    /// The same with Alice signed in, so that the broker has metadata and keys at hand.
    async fn warm() -> Self {
        let ordeal = Self::new().await;
        ordeal.stand.sign_in("alice").await;
        ordeal
    }

    /// Bob signs in while `faults` happen. He is told `words`, the tool ends with `code`, the broker
    /// asks for `asked` and nothing else, and nothing is kept of him.
    async fn refuses(&self, faults: &[Fault], code: i32, words: &str, asked: &[&str]) {
        let before = self.stand.issuer.requests().len();
        self.stand.always(faults);
        self.bob_tries().await.assert_fails(code, words, "");
        self.stand.issuer.clear_faults();
        assert_eq!(self.asked_since(before), asked, "{faults:?}");
        self.nothing_is_kept_of("bob").await;
    }

    /// Bob signs in although `faults` happen, and has a token.
    async fn bears(&self, faults: &[Fault]) {
        self.stand.always(faults);
        let ran = self.bob_tries().await;
        assert_eq!(ran.code, 0, "{faults:?}: {ran:?}");
        assert_eq!(self.stand.ctl(["token", ran.line()]).await.code, 0, "{faults:?}");
        self.stand.issuer.clear_faults();
        self.nobody_went_elsewhere();
    }

    async fn bob_tries(&self) -> Ran {
        let login = self.stand.begin_login([]).await;
        if !login.url.is_empty() {
            let visit = login.browse("bob").await;
            let failed = visit.text.contains("You are not signed in.");
            assert_eq!(visit.status == 200, !failed, "the page says how it went: {visit:?}");
        }
        login.end().await
    }

    /// What the broker itself has asked for, after the first `before` requests: the rest of them
    /// comes from the browser.
    fn asked_since(&self, before: usize) -> Vec<String> {
        let pages = ["/authorize", "/sign-in", "/choose", "/consent"];
        let paths =
            self.stand.issuer.requests().into_iter().skip(before).map(|request| request.path);
        paths.filter(|path| !pages.contains(&path.as_str())).collect()
    }

    async fn nothing_is_kept_of(&self, username: &str) {
        let accounts = self.stand.ctl(["accounts", "--json"]).await.json();
        let accounts = accounts.as_array().unwrap();
        assert!(accounts.iter().all(|account| account["username"] != username), "{accounts:?}");
        assert_eq!(self.stand.vault_files().await, accounts.len());
        self.nobody_went_elsewhere();
    }

    fn nobody_went_elsewhere(&self) {
        let came = self.elsewhere.accept().map(|(_, from)| from);
        assert!(came.is_err(), "{came:?} followed where it was led");
    }

    /// The next good sign-in works.
    async fn all_is_well(&self) {
        self.stand.sign_in("alice").await;
        assert_eq!(self.stand.ctl(["token"]).await.code, 0);
    }
}

impl Stand {
    fn always(&self, faults: &[Fault]) {
        for fault in faults {
            self.issuer.inject(*fault, Times::Always);
        }
    }

    /// How many files the vault has of accounts: records, and notes of uses. A file that is being
    /// written is waited for: its name does not say yet whose it is, and it may be the record's head.
    async fn vault_files(&self) -> usize {
        let names = || {
            let files = std::fs::read_dir(self.path("state/vault")).unwrap();
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
        };
        let finished = async {
            loop {
                let names = names();
                if !names.iter().any(|name| name.starts_with(".new-")) {
                    return names;
                }
                tokio::task::yield_now().await;
            }
        };
        let names = tokio::time::timeout(LONG, finished).await.expect("a file is left unfinished");
        names.iter().filter(|name| *name != "index" && *name != "audit-head").count()
    }

    /// Changes the configuration under the running daemon.
    async fn reconfigure(&self, change: impl Fn(&str) -> String) {
        let text = std::fs::read_to_string(self.path("config.toml")).unwrap();
        std::fs::write(self.path("config.toml"), change(&text)).unwrap();
        assert_eq!(self.ctl(["reload"]).await.code, 0);
    }
}
