//! Which redirect URIs match a registered one.
//!
//! The comparison is of strings, exact, but for the port of a loopback IP literal: a native app
//! takes the port it gets from the system (RFC 8252 §7.3). `localhost` is a name and has no such
//! freedom.

/// Says whether `asked` is `registered`, or is it on another loopback port.
pub(crate) fn matches(registered: &str, asked: &str) -> bool {
    registered == asked
        || matches!((Loopback::parse(registered), Loopback::parse(asked)), (Some(a), Some(b)) if a == b)
}

/// Says whether a URI leads to a plain HTTP server on this machine, and has no fragment.
pub(crate) fn is_loopback(uri: &str) -> bool {
    let by_name = || uri.strip_prefix("http://localhost").and_then(without_port).is_some();
    !uri.contains('#') && (Loopback::parse(uri).is_some() || by_name())
}

/// A loopback redirect URI with its port taken out.
#[derive(PartialEq)]
struct Loopback<'a> {
    origin: &'static str,
    rest: &'a str,
}

impl<'a> Loopback<'a> {
    fn parse(uri: &'a str) -> Option<Self> {
        ["http://127.0.0.1", "http://[::1]"].into_iter().find_map(|origin| {
            let rest = without_port(uri.strip_prefix(origin)?)?;
            Some(Self { origin, rest })
        })
    }
}

/// Takes `:PORT` off the front; what follows a host must then be a path, a query or nothing.
fn without_port(after_host: &str) -> Option<&str> {
    let rest = match after_host.strip_prefix(':') {
        None => after_host,
        Some(port_and_rest) => {
            let end = port_and_rest.find(|c: char| !c.is_ascii_digit());
            let (port, rest) = port_and_rest.split_at(end.unwrap_or(port_and_rest.len()));
            port.parse::<u16>().ok().filter(|port| *port > 0)?;
            rest
        }
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::{is_loopback, matches};

    const REGISTERED: &str = "http://127.0.0.1/callback";

    #[test]
    fn the_port_of_a_loopback_literal_is_free() {
        assert!(matches(REGISTERED, "http://127.0.0.1:49152/callback"));
        assert!(matches("http://[::1]/callback", "http://[::1]:1/callback"));
        assert!(matches("http://127.0.0.1:8400/callback", "http://127.0.0.1:8401/callback"));
    }

    #[test]
    fn everything_else_is_compared_to_the_letter() {
        for asked in [
            "http://127.0.0.1:1/callback/",
            "http://127.0.0.1:1/Callback",
            "http://127.0.0.1:1/callback?x=1",
            "https://127.0.0.1:1/callback",
            "http://127.0.0.1@evil.example/callback",
            "http://127.0.0.1:1@evil.example/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:/callback",
            "http://[::1]:1/callback",
        ] {
            assert!(!matches(REGISTERED, asked), "{asked}");
        }
    }

    #[test]
    fn only_http_on_loopback_is_loopback() {
        for uri in
            ["http://127.0.0.1/x", "http://[::1]:8/x?y", "http://localhost:8/", "http://localhost"]
        {
            assert!(is_loopback(uri), "{uri}");
        }
        for uri in [
            "https://127.0.0.1/x",
            "http://127.0.0.1/x#y",
            "http://localhost.evil.example/",
            "http://localhost@evil.example/",
            "http://127.0.0.2/",
            "com.example.app:/x",
            "",
        ] {
            assert!(!is_loopback(uri), "{uri}");
        }
    }

    #[test]
    fn localhost_is_a_name_and_has_no_free_port() {
        assert!(matches("http://localhost/callback", "http://localhost/callback"));
        assert!(!matches("http://localhost/callback", "http://localhost:8400/callback"));
    }
}
