//! The pages that people see: plain HTML forms, one inline style sheet, no script.
//!
//! Every value that came from outside goes through [`esc`]. The content security policy admits the
//! style sheet by its hash and forms to this provider and to the one address the sign-in returns
//! to: Chromium applies `form-action` to the redirects that follow a form, too.

use std::fmt;
use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use url::{Host, Url};

use crate::accounts::Account;
use crate::browser::Interaction;

pub(crate) mod choose;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod second_factor;
pub(crate) mod sign_in;
pub(crate) mod sign_out;

const STYLE: &str = include_str!("style.css");
const MARK: &str = include_str!("mark.svg");

/// The source expression that admits [`STYLE`].
static STYLE_SOURCE: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(STYLE))));

/// A page, not yet sent.
pub(crate) struct Page {
    title: &'static str,
    main: String,
    /// Where its form leads in the end, besides this provider.
    returns_to: Option<String>,
}

impl Page {
    /// Takes the content of `<main>`, already escaped.
    pub(crate) fn new(title: &'static str, main: String) -> Self {
        Self { title, main, returns_to: None }
    }

    /// Admits redirects from this page's form to `address`.
    pub(crate) fn returning_to(self, address: Option<&str>) -> Self {
        Self { returns_to: address.map(str::to_owned), ..self }
    }

    pub(crate) fn send(self, status: StatusCode) -> Response {
        let policy = policy(self.returns_to.as_deref());
        let headers: [(HeaderName, HeaderValue); 3] = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (header::CONTENT_SECURITY_POLICY, policy),
        ];
        (status, headers, self.to_string()).into_response()
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, main, .. } = self;
        write!(
            f,
            r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} · Dev Issuer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<div class="card">
<header>{MARK}<span class="brand">Dev Issuer</span><span class="badge">development</span></header>
<main>
{main}
</main>
</div>
<p class="foot">A provider for development and tests. It forgets everything when it ends.</p>
</body>
</html>
"#
        )
    }
}

fn policy(returns_to: Option<&str>) -> HeaderValue {
    let target = returns_to.and_then(form_target).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src {}; img-src 'self' data:; form-action 'self' {target}; \
         base-uri 'none'; frame-ancestors 'none'",
        *STYLE_SOURCE
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The source expression for the origin of `address`. An IPv6 literal cannot be written in a
/// policy, and a scheme of an app's own has no origin: both are admitted by their scheme.
fn form_target(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    match url.host() {
        Some(Host::Ipv6(_)) | None => Some(format!("{}:", url.scheme())),
        Some(_) => Some(url.origin().ascii_serialization()),
    }
}

/// Text from outside, made fit for HTML text and for attributes in double quotes.
pub(crate) fn esc(text: &str) -> Escaped<'_> {
    Escaped(text)
}

/// See [`esc`].
pub(crate) struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            other => write!(f, "{other}"),
        })
    }
}

/// The fields that bind a form to its interaction.
fn hidden_fields(interaction: &Interaction) -> String {
    format!(
        r#"<input type="hidden" name="interaction" value="{}">
<input type="hidden" name="csrf" value="{}">"#,
        esc(&interaction.id),
        esc(&interaction.csrf)
    )
}

/// An account with its picture.
fn account_chip(account: &Account) -> String {
    format!(
        r#"<div class="account"><img src="{}" alt="" width="44" height="44">
<div><strong>{}</strong><span>{}</span></div></div>"#,
        esc(&account.picture_path()),
        esc(account.name),
        esc(account.email)
    )
}

/// A page that says what is wrong and leads nowhere.
pub(crate) fn problem(status: StatusCode, why: &str) -> Response {
    let main = format!("<h1>This cannot go on</h1>\n<p>{}</p>", esc(why));
    Page::new("This cannot go on", main).send(status)
}

pub(crate) async fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "There is no such page here.")
}
