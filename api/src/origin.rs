//! What a request's address looks like from the client's side.
//!
//! A DPoP proof names the address that the client used, so this server must know it too. It is, in
//! this order: what the settings say; what a trusted proxy says; what the request itself says. A
//! header that says so counts for nothing when it comes from anybody else.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, OriginalUri};
use axum::http::header::{HOST, HeaderName};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};
use ipnet::IpNet;
use url::{Host, Url};

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// How clients address this API.
#[derive(Clone, Debug, Default)]
pub struct Addressing {
    /// Where clients reach it, with the part of the path that a proxy takes off. Without it the
    /// request's own `Host` is believed.
    pub public_url: Option<Url>,
    /// Whose `X-Forwarded-Proto` and `X-Forwarded-Host` are believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// Marks the requests of a connection that is encrypted up to this process.
#[derive(Clone, Copy, Debug)]
pub struct OverTls;

/// An address in the form in which two of them can be compared ([RFC 9449 §4.3]): scheme, host, port
/// and path, normalised by RFC 3986 §6.2.2 and §6.2.3; neither query nor fragment.
///
/// [RFC 9449 §4.3]: https://www.rfc-editor.org/rfc/rfc9449#section-4.3
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    scheme: String,
    host: Host<String>,
    port: u16,
    path: String,
}

impl Target {
    /// Reads an address; `None` if it cannot be that of an HTTP request.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::of(&Url::parse(text).ok()?)
    }

    fn of(url: &Url) -> Option<Self> {
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url.host()?.to_owned(),
            port: url.port_or_known_default()?,
            path: normal_escapes(url.path()),
        })
    }
}

impl Addressing {
    /// The address that the client used; `None` if the request does not tell.
    pub(crate) fn target(&self, request: &Parts) -> Option<Target> {
        let path = original_uri(request).path();
        let mut url = match &self.public_url {
            Some(public) => public.clone(),
            None => self.origin(request)?,
        };
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        Target::of(&url)
    }

    fn origin(&self, request: &Parts) -> Option<Url> {
        let forwarded = |name| self.is_proxied(request).then(|| last(&request.headers, name))?;
        let own_scheme =
            if request.extensions.get::<OverTls>().is_some() { "https" } else { "http" };
        let scheme = forwarded(FORWARDED_PROTO).unwrap_or(own_scheme);
        let host = forwarded(FORWARDED_HOST).or_else(|| own_host(request))?;
        Url::parse(&format!("{scheme}://{host}")).ok()
    }

    fn is_proxied(&self, request: &Parts) -> bool {
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
        peer.is_some_and(|ConnectInfo(peer)| {
            let peer = peer.ip().to_canonical();
            self.trusted_proxies.iter().any(|network| network.contains(&peer))
        })
    }
}

/// The address as it came, even in a router that is nested in another.
fn original_uri(request: &Parts) -> &Uri {
    request.extensions.get::<OriginalUri>().map_or(&request.uri, |OriginalUri(uri)| uri)
}

fn own_host(request: &Parts) -> Option<&str> {
    let absolute = original_uri(request).authority().map(Authority::as_str);
    absolute.or_else(|| request.headers.get(HOST)?.to_str().ok())
}

/// What the nearest proxy said: each adds its word at the end.
fn last(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

/// Decodes what need not be escaped, and writes the other escapes in capitals.
fn normal_escapes(path: &str) -> String {
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        rest = after;
        if let Some(digits) = escape(after) {
            rest = &after[digits.len()..];
            match u8::from_str_radix(digits, 16) {
                Ok(octet) if is_unreserved(octet) => normal.push(char::from(octet)),
                _ => normal.extend(["%", &digits.to_ascii_uppercase()]),
            }
        } else {
            normal.push('%');
        }
    }
    normal + rest
}

fn escape(text: &str) -> Option<&str> {
    text.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// RFC 3986 §2.3.
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}
