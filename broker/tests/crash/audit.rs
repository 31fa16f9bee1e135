//! An audit record whose broker dies over it: the chain goes on, and nobody takes it for damage.

use std::os::unix::process::ExitStatusExt as _;

use authbroker::platform::fault_point::FaultPoint;

use crate::moments::{Moment, start_with};
use crate::stand::{LIMIT, Stand, daemon};
use crate::world;

pub(crate) const POINTS: &[FaultPoint] = &[
    FaultPoint::AuditWritten,
    FaultPoint::AuditRotated,
    FaultPoint::AuditHeadWritten,
    FaultPoint::AuditHeadRenamed,
];

/// Starts a broker that dies over its record, wherever that is: a start has lines by itself.
async fn die_at(stand: &Stand, moment: Moment) {
    let mut broker = daemon(stand.folder.path());
    let mut broker = broker.env("AUTHBROKER_FAULT", moment.fault("kill")).spawn().unwrap();
    let status = tokio::time::timeout(LIMIT, broker.wait()).await;
    let status = status.unwrap_or_else(|_| panic!("{moment:?} was never reached: {}", stand.log()));
    assert_eq!(status.unwrap().signal(), Some(9), "{moment:?}");
}

async fn assert_goes_on(stand: &mut Stand, moment: Moment) {
    stand.start().await;
    world::assert_gives_a_token_that_works(stand, moment).await;
    let check = stand.ctl(["audit", "--verify", "--json"]).await;
    assert_eq!(check.code, 0, "{moment:?}: {check:?}");
    let record = stand.ctl(["audit", "--json"]).await;
    assert!(!record.out.contains("\"damage\"") && !record.out.contains("\"lost\""), "{record:?}");
    stand.terminate().await;
}

/// The passages that every start has.
fn passages(point: FaultPoint) -> std::ops::RangeInclusive<u32> {
    // The first file of a record is begun once.
    if point == FaultPoint::AuditRotated { 1..=1 } else { 1..=2 }
}

#[tokio::test]
async fn a_record_goes_on_whenever_its_broker_dies_over_it() {
    for point in POINTS.iter().copied().filter(|point| *point != FaultPoint::AuditRotated) {
        let mut stand = world::alice(world::strict()).await;
        for passage in passages(point) {
            let moment = Moment { point, passage };
            die_at(&stand, moment).await;
            assert_goes_on(&mut stand, moment).await;
        }
    }
}

#[tokio::test]
async fn a_record_begins_whenever_its_broker_dies_over_its_first_lines() {
    for point in POINTS.iter().copied() {
        for passage in passages(point) {
            let mut stand = world::alice(world::strict()).await;
            std::fs::remove_dir_all(stand.path("state/audit")).unwrap();
            std::fs::remove_file(stand.path("state/vault/audit-head")).unwrap();
            let moment = Moment { point, passage };
            die_at(&stand, moment).await;
            assert_goes_on(&mut stand, moment).await;
        }
    }
}

#[tokio::test]
async fn a_disk_that_refuses_lines_is_told_and_takes_them_later() {
    let moment = Moment { point: FaultPoint::AuditWritten, passage: 1 };
    let mut stand = world::alice(world::strict()).await;
    start_with(&mut stand, &moment.fault("enospc")).await;
    world::assert_gives_a_token_that_works(&stand, moment).await;
    let check = stand.ctl(["audit", "--verify", "--json"]).await;
    assert_eq!(check.code, 0, "{check:?}");
    assert!(stand.log().contains("the audit record cannot be written"), "{}", stand.log());
    assert!(stand.log().contains("the audit record can be written again"), "{}", stand.log());
    let status = stand.ctl(["status", "--json"]).await.json();
    assert_eq!(status["problems"], serde_json::json!([]));
}
