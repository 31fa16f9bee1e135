//! The world of these tests: a login session of its own for each, with nothing of this machine's.
//!
//! 1. [`Session`] is a temporary home and runtime folder, and the environment that goes with it;
//!    the broker finds its places in it as it does in a person's session.
//! 2. [`Running`] is a program in it, killed when its test ends, however that ends.
//! 3. Nothing sleeps for a guess: [`eventually`] looks until it sees, [`soon`] bounds what waits.

mod bus;
mod disk;
mod issuer;
mod keyring;
mod process;
mod session;

use std::time::Duration;

pub(crate) use self::bus::{Bus, NAME, ROOT};
pub(crate) use self::disk::Disk;
pub(crate) use self::issuer::{API, issuer, sign_in_at};
pub(crate) use self::keyring::{DeafKeyring, Keyring};
pub(crate) use self::process::{Done, Running, program, run};
pub(crate) use self::session::Session;

/// Ten times what a busy machine with two cores needs.
const LIMIT: Duration = Duration::from_mins(1);
/// Between two looks at something that tells nobody when it changes.
const PAUSE: Duration = Duration::from_millis(20);

/// Bounds what would otherwise wait for ever.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(LIMIT, work).await;
    done.unwrap_or_else(|_| panic!("{what} took more than {LIMIT:?}"))
}

/// Looks again and again until there is something to see.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let seen = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    soon(what, seen).await
}
