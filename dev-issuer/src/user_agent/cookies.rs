//! The cookies of a small browser: by host, as RFC 6265 has it, so all ports of a host share them.

use std::collections::BTreeMap;

use url::Url;

#[derive(Debug, Default)]
pub(super) struct CookieJar {
    by_host: BTreeMap<String, BTreeMap<String, String>>,
}

impl CookieJar {
    /// The `Cookie` header for a request to `url`, if there is anything to send.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let cookies = self.by_host.get(url.host_str()?).filter(|cookies| !cookies.is_empty())?;
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Some(pairs.join("; "))
    }

    /// Takes in a `Set-Cookie` header; `Max-Age=0` takes the cookie away.
    pub(super) fn take(&mut self, url: &Url, set_cookie: &str) {
        let mut parts = set_cookie.split(';').map(str::trim);
        let pair = parts.next().and_then(|pair| pair.split_once('='));
        let (Some((name, value)), Some(host)) = (pair, url.host_str()) else { return };
        let cookies = self.by_host.entry(host.to_owned()).or_default();
        if parts.any(|attribute| attribute.eq_ignore_ascii_case("max-age=0")) {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
