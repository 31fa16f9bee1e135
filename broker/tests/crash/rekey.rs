//! A rekey in which the daemon dies: the vault opens at the next start, and nothing is left of it.

use authbroker::platform::fault_point::FaultPoint;

use crate::moments::{Crash, die_at_every_moment};
use crate::stand::{Ran, Stand};
use crate::world;

pub(crate) const POINTS: &[FaultPoint] = &[
    FaultPoint::FileCreated,
    FaultPoint::FileWritten,
    FaultPoint::FileSynced,
    FaultPoint::FileRenamed,
    FaultPoint::FolderSynced,
    FaultPoint::RekeyEnded,
];

async fn check(stand: &Stand, crash: &Crash<Ran>) {
    world::assert_gives_a_token_that_works(stand, crash.moment).await;
    let vault = stand.ctl(["vault", "status", "--json"]).await.json();
    assert_eq!(vault["broken"], serde_json::json!([]), "{crash:?}");
    assert_eq!(vault["index"], serde_json::Value::Null, "{crash:?}");
    assert!(!world::files(stand).contains_key("rekey"), "{crash:?}");
    // And it can be done again.
    assert_eq!(stand.ctl(["vault", "rekey"]).await.code, 0, "{crash:?}");
}

#[tokio::test]
async fn a_rekey_leaves_a_vault_that_opens_whenever_the_daemon_dies() {
    let rekey = async |stand: &Stand| stand.ctl(["vault", "rekey"]).await;
    die_at_every_moment(POINTS, async || world::alice(world::strict()).await, rekey, check).await;
}
