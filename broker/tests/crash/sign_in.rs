//! A sign-in in which the daemon dies: it is kept whole, or not at all.

use std::time::Duration;

use authbroker::platform::fault_point::FaultPoint;
use dev_issuer::user_agent::{Consent, UserAgent};
use dev_issuer::{ACCOUNTS, Options};

use crate::moments::{Crash, die_at_every_moment};
use crate::stand::{LIMIT, Ran, Stand};
use crate::world;

pub(crate) const POINTS: &[FaultPoint] = &[
    FaultPoint::SignInCode,
    FaultPoint::SignInExchanged,
    FaultPoint::RememberBegun,
    FaultPoint::FileCreated,
    FaultPoint::FileWritten,
    FaultPoint::FileSynced,
    FaultPoint::FileRenamed,
    FaultPoint::FolderSynced,
    FaultPoint::NoteRemoved,
    FaultPoint::Remembered,
    FaultPoint::Answer,
    FaultPoint::SignInAnswered,
];

/// The points of a sign-in with a code on another device: no browser of ours has a part in it.
const WITH_CODE: &[FaultPoint] = &[
    FaultPoint::SignInExchanged,
    FaultPoint::RememberBegun,
    FaultPoint::FileCreated,
    FaultPoint::FileWritten,
    FaultPoint::FileSynced,
    FaultPoint::FileRenamed,
    FaultPoint::FolderSynced,
    FaultPoint::NoteRemoved,
    FaultPoint::Remembered,
    FaultPoint::Answer,
];

/// What the person at the browser saw in the end, if anything, and what the tool said.
#[derive(Debug)]
struct Told {
    page: Option<String>,
    tool: Ran,
}

async fn sign_in(stand: &Stand) -> Told {
    let login = stand.begin_login([]).await;
    let alice = ACCOUNTS.iter().find(|account| account.username == "alice").unwrap();
    let browser = UserAgent::new().unwrap();
    let visit = browser.sign_in(&login.url, alice.username, alice.password, Consent::Allow);
    let visit = tokio::time::timeout(LIMIT, visit).await.unwrap();
    // Where the daemon has died, nobody answers the browser.
    Told { page: visit.ok().map(|visit| visit.title), tool: login.end().await }
}

async fn sign_in_with_code(stand: &Stand) -> Told {
    let mut login = stand.begin_login(["--device"]).await;
    let code = login.line().await;
    let alice = ACCOUNTS.iter().find(|account| account.username == "alice").unwrap();
    let browser = UserAgent::new().unwrap();
    let (page, consent) = (login.url.clone(), Consent::Allow);
    // The daemon may have died before it had a code, while it made the vault's key.
    if !page.is_empty() {
        let visit = browser.answer_device(&page, &code, alice.username, alice.password, consent);
        tokio::time::timeout(LIMIT, visit).await.unwrap().unwrap();
    }
    Told { page: None, tool: login.end().await }
}

/// Asserts that what anybody was told is true, and that a second sign-in makes good what was lost.
async fn check(stand: &Stand, crash: &Crash<Told>) {
    let kept = world::record(&crash.found).is_some();
    assert!(kept || crash.told.tool.code != 0, "the tool was told too much: {crash:?}");
    assert!(kept || crash.told.page.is_none(), "the person was told too much: {crash:?}");
    assert_eq!(world::accounts(stand).await, usize::from(kept), "{crash:?}");
    if kept {
        world::assert_gives_a_token_that_works(stand, crash.moment).await;
    }
    world::assert_lets_a_person_in(stand, crash.moment).await;
}

#[tokio::test]
async fn a_sign_in_is_kept_whole_or_not_at_all_whenever_the_daemon_dies() {
    die_at_every_moment(POINTS, async || world::nobody(world::strict()).await, sign_in, check)
        .await;
}

#[tokio::test]
async fn a_sign_in_on_another_device_is_kept_whole_or_not_at_all_whenever_the_daemon_dies() {
    let quick = || Options { device_interval: Some(Duration::from_secs(1)), ..world::strict() };
    let begin = async || world::nobody(quick()).await;
    die_at_every_moment(WITH_CODE, begin, sign_in_with_code, check).await;
}

#[tokio::test]
async fn a_second_sign_in_costs_nothing_of_the_first_whenever_the_daemon_dies() {
    let begin = async || world::alice(world::strict()).await;
    die_at_every_moment(POINTS, begin, sign_in, async |stand: &Stand, crash: &Crash<Told>| {
        assert_eq!(world::accounts(stand).await, 1, "{crash:?}");
        world::assert_gives_a_token_that_works(stand, crash.moment).await;
        assert_eq!(stand.grants("refresh_token"), 1, "{crash:?}");
    })
    .await;
}
