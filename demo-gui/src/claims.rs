//! What an access token says, for the terminal mode's `claims`.
//!
//! An app has no business in there (RFC 9068 §6): the token is for the API. The demo looks anyway,
//! to show a person what the broker hands out. It shows neither the token nor its signature.

use std::time::{SystemTime, UNIX_EPOCH};

use authbroker_client::AccessToken;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::messages::Claims;

/// How much of the hash is shown, in bytes: as much as the broker's own record has.
const FINGERPRINT: usize = 8;

/// Reads `token`, without checking it.
pub(crate) fn read(token: &AccessToken) -> Claims {
    Claims {
        payload: payload(token.expose()),
        expires_at: seconds(token.expires_at()),
        fingerprint: fingerprint(token.expose()),
    }
}

/// The second of a JWT's three parts, decoded.
fn payload(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?).ok()
}

fn fingerprint(token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(token.as_bytes())[..FINGERPRINT])
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_of_a_jwt_is_read() {
        let token = format!("e30.{}.sig", BASE64URL_NOPAD.encode(br#"{"sub":"alice"}"#));
        assert_eq!(payload(&token).unwrap()["sub"], "alice");
    }

    #[test]
    fn an_opaque_token_has_no_payload() {
        for token in ["", "opaque", "a.b", "a.!.c", "a.e30.c.d"] {
            assert!(payload(token).is_none(), "{token}");
        }
    }

    #[test]
    fn a_fingerprint_is_eight_bytes_of_the_hash() {
        // The well-known hash of "abc": FIPS 180-4, appendix B.1.
        assert_eq!(fingerprint("abc"), "ba7816bf8f01cfea");
    }
}
