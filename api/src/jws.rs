//! The outer form of a token or a proof: a compact JWS ([RFC 7515 §3.1]).
//!
//! Its parts are decoded once, into one piece of memory, and what is read from them is borrowed from
//! there: most of what a token says is looked at and not kept.
//!
//! [RFC 7515 §3.1]: https://www.rfc-editor.org/rfc/rfc7515#section-3.1

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The three parts of a compact JWS.
pub(crate) struct Jws<'a> {
    /// What the signature is over: the first two parts, as they came.
    pub(crate) signed: &'a str,
    /// The decoded parts, one after the other.
    parts: Vec<u8>,
    header_end: usize,
    payload_end: usize,
}

impl<'a> Jws<'a> {
    /// Takes a text of at most `max` bytes apart.
    pub(crate) fn decode(text: &'a str, max: usize) -> Option<Self> {
        if text.len() > max {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        // A dot too many ends up in the payload, where base64 refuses it.
        let (header, payload) = signed.split_once('.')?;
        let mut parts = Vec::with_capacity(text.len());
        let mut end_of = |part: &str| {
            URL_SAFE_NO_PAD.decode_vec(part, &mut parts).ok()?;
            Some(parts.len())
        };
        let (header_end, payload_end) = (end_of(header)?, end_of(payload)?);
        end_of(signature)?;
        Some(Self { signed, parts, header_end, payload_end })
    }

    pub(crate) fn header<'s, T: Deserialize<'s>>(&'s self) -> Option<T> {
        serde_json::from_slice(self.parts.get(..self.header_end)?).ok()
    }

    pub(crate) fn payload<'s, T: Deserialize<'s>>(&'s self) -> Option<T> {
        serde_json::from_slice(self.parts.get(self.header_end..self.payload_end)?).ok()
    }

    pub(crate) fn signature(&self) -> &[u8] {
        self.parts.get(self.payload_end..).unwrap_or_default()
    }
}
