//! A sign-in in which the daemon dies: it is kept whole, or not at all.

use authbroker::platform::fault_point::FaultPoint;
use dev_issuer::ACCOUNTS;
use dev_issuer::user_agent::{Consent, UserAgent};

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
async fn a_second_sign_in_costs_nothing_of_the_first_whenever_the_daemon_dies() {
    let begin = async || world::alice(world::strict()).await;
    die_at_every_moment(POINTS, begin, sign_in, async |stand: &Stand, crash: &Crash<Told>| {
        assert_eq!(world::accounts(stand).await, 1, "{crash:?}");
        world::assert_gives_a_token_that_works(stand, crash.moment).await;
        assert_eq!(stand.grants("refresh_token"), 1, "{crash:?}");
    })
    .await;
}
