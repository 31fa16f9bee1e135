//! The nonces that clients must put into their proofs ([RFC 9449 §9]), without remembering any.
//!
//! A nonce is the minute in which it was made, and an HMAC over it. Whoever has the key can check
//! it, so instances that share the key accept each other's.
//!
//! [RFC 9449 §9]: https://www.rfc-editor.org/rfc/rfc9449#section-9

use aws_lc_rs::hmac;
use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Seconds. A new nonce begins with each of these spans, and holds to the end of the next one.
const SPAN: u64 = 60;

pub(super) struct Nonces {
    key: hmac::Key,
}

impl Nonces {
    pub(super) fn new(key: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// The nonce to use from now on.
    pub(super) fn newest(&self, now: u64) -> HeaderValue {
        let span = span(now).to_be_bytes();
        let tag = hmac::sign(&self.key, &span);
        let text = URL_SAFE_NO_PAD.encode([&span, tag.as_ref()].concat());
        // The alphabet of base64 can stand in a header.
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
    }

    /// When a nonce of ours ends; `None` if it has ended, or is none of ours.
    pub(super) fn good_until(&self, nonce: &str, now: u64) -> Option<u64> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let (span, tag) = bytes.split_first_chunk::<8>()?;
        // In constant time.
        hmac::verify(&self.key, span, tag).ok()?;
        let span = u64::from_be_bytes(*span);
        let until = (span + 2) * SPAN;
        // Another instance's clock may be a little ahead.
        let begun = span <= self::span(now) + 1;
        (begun && now < until).then_some(until)
    }
}

/// The span that a time lies in.
pub(super) fn span(now: u64) -> u64 {
    now / SPAN
}

/// Whether there is no newer nonce than the one that ends at `until`.
pub(super) fn is_newest(until: u64, now: u64) -> bool {
    until >= (span(now) + 2) * SPAN
}
