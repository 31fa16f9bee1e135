//! The loopback redirect URI (RFC 8252 §7.3).

use std::net::SocketAddr;

/// Where the browser comes back to: host and path as the provider knows them, and the port that
/// this attempt listens on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Redirect {
    host: String,
    path: String,
}

/// The text cannot be part of a loopback redirect URI.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidRedirect {
    /// Only names of this machine itself.
    #[error("{0:?} is not a loopback host: use 127.0.0.1, [::1] or localhost")]
    Host(String),
    /// A path, and nothing else.
    #[error("{0:?} is not a path: begin with / and leave out query and fragment")]
    Path(String),
}

impl Redirect {
    /// Reads host and path.
    pub fn new(host: &str, path: &str) -> Result<Self, InvalidRedirect> {
        if !matches!(host, "127.0.0.1" | "[::1]" | "localhost") {
            return Err(InvalidRedirect::Host(host.to_owned()));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        if !path.starts_with('/') || !path.chars().all(plain) {
            return Err(InvalidRedirect::Path(path.to_owned()));
        }
        Ok(Self { host: host.to_owned(), path: path.to_owned() })
    }

    /// The host as it stands in the URI.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path as it stands in the URI.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole URI for a listener on `port`; the same text goes into the authorization request
    /// and the token request (RFC 6749 §4.1.3).
    pub fn uri(&self, port: u16) -> String {
        format!("http://{}:{port}{}", self.host, self.path)
    }

    /// The URI as it is registered where any port will do (RFC 8252 §7.3).
    pub fn portless(&self) -> String {
        format!("http://{}{}", self.host, self.path)
    }

    /// The addresses to listen on: always literals, never what a resolver says `localhost` is.
    pub fn addresses(&self, port: u16) -> Vec<SocketAddr> {
        let v4 = SocketAddr::from(([127, 0, 0, 1], port));
        let v6 = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port));
        match self.host.as_str() {
            "[::1]" => vec![v6],
            "localhost" => vec![v4, v6],
            _ => vec![v4],
        }
    }

    /// Whether a `Host` header names this listener. Any other name is a page somewhere on the
    /// web that had its own name resolved to loopback (DNS rebinding).
    pub fn is_own_host(&self, header: &str, port: u16) -> bool {
        ["127.0.0.1", "[::1]", "localhost"].iter().any(|host| header == format!("{host}:{port}"))
    }
}
