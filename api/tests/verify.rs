//! The verdict on a token, rule by rule. Nothing here touches the network or the clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use std::sync::{Arc, LazyLock};

use private_api::claims::{Claims, Scope};
use private_api::jwks::KeySet;
use private_api::verify::{Invalid, Rules};
use serde_json::{Value, json};
use support::keys::{TestKey, b64, hmac_token, unsigned};
use support::{AUDIENCE, NOW, with};

const ISSUER: &str = "https://issuer.test";

static KEY: LazyLock<TestKey> = LazyLock::new(|| TestKey::p256("main"));
static RSA: LazyLock<TestKey> = LazyLock::new(|| TestKey::rsa("rsa"));

fn rules() -> Rules {
    Rules::new(ISSUER.parse().unwrap(), AUDIENCE.parse().unwrap())
}

fn key_set(jwks: &[Value]) -> KeySet {
    key_set_of(ISSUER, jwks)
}

fn key_set_of(issuer: &str, jwks: &[Value]) -> KeySet {
    let document = json!({ "keys": jwks }).to_string();
    KeySet::parse(issuer.parse().unwrap(), document.as_bytes()).unwrap()
}

/// The verdict on a token that a caller merely shows.
fn verify(token: &str, rules: &Rules, keys: &KeySet, now: u64) -> Result<Arc<Claims>, Invalid> {
    private_api::verify::verify(token, rules, keys, now)?.borne()
}

fn verdict(token: &str) -> Result<Arc<Claims>, Invalid> {
    verify(token, &rules(), &key_set(&[KEY.jwk(), RSA.jwk()]), NOW)
}

fn claims() -> Value {
    support::claims(ISSUER)
}

/// The verdict on a good token, but for some claims.
fn with_claims(changes: &Value) -> Result<Arc<Claims>, Invalid> {
    verdict(&KEY.token(&with(claims(), changes)))
}

/// The verdict on a good token, but for some members of its header.
fn with_header(changes: &Value) -> Result<Arc<Claims>, Invalid> {
    verdict(&KEY.token_with(changes, &claims()))
}

fn reason(verdict: Result<Arc<Claims>, Invalid>) -> Invalid {
    verdict.unwrap_err()
}

#[test]
fn a_token_of_the_profile_is_accepted_with_its_claims() {
    let claims = verdict(&KEY.token(&claims())).unwrap();
    assert_eq!((claims.iss(), claims.sub()), (ISSUER, "alice"));
    assert_eq!(claims.client_id(), Some("app"));
    assert_eq!((claims.iat(), claims.exp()), (NOW, NOW + 600));
}

/// R06.
#[test]
fn every_default_algorithm_verifies() {
    let edwards = TestKey::ed25519("ed");
    let keys = key_set(&[KEY.jwk(), RSA.jwk(), edwards.jwk()]);
    for token in [
        KEY.token(&claims()),
        RSA.token(&claims()),
        RSA.token_with(&json!({ "alg": "PS256" }), &claims()),
        edwards.token(&claims()),
    ] {
        assert!(verify(&token, &rules(), &keys, NOW).is_ok());
    }
}

/// R05.
#[test]
fn the_type_is_read_in_any_letter_case_and_with_its_prefix() {
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        assert!(with_header(&json!({ "typ": typ })).is_ok(), "{typ}");
    }
}

/// R05.
#[test]
fn any_other_type_is_refused() {
    for typ in [json!("JWT"), json!("at+jwtx"), json!("dpop+jwt"), json!(""), Value::Null] {
        assert_eq!(reason(with_header(&json!({ "typ": typ }))), Invalid::Type, "{typ}");
    }
}

/// R05.
#[test]
fn the_type_jwt_is_accepted_only_on_request() {
    let mut lenient = rules();
    lenient.accept_typ_jwt = true;
    let keys = key_set(&[KEY.jwk()]);
    for (typ, accepted) in [("JWT", true), ("jwt", true), ("at+jwt", true), ("logout+jwt", false)] {
        let token = KEY.token_with(&json!({ "typ": typ }), &claims());
        assert_eq!(verify(&token, &lenient, &keys, NOW).is_ok(), accepted, "{typ}");
    }
}

/// R12.
#[test]
fn an_id_token_is_refused_even_where_the_type_jwt_is_accepted() {
    let mut lenient = rules();
    lenient.accept_typ_jwt = true;
    for mark in [json!({ "nonce": "n" }), json!({ "at_hash": "h" })] {
        let token = KEY.token_with(&json!({ "typ": "JWT" }), &with(claims(), &mark));
        assert_eq!(reason(verdict(&token)), Invalid::Type);
        let lenient = verify(&token, &lenient, &key_set(&[KEY.jwk()]), NOW);
        assert_eq!(reason(lenient), Invalid::IdToken);
    }
}

/// R06.
#[test]
fn the_algorithm_none_is_refused_in_any_letter_case() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({ "typ": "at+jwt", "alg": alg, "kid": "main" });
        for signature in ["", "AA"] {
            let token = format!("{}.{signature}", unsigned(&header, &claims()));
            assert_eq!(reason(verdict(&token)), Invalid::Algorithm, "{alg:?}");
        }
    }
}

/// R06.
#[test]
fn an_hmac_keyed_with_the_public_key_is_refused() {
    for alg in ["HS256", "HS384", "hs256"] {
        for secret in RSA.public_forms() {
            let header = json!({ "typ": "at+jwt", "alg": alg, "kid": "rsa" });
            let token = hmac_token(&secret, &header, &claims());
            assert_eq!(reason(verdict(&token)), Invalid::Algorithm);
        }
    }
}

/// R06.
#[test]
fn no_setting_can_name_an_hmac_or_none() {
    use private_api::algorithm::SigningAlg;
    for name in ["HS256", "HS384", "HS512", "none", "NONE", ""] {
        assert!(name.parse::<SigningAlg>().is_err(), "{name}");
    }
}

/// R06.
#[test]
fn an_algorithm_that_is_not_on_the_list_is_refused() {
    let mut only_rsa = rules();
    only_rsa.algs = vec!["RS256".parse().unwrap()];
    let verdict = verify(&KEY.token(&claims()), &only_rsa, &key_set(&[KEY.jwk()]), NOW);
    assert_eq!(reason(verdict), Invalid::Algorithm);
}

/// R07.
#[test]
fn a_token_cannot_choose_another_algorithm_than_its_key_has() {
    let tied = with(RSA.jwk(), &json!({ "alg": "RS256" }));
    let token = RSA.token_with(&json!({ "alg": "PS256" }), &claims());
    let verdict = verify(&token, &rules(), &key_set(&[tied]), NOW);
    assert_eq!(reason(verdict), Invalid::UnknownKey);
}

/// R07.
#[test]
fn a_wrong_signature_is_refused() {
    let forged = TestKey::p256("main").token(&claims());
    assert_eq!(reason(verdict(&forged)), Invalid::Signature);
}

#[test]
fn a_changed_payload_is_refused() {
    let token = KEY.token(&claims());
    let (_, signature) = token.rsplit_once('.').unwrap();
    let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": "main" });
    let changed = unsigned(&header, &with(claims(), &json!({ "sub": "mallory" })));
    assert_eq!(reason(verdict(&format!("{changed}.{signature}"))), Invalid::Signature);
    assert_eq!(reason(verdict(&format!("{changed}."))), Invalid::Signature);
}

/// R07.
#[test]
fn a_key_in_the_header_is_ignored() {
    let attacker = TestKey::p256("main");
    let address = "https://attacker.test/jwks";
    for lure in [
        json!({ "jwk": attacker.jwk() }),
        json!({ "jku": address }),
        json!({ "x5u": address }),
        json!({ "x5c": ["AAAA"] }),
    ] {
        let token = attacker.token_with(&lure, &claims());
        assert_eq!(reason(verdict(&token)), Invalid::Signature);
        let token = attacker.token_with(&with(lure, &json!({ "kid": "other" })), &claims());
        assert_eq!(reason(verdict(&token)), Invalid::UnknownKey);
    }
}

/// R07.
#[test]
fn an_extension_that_is_critical_is_refused_whatever_it_is() {
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!("x"), json!(7)] {
        assert_eq!(reason(with_header(&json!({ "crit": crit }))), Invalid::Critical, "{crit}");
    }
    let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": "main", "crit": null });
    let token = format!("{}.AA", unsigned(&header, &claims()));
    assert_eq!(reason(verdict(&token)), Invalid::Critical);
}

#[test]
fn an_unknown_key_id_is_its_own_verdict() {
    let kid = json!({ "kid": "MAIN" });
    assert_eq!(reason(with_header(&kid)), Invalid::UnknownKey);
}

/// R07.
#[test]
fn a_token_without_key_id_is_tried_with_the_keys_that_fit() {
    let other = TestKey::p256("other");
    let token = KEY.token_with(&json!({ "kid": null }), &claims());
    let keys = key_set(&[other.jwk(), RSA.jwk(), KEY.jwk()]);
    assert!(verify(&token, &rules(), &keys, NOW).is_ok());
    let keys = key_set(&[other.jwk(), RSA.jwk()]);
    assert_eq!(reason(verify(&token, &rules(), &keys, NOW)), Invalid::Signature);
}

/// R07.
#[test]
fn a_key_answers_only_for_the_algorithms_of_its_type() {
    let [p256, rsa, ed] = [TestKey::p256("k"), TestKey::rsa("k"), TestKey::ed25519("k")];
    for (signer, others) in [(&p256, [&rsa, &ed]), (&rsa, [&p256, &ed]), (&ed, [&p256, &rsa])] {
        let keys = key_set(&others.map(TestKey::jwk));
        let verdict = verify(&signer.token(&claims()), &rules(), &keys, NOW);
        assert_eq!(reason(verdict), Invalid::UnknownKey);
    }
}

/// R07.
#[test]
fn a_decoy_under_the_same_key_id_does_no_harm() {
    let decoy = TestKey::ed25519("main");
    let tied = with(RSA.jwk(), &json!({ "kid": "main", "alg": "RS512" }));
    let keys = key_set(&[decoy.jwk(), tied, KEY.jwk()]);
    assert!(verify(&KEY.token(&claims()), &rules(), &keys, NOW).is_ok());
}

/// R07.
#[test]
fn a_key_for_another_use_is_left_out() {
    for other in [
        json!({ "use": "enc" }),
        json!({ "use": "tls" }),
        json!({ "use": null, "key_ops": ["encrypt"] }),
        json!({ "alg": "RSA-OAEP" }),
        json!({ "alg": "HS256" }),
    ] {
        let keys = key_set(&[with(KEY.jwk(), &other), RSA.jwk()]);
        let verdict = verify(&KEY.token(&claims()), &rules(), &keys, NOW);
        assert_eq!(reason(verdict), Invalid::UnknownKey, "{other}");
    }
}

#[test]
fn an_rsa_key_of_1024_bits_is_left_out_though_its_signature_is_right() {
    let weak: Value = serde_json::from_str(include_str!("fixtures/rsa_1024.json")).unwrap();
    let token = weak["token"].as_str().unwrap();
    let keys = key_set(&[weak["jwk"].clone(), KEY.jwk()]);
    assert_eq!(reason(verify(token, &rules(), &keys, NOW)), Invalid::UnknownKey);
}

#[test]
fn entries_that_cannot_be_read_do_not_spoil_the_set() {
    let keys = key_set(&[
        json!({ "kty": "oct", "k": "AAAA", "kid": "main" }),
        json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "main" }),
        json!({ "kty": "RSA", "kid": "main" }),
        json!("no key at all"),
        json!(null),
        KEY.jwk(),
    ]);
    assert!(verify(&KEY.token(&claims()), &rules(), &keys, NOW).is_ok());
}

#[test]
fn a_set_without_a_usable_key_is_no_set() {
    for document in [&b"{\"keys\":[]}"[..], b"{}", b"[]", b"<html>", b"", b"{\"keys\":[{}]}"] {
        assert!(KeySet::parse(ISSUER.parse().unwrap(), document).is_err());
    }
}

/// R08.
#[test]
fn the_issuer_is_compared_letter_for_letter() {
    for iss in [
        Value::Null,
        json!("https://other.test"),
        json!("https://issuer.test/"),
        json!("HTTPS://issuer.test"),
    ] {
        assert_eq!(reason(with_claims(&json!({ "iss": iss }))), Invalid::Issuer, "{iss}");
    }
    assert_eq!(reason(with_claims(&json!({ "iss": [ISSUER] }))), Invalid::Malformed);
}

/// R25.
#[test]
fn the_keys_of_one_issuer_never_check_the_tokens_of_another() {
    let other = "https://other.test";
    let mut rules = rules();
    rules.issuers.push(other.parse().unwrap());
    let foreign = KEY.token(&support::claims(other));
    let verdict = |jwks_of| verify(&foreign, &rules, &key_set_of(jwks_of, &[KEY.jwk()]), NOW);
    assert_eq!(reason(verdict(ISSUER)), Invalid::Issuer);
    assert!(verdict(other).is_ok());
}

/// R09.
#[test]
fn the_audience_must_name_this_api_exactly() {
    for aud in [
        Value::Null,
        json!("urn:test:api2"),
        json!("urn:test"),
        json!("URN:TEST:API"),
        json!("urn:test:api other"),
        json!([]),
        json!(["urn:test:other"]),
    ] {
        assert_eq!(reason(with_claims(&json!({ "aud": aud }))), Invalid::Audience, "{aud}");
    }
    assert!(with_claims(&json!({ "aud": ["urn:test:other", AUDIENCE] })).is_ok());
}

/// R10.
#[test]
fn a_token_expires_five_seconds_late_and_not_a_second_later() {
    assert!(with_claims(&json!({ "exp": NOW - 4 })).is_ok());
    assert_eq!(reason(with_claims(&json!({ "exp": NOW - 5 }))), Invalid::Expired);
    assert_eq!(reason(with_claims(&json!({ "exp": 0 }))), Invalid::Expired);
}

/// R10.
#[test]
fn the_expiry_must_be_there_and_a_number() {
    assert_eq!(reason(with_claims(&json!({ "exp": null }))), Invalid::Missing("exp"));
    for exp in [json!("1900000000"), json!(-1), json!(true), json!([NOW + 600])] {
        assert_eq!(reason(with_claims(&json!({ "exp": exp }))), Invalid::Malformed, "{exp}");
    }
}

#[test]
fn times_may_have_fractions() {
    let claims = with_claims(&json!({ "exp": 1_800_000_100.75 })).unwrap();
    assert_eq!(claims.exp(), 1_800_000_100);
}

/// R10.
#[test]
fn a_token_that_begins_later_is_refused() {
    for name in ["nbf", "iat"] {
        assert!(with_claims(&json!({ name: NOW + 5 })).is_ok(), "{name}");
        assert_eq!(reason(with_claims(&json!({ name: NOW + 6 }))), Invalid::TooEarly, "{name}");
    }
}

/// R11.
#[test]
fn the_claims_of_the_profile_are_required() {
    for name in ["sub", "iat", "client_id", "jti"] {
        assert_eq!(reason(with_claims(&json!({ name: null }))), Invalid::Missing(name));
    }
}

/// R11.
#[test]
fn client_id_and_jti_may_be_missing_only_on_request() {
    let mut lenient = rules();
    lenient.accept_missing_claims = true;
    let keys = key_set(&[KEY.jwk()]);
    let without = |name: &str| KEY.token(&with(claims(), &json!({ name: null })));
    for (name, accepted) in [("client_id", true), ("jti", true), ("sub", false), ("iat", false)] {
        assert_eq!(verify(&without(name), &lenient, &keys, NOW).is_ok(), accepted, "{name}");
    }
}

/// R18.
#[test]
fn a_token_bound_to_a_key_is_no_bearer_token() {
    let key = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    for cnf in [json!({ "jkt": key }), json!({ "x5t#S256": key }), json!({})] {
        assert_eq!(reason(with_claims(&json!({ "cnf": cnf }))), Invalid::Bound);
    }
    let payload = claims().to_string().replace('{', "{\"cnf\":null,");
    assert_eq!(reason(verdict(&KEY.token_of(&payload))), Invalid::Malformed);
}

/// R04.
#[test]
fn what_is_no_token_is_malformed() {
    let good = KEY.token(&claims());
    let two_parts = good.rsplit_once('.').unwrap().0;
    let twice = b64(br#"{"typ":"at+jwt","alg":"ES256","alg":"none","kid":"main"}"#);
    for token in [
        "",
        "x",
        "..",
        "a.b.c",
        "....",
        two_parts,
        &format!("{good}.{good}"),
        &format!("{good}="),
        &format!(" {good}"),
        &format!("{twice}.e30.AA"),
        &"a".repeat(1 << 20),
    ] {
        assert!(verdict(token).is_err(), "{token}");
    }
    assert_eq!(reason(verdict("a.b.c")), Invalid::Malformed);
    assert_eq!(reason(verdict(&format!("{twice}.e30.AA"))), Invalid::Malformed);
}

/// R24.
#[test]
fn a_token_of_more_than_16_kib_is_refused_though_its_signature_is_right() {
    let padded = |bytes: usize| with_claims(&json!({ "padding": "x".repeat(bytes) }));
    assert!(padded(11 * 1024).is_ok());
    assert_eq!(reason(padded(13 * 1024)), Invalid::Malformed);
}

/// R13.
#[test]
fn a_scope_is_granted_by_whole_word() {
    let claims = with_claims(&json!({ "scope": "mail.read openid" })).unwrap();
    let has = |word: &str| claims.has_scope(&word.parse::<Scope>().unwrap());
    assert!(has("mail.read") && has("openid"));
    assert!(!has("mail") && !has("read") && !has("open") && !has("mail.read.all"));
    let none = with_claims(&json!({ "scope": null })).unwrap();
    assert!(!none.has_scope(&"openid".parse().unwrap()));
}

#[test]
fn a_word_that_could_break_a_challenge_is_no_scope() {
    for word in ["", "a b", "a\"b", "a\\b", "a\nb", "ü"] {
        assert!(word.parse::<Scope>().is_err(), "{word:?}");
    }
}
