//! HTTP, with the limits that every request of this program keeps.
//!
//! A token is sent over `https`, or over plain `http` to this machine and nowhere else. No redirect
//! is followed: it could carry a token away. A body is read up to a limit.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(15);

/// Parses an address that a request may go to.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("plain http goes to this machine only: use https".to_owned()),
        _ => Err("this is no http address".to_owned()),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A client for `url`.
pub(crate) fn client(url: &Url) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT);
    if url.scheme() == "https" {
        return builder.https_only(true).build();
    }
    // Nothing on loopback needs the system's roots, and a bare machine has none to load.
    builder.tls_certs_only([]).no_proxy().build()
}

/// The body, or `None` where it is longer than `limit` bytes or breaks off.
pub(crate) async fn body(mut response: Response, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if bytes.len() + chunk.len() > limit {
            return None;
        }
        bytes.extend_from_slice(&chunk);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for good in
            ["https://api.example", "http://127.0.0.1:3000", "http://[::1]/", "http://localhost"]
        {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["http://api.example", "http://127.0.0.1.example", "file:///etc/passwd", "api"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_client_for_loopback_needs_no_roots() {
        assert!(client(&parse("http://127.0.0.1:1").unwrap()).is_ok());
    }
}
