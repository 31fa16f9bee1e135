//! What the stories share: a provider that tells whether a token works, and a look at the vault.

use std::collections::BTreeMap;
use std::time::Duration;

use dev_issuer::Options;

use crate::moments::Moment;
use crate::stand::{RESOURCE, Stand};

/// The files of a vault, by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A provider that takes a refresh token once, and one that forgives a lost answer.
pub(crate) fn strict() -> Options {
    Options::default()
}

pub(crate) fn with_grace() -> Options {
    Options { refresh_grace: Duration::from_mins(1), ..Options::default() }
}

/// A stand without a daemon. Its tokens are for the provider's own `/userinfo`, so that they can be
/// tried out there.
pub(crate) async fn nobody(options: Options) -> Stand {
    let mut stand = Stand::with(options).await;
    let config = std::fs::read_to_string(stand.path("config.toml")).unwrap();
    let config = config.replace(RESOURCE, &userinfo(&stand));
    std::fs::write(stand.path("config.toml"), config).unwrap();
    stand.terminate().await;
    stand
}

/// The same, with alice signed in.
pub(crate) async fn alice(options: Options) -> Stand {
    let mut stand = nobody(options).await;
    stand.start().await;
    stand.sign_in("alice").await;
    stand.terminate().await;
    stand
}

fn userinfo(stand: &Stand) -> String {
    format!("{}/userinfo", stand.issuer.url())
}

/// Asserts that the daemon gives a token, and that the provider takes it.
pub(crate) async fn assert_gives_a_token_that_works(stand: &Stand, moment: Moment) {
    let ran = stand.ctl(["token"]).await;
    assert_eq!(ran.code, 0, "{moment:?}: {ran:?}");
    let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
    let asked =
        client.get(userinfo(stand)).header("authorization", format!("Bearer {}", ran.line()));
    let status = asked.send().await.unwrap().status();
    assert_eq!(status, 200, "{moment:?}: a dead token was handed on");
}

/// Asserts that a person can sign in, whatever there was before, and gets tokens.
pub(crate) async fn assert_lets_a_person_in(stand: &Stand, moment: Moment) {
    stand.sign_in("alice").await;
    assert_gives_a_token_that_works(stand, moment).await;
    assert_eq!(accounts(stand).await, 1, "{moment:?}");
}

/// How many accounts there are.
pub(crate) async fn accounts(stand: &Stand) -> usize {
    stand.ctl(["accounts", "--json"]).await.json().as_array().unwrap().len()
}

pub(crate) fn files(stand: &Stand) -> Files {
    let entries = std::fs::read_dir(stand.path("state/vault")).unwrap().map(Result::unwrap);
    let named = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(named).collect()
}

/// The record among them, if there is one.
pub(crate) fn record(files: &Files) -> Option<&[u8]> {
    let is_record = |name: &String| name.ends_with(".record");
    files.iter().find(|(name, _)| is_record(name)).map(|(_, bytes)| bytes.as_slice())
}

/// Asserts that a daemon which has just started found nothing broken, and left nothing unfinished.
pub(crate) fn assert_whole(stand: &Stand, moment: Moment) {
    for name in files(stand).keys() {
        assert!(!name.starts_with('.'), "{moment:?}: {name} is left over");
    }
    assert!(!stand.log().contains("cannot be used"), "{moment:?}: {}", stand.log());
}
