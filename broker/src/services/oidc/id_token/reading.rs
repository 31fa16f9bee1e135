//! An ID token as it is read, before anything that it says is believed.
//!
//! What is wrong with it on its face is said here, in words; whether its signature and its times
//! are good, is asked afterwards. Nothing but its algorithm and the name of its key is taken from
//! its header: keys that it brings or points to are never used (RFC 8725 §3.10).

use std::time::Duration;

use authbroker_core::secret::Secret;
use authbroker_core::time::UnixTime;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreIdToken, CoreJwsSigningAlgorithm};
use serde_json::{Map, Value};

use super::{ALGORITHMS, Occasion, Rejected, SKEW};
use crate::services::oidc::error::printable;

/// The longest subject that the standard allows (OpenID Connect Core §2).
const LONGEST_SUBJECT: usize = 255;

/// A token whose form is right and whose claims fit, if it is genuine.
pub(super) struct Reading {
    pub(super) token: CoreIdToken,
    pub(super) algorithm: CoreJwsSigningAlgorithm,
    pub(super) kid: Option<String>,
}

/// What a token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) access_token: &'a Secret,
    pub(super) occasion: &'a Occasion<'a>,
    /// What time it is at the provider.
    pub(super) now: UnixTime,
}

/// Reads a token that came with an answer of the token endpoint.
pub(super) fn read(text: &Secret, expected: &Expected<'_>) -> Result<Reading, Rejected> {
    if text == expected.access_token {
        return Err(Rejected::because("it is the access token once more"));
    }
    let text = text.expose();
    let [header, claims] = parts(text)?;
    let (algorithm, kid) = check_header(&header)?;
    check_form(&claims, expected.now)?;
    check_parties(&claims, expected)?;
    check_subject(&claims, expected.occasion)?;
    let token = text.parse().map_err(|_| Rejected::because("a claim of it is malformed"))?;
    Ok(Reading { token, algorithm, kid })
}

/// Header and claims of a signed token (RFC 7515 §7.1).
fn parts(text: &str) -> Result<[Map<String, Value>; 2], Rejected> {
    let parts: Vec<_> = text.split('.').collect();
    match parts.as_slice() {
        [header, claims, _signature] => Ok([object(header)?, object(claims)?]),
        [_, _, _, _, _] => Err(Rejected::because("it is encrypted, which is not supported")),
        _ => Err(no_jwt()),
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Rejected> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| no_jwt())?;
    serde_json::from_slice(&bytes).map_err(|_| no_jwt())
}

fn no_jwt() -> Rejected {
    Rejected::because("it is no JWT")
}

fn check_header(
    header: &Map<String, Value>,
) -> Result<(CoreJwsSigningAlgorithm, Option<String>), Rejected> {
    if let Some(critical) = header.get("crit") {
        let critical = printable(&critical.to_string());
        let message = format!("it asks for extensions that are not understood: {critical}");
        return Err(Rejected::Because(message));
    }
    let alg = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let known = serde_json::from_value(Value::from(alg)).ok();
    let Some(algorithm) = known.filter(|alg| ALGORITHMS.contains(alg)) else {
        let alg = printable(alg);
        return Err(Rejected::Because(format!("its algorithm {alg:?} is not accepted")));
    };
    match header.get("kid") {
        None => Ok((algorithm, None)),
        Some(Value::String(kid)) => Ok((algorithm, Some(kid.clone()))),
        Some(_) => Err(Rejected::because("its kid is malformed")),
    }
}

/// The claims that no ID token may lack are there, and are what they should be (Core §2).
fn check_form(claims: &Map<String, Value>, now: UnixTime) -> Result<(), Rejected> {
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        let Some(value) = claims.get(name) else {
            return Err(Rejected::Because(format!("it has no {name}")));
        };
        let is_sound = match name {
            "aud" => is_audience(value),
            "exp" | "iat" => is_time(value),
            _ => value.is_string(),
        };
        if !is_sound {
            return Err(Rejected::Because(format!("its {name} is malformed")));
        }
    }
    check_not_before(claims, now)
}

fn is_audience(value: &Value) -> bool {
    match value {
        Value::Array(several) => several.iter().all(Value::is_string),
        one => one.is_string(),
    }
}

/// Seconds since 1970; some large providers write a date.
fn is_time(value: &Value) -> bool {
    match value {
        Value::String(text) => text.parse::<jiff::Timestamp>().is_ok(),
        number => number.is_number(),
    }
}

/// RFC 7519 §4.1.5.
fn check_not_before(claims: &Map<String, Value>, now: UnixTime) -> Result<(), Rejected> {
    let Some(not_before) = claims.get("nbf").filter(|value| !value.is_null()) else {
        return Ok(());
    };
    let limit = Duration::from_secs(now.plus(SKEW).as_secs());
    match not_before.as_f64() {
        Some(seconds) if seconds <= limit.as_secs_f64() => Ok(()),
        Some(_) => Err(Rejected::because("it is not valid yet")),
        None => Err(Rejected::because("its nbf is malformed")),
    }
}

/// Who issued it, and for whom (Core §3.1.3.7 items 2 to 5).
fn check_parties(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Rejected> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(Rejected::because("it is from another issuer"));
    }
    let audiences: Vec<_> = match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        Some(one) => one.as_str().into_iter().collect(),
        None => Vec::new(),
    };
    if !audiences.contains(&expected.client_id) {
        return Err(Rejected::because("it is for another client"));
    }
    match claims.get("azp") {
        Some(party) if party != expected.client_id => {
            Err(Rejected::because("it was issued to another client"))
        }
        None if audiences.len() > 1 => {
            Err(Rejected::because("it is for several clients and does not say whose it is"))
        }
        _ => Ok(()),
    }
}

/// Whom it is about (Core §2, and §12.2 for a refresh).
fn check_subject(claims: &Map<String, Value>, occasion: &Occasion<'_>) -> Result<(), Rejected> {
    let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
        return Err(Rejected::because("its subject is empty or too long"));
    }
    match occasion {
        Occasion::Refresh { subject: before } if *before != subject => {
            Err(Rejected::because("it is about another person than before"))
        }
        _ => Ok(()),
    }
}
