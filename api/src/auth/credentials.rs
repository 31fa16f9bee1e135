//! Finds the one credential of a request, and how it is presented.

use axum::http::header::{AUTHORIZATION, HeaderValue};
use axum::http::request::Parts;

use crate::error::Refusal;
use crate::verify::Invalid;

/// How a token is presented: by whoever bears it, or with a proof of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer` ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).
    Bearer,
    /// `Authorization: DPoP` ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).
    Dpop,
}

impl Scheme {
    /// The name as it stands in headers, where it is read in any letter case (RFC 9110 §11.1).
    pub fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Bearer, Self::Dpop].into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }
}

/// What a request says about its caller.
#[derive(Debug)]
pub(crate) struct Credentials<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) token: &'a str,
}

impl<'a> Credentials<'a> {
    /// Reads the `Authorization` header, and only that: a token in an address ends up in logs
    /// (RFC 9700 §4.3.2).
    pub(crate) fn of(request: &'a Parts) -> Result<Self, Refusal> {
        let mut headers = request.headers.get_all(AUTHORIZATION).iter();
        let header = headers.next().ok_or(Refusal::NoCredentials)?;
        if headers.next().is_some() || has_query_token(request) {
            return Err(Refusal::TwoCredentials);
        }
        Self::read(header)
    }

    fn read(header: &'a HeaderValue) -> Result<Self, Refusal> {
        let credentials = header.to_str().map_err(|_| Invalid::Malformed)?;
        let (scheme, token) = credentials.split_once(' ').unwrap_or((credentials, ""));
        // Another scheme is no attempt to use one of these (RFC 6750 §3.1).
        let scheme = Scheme::named(scheme).ok_or(Refusal::NoCredentials)?;
        Ok(Self { scheme, token: token.trim_start_matches(' ') })
    }
}

/// Whether the address carries a token too. Alone it counts for nothing; next to a header it makes
/// two methods in one request, which RFC 6750 §2 forbids.
fn has_query_token(request: &Parts) -> bool {
    let query = request.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}
