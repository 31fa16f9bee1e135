//! The moments of a story, and the telling of it to a daemon that dies at each.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use authbroker::platform::fault_point::FaultPoint;
use futures_util::StreamExt as _;

use crate::stand::{LIMIT, Stand, daemon};
use crate::world;

/// How many stories are told at the same time.
const AT_ONCE: usize = 4;

/// One passage of one point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) point: FaultPoint,
    pub(crate) passage: u32,
}

/// What a story left behind when the daemon died in it.
#[derive(Debug)]
pub(crate) struct Crash<T> {
    pub(crate) moment: Moment,
    /// The vault's files before the story.
    pub(crate) before: world::Files,
    /// The vault's files at the moment of death.
    pub(crate) found: world::Files,
    /// What whoever took part was told.
    pub(crate) told: T,
}

impl Moment {
    /// What makes a daemon meet `what` here.
    pub(crate) fn fault(self, what: &str) -> String {
        format!("{}:{}={what}", self.point.name(), self.passage)
    }
}

/// Tells a story to a daemon that dies at each of its moments, and starts the daemon again before
/// each check. The story begins on a stand without a daemon.
pub(crate) async fn die_at_every_moment<T>(
    points: &[FaultPoint],
    begin: impl AsyncFn() -> Stand,
    story: impl AsyncFn(&Stand) -> T,
    check: impl AsyncFn(&Stand, &Crash<T>),
) {
    let moments = moments_of(&begin, &story).await;
    let passed: BTreeSet<_> = moments.iter().map(|moment| moment.point.name()).collect();
    assert_eq!(passed, points.iter().map(|point| point.name()).collect(), "the story's points");
    let (begin, story, check) = (&begin, &story, &check);
    let deaths = moments.into_iter().map(|moment| async move {
        let mut stand = begin().await;
        let crash = die_at(&mut stand, moment, story).await;
        stand.start().await;
        world::assert_whole(&stand, moment);
        check(&stand, &crash).await;
    });
    futures_util::stream::iter(deaths).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// Tells the story without a fault, and reads in the log which moments it has.
async fn moments_of<T>(
    begin: &impl AsyncFn() -> Stand,
    story: &impl AsyncFn(&Stand) -> T,
) -> Vec<Moment> {
    let mut stand = begin().await;
    let earlier = stand.log().len();
    stand.start().await;
    story(&stand).await;
    stand.terminate().await;
    let log = stand.log();
    let passages = log[earlier..].lines().filter_map(|line| line.split_once(": passage "));
    let moments = passages.map(|(_, passage)| read(passage));
    // The record is written beside every story, whenever its writer comes to it (`audit`).
    moments.filter(|moment| !crate::audit::POINTS.contains(&moment.point)).collect()
}

/// Reads "2 of answer".
fn read(passage: &str) -> Moment {
    let (passage, name) = passage.split_once(" of ").unwrap();
    let point = *FaultPoint::ALL.iter().find(|point| point.name() == name).unwrap();
    Moment { point, passage: passage.parse().unwrap() }
}

async fn die_at<T>(
    stand: &mut Stand,
    moment: Moment,
    story: &impl AsyncFn(&Stand) -> T,
) -> Crash<T> {
    let before = world::files(stand);
    start_with(stand, &moment.fault("kill")).await;
    let told = story(stand).await;
    let status = end_of(stand, moment).await;
    assert_eq!(status.signal(), Some(9), "{moment:?}: {status}");
    Crash { moment, before, found: world::files(stand), told }
}

/// Starts a daemon that has a fault.
pub(crate) async fn start_with(stand: &mut Stand, fault: &str) {
    let mut daemon = daemon(stand.folder.path());
    stand.start_as(daemon.env("AUTHBROKER_FAULT", fault)).await;
}

async fn end_of(stand: &mut Stand, moment: Moment) -> ExitStatus {
    let mut child = stand.daemon.take().unwrap();
    let ended = tokio::time::timeout(LIMIT, child.wait()).await;
    ended.unwrap_or_else(|_| panic!("{moment:?} was never reached: {}", stand.log())).unwrap()
}
