//! What the person sees when the browser comes back.
//!
//! The page holds no code, state or token, loads nothing, and takes the query out of the address
//! bar. Everything that came from elsewhere is escaped.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Response, StatusCode};

const STYLE: &str = include_str!("page.css");
/// The code has been used by the time this runs; it need not stay in the history either.
const SCRIPT: &str = "history.replaceState(null,'',location.pathname)";

/// Only this style and this script, by their hashes; nothing is loaded, framed or sent anywhere.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
});

/// A page to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    status: StatusCode,
    mood: Mood,
    title: String,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Good,
    Bad,
}

impl Page {
    /// The sign-in worked.
    pub fn signed_in(name: &str) -> Self {
        Self {
            status: StatusCode::OK,
            mood: Mood::Good,
            title: format!("You are signed in as {name}."),
            text: "You can close this tab.".to_owned(),
        }
    }

    /// The sign-in did not work.
    pub fn failed(why: &str) -> Self {
        let text = format!("{why} You can close this tab and try again.");
        Self::bad(StatusCode::BAD_REQUEST, "You are not signed in.", &text)
    }

    /// The session at the provider is over.
    pub fn signed_out() -> Self {
        Self {
            status: StatusCode::OK,
            mood: Mood::Good,
            title: "You are signed out.".to_owned(),
            text: "You can close this tab.".to_owned(),
        }
    }

    pub(super) fn stray() -> Self {
        let text = "This is not the answer that the sign-in waits for, so it was ignored. If you \
                    came here from a sign-in page, start again from your app.";
        Self::bad(StatusCode::BAD_REQUEST, "This does not belong to your sign-in.", text)
    }

    pub(super) fn already_answered() -> Self {
        let text = "Nothing more happens here. You can close this tab.";
        Self::bad(StatusCode::GONE, "This sign-in is already over.", text)
    }

    pub(super) fn not_found() -> Self {
        Self::bad(StatusCode::NOT_FOUND, "There is nothing here.", "You can close this tab.")
    }

    pub(super) fn wrong_method() -> Self {
        Self::bad(StatusCode::METHOD_NOT_ALLOWED, "This is not how a sign-in comes back.", "")
    }

    pub(super) fn wrong_host() -> Self {
        Self::bad(StatusCode::MISDIRECTED_REQUEST, "This address belongs to another name.", "")
    }

    fn bad(status: StatusCode, title: &str, text: &str) -> Self {
        Self { status, mood: Mood::Bad, title: title.to_owned(), text: text.to_owned() }
    }

    /// The page as a response that no cache keeps.
    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.html())));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", POLICY.as_str()),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            if let Ok(value) = hyper::header::HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        response
    }

    fn html(&self) -> String {
        let (class, sign) = match self.mood {
            Mood::Good => ("good", "\u{2713}"),
            Mood::Bad => ("bad", "!"),
        };
        let (title, text) = (escape(&self.title), escape(&self.text));
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <style>{STYLE}</style></head><body><main class=\"{class}\">\
             <div class=\"sign\" aria-hidden=\"true\">{sign}</div><h1>{title}</h1><p>{text}</p></main>\
             <script>{SCRIPT}</script></body></html>"
        )
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_name_or_an_error_is_shown_and_not_run() {
        let html = Page::signed_in("<script>alert('x')</script>").html();
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
        assert!(!html.contains("<script>alert"));
    }

    #[test]
    fn the_page_loads_nothing_and_is_kept_nowhere() {
        let response = Page::signed_in("Alice").into_response();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-content-type-options"), "nosniff");
    }
}
