//! The daemon killed at every moment at which something could be lost.
//!
//! 1. A story (a sign-in, a renewal, a sign-out, a rekey) is told once without a fault. The log tells which
//!    points it passes, and how often: those are its moments.
//! 2. For each of them the story is told again to a daemon that kills itself there, with SIGKILL,
//!    as a power cut would. Then the daemon is started as usual.
//! 3. What must hold then is asserted: nothing half-written, every record loads, no sign-in lost
//!    that the provider had not itself ended, no dead token, and one request too many at most.
//!
//! Needs the fault points: `cargo test -p authbroker --features fault-points --test crash`.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests expect")]

mod audit;
mod disk;
mod moments;
mod refresh;
mod rekey;
mod sign_in;
mod sign_out;
#[allow(dead_code, reason = "the end-to-end tests use the rest of it")]
#[path = "../e2e/stand.rs"]
mod stand;
mod world;

use authbroker::platform::fault_point::FaultPoint;

/// The points that each story passes, whatever their order.
const STORIES: [&[FaultPoint]; 5] =
    [sign_in::POINTS, refresh::POINTS, sign_out::POINTS, rekey::POINTS, audit::POINTS];

#[test]
fn every_point_is_passed_by_some_story() {
    for point in FaultPoint::ALL {
        let passed = STORIES.iter().any(|points| points.contains(point));
        assert!(passed, "no test dies at {}", point.name());
    }
}
