//! The person's browser, opened from where the person sits, and the way back for browsers that
//! cannot reach this machine's loopback address.

use std::io::BufRead as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use url::Url;

/// Opens the browser; false where there is none.
pub(super) async fn open(address: &str) -> bool {
    let address = address.to_owned();
    let opened = tokio::task::spawn_blocking(move || webbrowser::open(&address).is_ok()).await;
    opened.unwrap_or(false)
}

/// The lines that a person pastes or types. Reading ends with the process, not before.
pub(super) fn pasted_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(4);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Brings a pasted redirect address to the broker, as the browser would have. False where the text
/// is no such address.
pub(super) async fn deliver(pasted: &str) -> bool {
    let Some((port, request)) = redirect_request(pasted) else { return false };
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    if stream.write_all(request.as_bytes()).await.is_err() {
        return false;
    }
    let mut answer = Vec::new();
    // The page is for a browser; only that it came matters here.
    stream.take(65536).read_to_end(&mut answer).await.is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

/// The port and the request that a loopback redirect stands for.
fn redirect_request(pasted: &str) -> Option<(u16, String)> {
    let url = Url::parse(pasted.trim()).ok()?;
    let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() != "http" || !loopback || url.query().is_none() {
        return None;
    }
    let (port, query) = (url.port()?, url.query()?);
    let target = format!("{}?{query}", url.path());
    Some((
        port,
        format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loopback_redirect_is_delivered() {
        let (port, request) =
            redirect_request(" http://127.0.0.1:8400/callback?code=a&state=b \n").unwrap();
        assert_eq!(port, 8400);
        assert!(
            request
                .starts_with("GET /callback?code=a&state=b HTTP/1.1\r\nHost: 127.0.0.1:8400\r\n")
        );
        for other in [
            "https://127.0.0.1:1/?a",
            "http://evil.example:80/?a",
            "http://127.0.0.1/?a",
            "http://127.0.0.1:1/",
            "x",
        ] {
            assert!(redirect_request(other).is_none(), "{other}");
        }
    }
}
