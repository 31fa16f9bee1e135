//! The outer form of a token or a proof: a compact JWS ([RFC 7515 §3.1]), still encoded.
//!
//! [RFC 7515 §3.1]: https://www.rfc-editor.org/rfc/rfc7515#section-3.1

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;

/// The three parts of a compact JWS.
pub(crate) struct Jws<'a> {
    /// What the signature is over: the first two parts.
    pub(crate) signed: &'a str,
    pub(crate) signature: &'a str,
    header: &'a str,
    payload: &'a str,
}

impl<'a> Jws<'a> {
    /// Takes a text of at most `max` bytes apart.
    pub(crate) fn split(text: &'a str, max: usize) -> Option<Self> {
        if text.len() > max {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        // A dot too many ends up in the payload, where base64 refuses it.
        let (header, payload) = signed.split_once('.')?;
        Some(Self { signed, signature, header, payload })
    }

    pub(crate) fn header<T: DeserializeOwned>(&self) -> Option<T> {
        decode_json(self.header)
    }

    pub(crate) fn payload<T: DeserializeOwned>(&self) -> Option<T> {
        decode_json(self.payload)
    }
}

fn decode_json<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}
