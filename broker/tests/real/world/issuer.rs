//! The development issuer, and the person at it.

use dev_issuer::user_agent::{Consent, UserAgent, Visit};
use dev_issuer::{Issuer, Options};

use super::{Session, soon};

/// The API that tokens are for.
pub(crate) const API: &str = "https://api.example";

/// An issuer that gives tokens for [`API`].
pub(crate) async fn issuer() -> Issuer {
    let options = Options { resources: vec![API.to_owned()], ..Options::default() };
    Issuer::start(options).await.unwrap()
}

/// Alice follows an address, signs in, agrees, and lands on the broker's page.
pub(crate) async fn sign_in_at(address: &str) -> Visit {
    let browser = UserAgent::new().unwrap();
    let journey = browser.sign_in(address, "alice", "wonderland", Consent::Allow);
    let visit = soon("a sign-in", journey).await.unwrap();
    assert!(visit.text.contains("Alice Adams"), "{visit:?}");
    visit
}

impl Session {
    /// Signs Alice in with the admin tool; gives the account's id.
    pub(crate) async fn sign_in(&self) -> String {
        let mut login = self.start_brokerctl(&["login", "--no-browser"]).await;
        sign_in_at(&login.line().await).await;
        let id = login.line().await;
        assert!(login.ended().await.success());
        id
    }
}
