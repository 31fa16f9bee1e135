//! A sign-out in which the daemon dies: it is finished, or it can be asked for again.

use authbroker::platform::fault_point::FaultPoint;
use dev_issuer::Recorded;

use crate::moments::{Crash, die_at_every_moment};
use crate::stand::{Ran, Stand};
use crate::world;

pub(crate) const POINTS: &[FaultPoint] = &[
    FaultPoint::SignOutAsked,
    FaultPoint::SignOutRevoked,
    FaultPoint::ForgetBegun,
    FaultPoint::RecordRemoved,
    // The index, which knows the record no more.
    FaultPoint::FileCreated,
    FaultPoint::FileWritten,
    FaultPoint::FileSynced,
    FaultPoint::FileRenamed,
    FaultPoint::FolderSynced,
    FaultPoint::Forgotten,
    FaultPoint::Answer,
];

fn has_revoked(request: &Recorded) -> bool {
    request.path == "/revoke" && request.status == Some(200)
}

async fn check(stand: &Stand, crash: &Crash<Ran>) {
    let kept = world::record(&crash.found).is_some();
    assert!(!kept || crash.told.code != 0, "the tool was told too much: {crash:?}");
    assert_eq!(world::accounts(stand).await, usize::from(kept), "{crash:?}");
    if kept && stand.issuer.requests().iter().any(has_revoked) {
        let told = stand.ctl(["token"]).await;
        told.assert_fails(3, "the provider ended this sign-in", "brokerctl login dev");
    } else if kept {
        world::assert_gives_a_token_that_works(stand, crash.moment).await;
    }
    if kept {
        assert_eq!(stand.ctl(["logout", "--no-browser"]).await.code, 0, "{crash:?}");
        assert_eq!(world::accounts(stand).await, 0, "{crash:?}");
    }
    world::assert_lets_a_person_in(stand, crash.moment).await;
}

#[tokio::test]
async fn a_sign_out_is_finished_or_can_be_asked_for_again_whenever_the_daemon_dies() {
    let sign_out = async |stand: &Stand| stand.ctl(["logout", "--no-browser"]).await;
    die_at_every_moment(POINTS, async || world::alice(world::strict()).await, sign_out, check)
        .await;
}
