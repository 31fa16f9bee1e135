//! A disk that refuses, and a daemon that stands still at the worst moment.

use std::path::Path;

use authbroker::platform::fault_point::FaultPoint;
use rustix::process::{Pid, Signal, kill_process};

use crate::moments::{Moment, start_with};
use crate::stand::{LIMIT, Stand};
use crate::world;

/// Every step of a write at which a disk may refuse.
const STEPS: [(FaultPoint, &str); 5] = [
    (FaultPoint::FileCreated, "enospc"),
    (FaultPoint::FileWritten, "enospc"),
    (FaultPoint::FileSynced, "eio"),
    (FaultPoint::FileRenamed, "eio"),
    (FaultPoint::FolderSynced, "eio"),
];

#[tokio::test]
async fn a_sign_in_lives_on_in_memory_while_the_disk_refuses_and_is_kept_when_it_does_not() {
    // The record's file, and that of the index after it.
    let steps = [1, 2].map(|passage| STEPS.map(|(point, what)| (Moment { point, passage }, what)));
    let refused = steps.concat().into_iter().map(|(moment, what)| async move {
        let mut stand = world::alice(world::strict()).await;
        start_with(&mut stand, &moment.fault(what)).await;
        assert_eq!(stand.ctl(["token", "--force"]).await.code, 0, "{moment:?}");
        let problems = stand.ctl(["status", "--json"]).await.json()["problems"].to_string();
        assert!(
            problems.contains("the disk refuses to keep this sign-in"),
            "{moment:?}: {problems}"
        );
        world::assert_gives_a_token_that_works(&stand, moment).await;
        // The write is tried again, and this time the disk takes it.
        eventually(&stand, async || {
            stand.ctl(["status", "--json"]).await.json()["problems"].as_array().unwrap().is_empty()
        })
        .await;
        stand.kill().await;
        stand.start().await;
        world::assert_whole(&stand, moment);
        world::assert_gives_a_token_that_works(&stand, moment).await;
    });
    futures_util::future::join_all(refused).await;
}

#[tokio::test]
async fn a_renewal_goes_on_where_the_disk_refuses_even_the_note_of_it() {
    let moment = Moment { point: FaultPoint::NoteMade, passage: 1 };
    let mut stand = world::alice(world::strict()).await;
    start_with(&mut stand, &moment.fault("enospc")).await;
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    world::assert_gives_a_token_that_works(&stand, moment).await;
}

#[tokio::test]
async fn a_daemon_that_stands_still_between_receipt_and_write_loses_nothing() {
    let moment = Moment { point: FaultPoint::RefreshAnswered, passage: 1 };
    let mut stand = world::alice(world::strict()).await;
    start_with(&mut stand, &moment.fault("stop")).await;
    let waiting = stand.ctl_command().args(["token", "--force"]).spawn().unwrap();
    let pid = stand.daemon.as_ref().unwrap().id().unwrap();
    eventually(&stand, async || is_stopped(pid)).await;
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::CONT).unwrap();
    let answered = tokio::time::timeout(LIMIT, waiting.wait_with_output()).await;
    assert!(answered.unwrap().unwrap().status.success());
    world::assert_gives_a_token_that_works(&stand, moment).await;
    assert_eq!(stand.grants("refresh_token"), 1);
}

fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    stat.is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T')))
}

/// Looks until it is so. Each look takes a while by itself.
async fn eventually(stand: &Stand, mut look: impl AsyncFnMut() -> bool) {
    let seen = async {
        while !look().await {
            tokio::task::yield_now().await;
        }
    };
    let seen = tokio::time::timeout(LIMIT, seen).await;
    seen.unwrap_or_else(|_| panic!("it never came: {}", stand.log()));
}
