//! Opens the person's own browser. There is no embedded view (RFC 8252 §8.12).

use std::time::Duration;

use tokio::sync::Semaphore;
use url::Url;

use crate::platform;

/// The browser did not open. The person can open the address by hand.
#[derive(Debug, thiserror::Error)]
#[error("no browser could be opened")]
pub struct NoBrowser(#[source] std::io::Error);

/// How long a browser's launcher may take until it has done its part.
const LAUNCH: Duration = Duration::from_secs(10);

/// One launch at a time: whoever launches waits for its own child, and so must not find it reaped
/// by another.
static LAUNCHING: Semaphore = Semaphore::const_new(1);

/// Hands an address to the system's browser, or to the one that `BROWSER` names, without a shell.
pub async fn open(url: &Url) -> Result<(), NoBrowser> {
    debug_assert!(matches!(url.scheme(), "http" | "https"), "only web addresses are opened");
    let address = url.to_string();
    let _turn = LAUNCHING.acquire().await;
    // It may wait for a program to start: not on a thread that serves others.
    let opened = tokio::task::spawn_blocking(move || webbrowser::open(&address)).await;
    tokio::spawn(reap_later());
    opened.map_err(std::io::Error::other).flatten().map_err(NoBrowser)
}

/// The launcher is our child, and nobody waits for it where it succeeds.
async fn reap_later() {
    tokio::time::sleep(LAUNCH).await;
    let _turn = LAUNCHING.acquire().await;
    platform::reap_children();
}
