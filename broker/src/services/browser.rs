//! Opens the person's own browser. There is no embedded view (RFC 8252 §8.12).

use url::Url;

/// The browser did not open. The person can open the address by hand.
#[derive(Debug, thiserror::Error)]
#[error("no browser could be opened")]
pub struct NoBrowser(#[source] std::io::Error);

/// Hands an address to the system's browser, or to the one that `BROWSER` names, without a shell.
pub async fn open(url: &Url) -> Result<(), NoBrowser> {
    debug_assert!(matches!(url.scheme(), "http" | "https"), "only web addresses are opened");
    let address = url.to_string();
    // It may wait for a program to start: not on a thread that serves others.
    let opened = tokio::task::spawn_blocking(move || webbrowser::open(&address)).await;
    opened.map_err(std::io::Error::other).flatten().map_err(NoBrowser)
}
