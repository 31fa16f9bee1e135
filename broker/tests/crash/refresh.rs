//! A renewal in which the daemon dies.
//!
//! The provider has either not been asked, or it has rotated the refresh token. If it has, the new
//! one is either in the vault, or only the provider knows it: then a strict provider has ended the
//! sign-in, and nobody can make that good.

use authbroker::platform::fault_point::FaultPoint;
use dev_issuer::{Fault, Options, Recorded, Times};

use crate::moments::{Crash, die_at_every_moment};
use crate::stand::{Ran, Stand};
use crate::world;

pub(crate) const POINTS: &[FaultPoint] = &[
    FaultPoint::NoteMade,
    FaultPoint::RefreshIntended,
    FaultPoint::RefreshAnswered,
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

/// The points of a renewal that the provider puts off: there is nothing to write.
const PUT_OFF: &[FaultPoint] = &[
    FaultPoint::NoteMade,
    FaultPoint::RefreshIntended,
    FaultPoint::RefreshAnswered,
    FaultPoint::NoteRemoved,
    FaultPoint::Answer,
];

async fn renewal(stand: &Stand) -> Ran {
    stand.ctl(["token", "--force"]).await
}

fn has_rotated(request: &Recorded) -> bool {
    request.is_grant("refresh_token") && request.status == Some(200)
}

/// Dies at every moment of a renewal, and asserts of each what every provider allows.
async fn die_in_renewals_at(provider: fn() -> Options, check: impl AsyncFn(&Stand, &Crash<Ran>)) {
    die_at_every_moment(
        POINTS,
        async || world::alice(provider()).await,
        renewal,
        async |stand: &Stand, crash: &Crash<Ran>| {
            let kept = world::record(&crash.found) != world::record(&crash.before);
            assert!(kept || crash.told.code != 0, "answered before it was kept: {crash:?}");
            let asked = stand.grants("refresh_token");
            check(stand, crash).await;
            let asked_again = stand.grants("refresh_token") - asked;
            assert_eq!(asked_again, 1, "one repeat, or the first request: {crash:?}");
            // What was lost can be had again, and what was kept goes on.
            if stand.ctl(["token", "--force"]).await.code != 0 {
                world::assert_lets_a_person_in(stand, crash.moment).await;
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_strict_provider_ends_only_what_it_has_rotated_and_we_have_not_kept() {
    die_in_renewals_at(world::strict, async |stand, crash| {
        let kept = world::record(&crash.found) != world::record(&crash.before);
        let rotated = stand.issuer.requests().iter().any(has_rotated);
        if rotated && !kept {
            let told = stand.ctl(["token"]).await;
            told.assert_fails(3, "a renewal was interrupted", "brokerctl login dev");
            let told_again = stand.ctl(["token"]).await;
            told_again.assert_fails(3, "a renewal was interrupted", "brokerctl login dev");
        } else {
            world::assert_gives_a_token_that_works(stand, crash.moment).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_provider_with_a_grace_loses_nothing_whenever_the_daemon_dies() {
    die_in_renewals_at(world::with_grace, async |stand, crash| {
        world::assert_gives_a_token_that_works(stand, crash.moment).await;
    })
    .await;
}

/// Dies at every moment of a renewal at a provider with a fault that costs nothing.
async fn die_where_nothing_is_at_stake(points: &[FaultPoint], fault: Fault) {
    let begin = async || {
        let stand = world::alice(world::strict()).await;
        stand.issuer.inject(fault, Times::Always);
        stand
    };
    die_at_every_moment(points, begin, renewal, async |stand: &Stand, crash: &Crash<Ran>| {
        stand.issuer.clear_faults();
        let asked = stand.grants("refresh_token");
        world::assert_gives_a_token_that_works(stand, crash.moment).await;
        assert_eq!(stand.grants("refresh_token"), asked + 1, "{crash:?}");
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_does_not_rotate_loses_nothing_whenever_the_daemon_dies() {
    die_where_nothing_is_at_stake(POINTS, Fault::refresh_no_new_token()).await;
}

#[tokio::test]
async fn a_provider_that_puts_off_a_renewal_loses_nothing_whenever_the_daemon_dies() {
    die_where_nothing_is_at_stake(PUT_OFF, Fault::refresh_503_retry_after()).await;
}
