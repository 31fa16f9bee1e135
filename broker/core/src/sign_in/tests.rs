//! What counts as an answer, and what does not.

use proptest::prelude::*;

use super::*;

const ISSUER: &str = "https://login.example";

fn begin(iss: IssParameter) -> SignIn {
    let mut entropy = [0; 96];
    entropy.iter_mut().enumerate().for_each(|(i, byte)| *byte = u8::try_from(i).unwrap());
    SignIn::begin(&entropy, IssuerUrl::parse(ISSUER).unwrap(), iss)
}

/// Judges `rest` behind the right state.
fn judge(rest: &str) -> Verdict {
    let sign_in = begin(IssParameter::Announced);
    sign_in.judge(&format!("state={}&{rest}", sign_in.state().expose()))
}

#[test]
fn the_right_state_and_issuer_yield_the_code() {
    let code = Verdict::Code(Secret::new("c/1".into()));
    assert_eq!(judge("code=c%2F1&iss=https%3A%2F%2Flogin.example&session_state=x"), code);
}

#[test]
fn a_wrong_or_missing_state_is_a_stray_and_ends_nothing() {
    let sign_in = begin(IssParameter::Announced);
    for query in ["", "code=c", "state=guess&code=c", "state=&code=c", "state=a&state=b"] {
        assert_eq!(sign_in.judge(query), Verdict::Stray, "{query}");
    }
}

#[test]
fn another_issuer_is_refused_and_so_is_none_where_one_was_announced() {
    let breach = |rest| judge(rest);
    assert_eq!(breach("code=c&iss=https://evil.example"), Verdict::Broken(Breach::OtherIssuer));
    assert_eq!(breach("code=c&iss=https://login.example/"), Verdict::Broken(Breach::OtherIssuer));
    assert_eq!(breach("code=c"), Verdict::Broken(Breach::NoIssuer));
}

#[test]
fn an_unannounced_issuer_may_be_missing_but_not_wrong() {
    let sign_in = begin(IssParameter::Unannounced);
    let state = sign_in.state().expose().to_owned();
    assert!(matches!(sign_in.judge(&format!("state={state}&code=c")), Verdict::Code(_)));
    let wrong = sign_in.judge(&format!("state={state}&code=c&iss=https://evil.example"));
    assert_eq!(wrong, Verdict::Broken(Breach::OtherIssuer));
}

#[test]
fn a_refusal_carries_the_providers_words() {
    let verdict =
        judge("error=access_denied&error_description=No+thanks&iss=https://login.example");
    let refusal = Refusal { error: "access_denied".into(), description: Some("No thanks".into()) };
    assert_eq!(verdict, Verdict::Refused(refusal));
}

#[test]
fn repeated_contradictory_and_empty_answers_are_broken() {
    let iss = "iss=https://login.example";
    assert_eq!(judge(&format!("code=a&code=b&{iss}")), Verdict::Broken(Breach::Repeated));
    assert_eq!(judge(&format!("code=a&{iss}&{iss}")), Verdict::Broken(Breach::Repeated));
    assert_eq!(judge(&format!("code=a&error=b&{iss}")), Verdict::Broken(Breach::CodeAndError));
    assert_eq!(judge(iss), Verdict::Broken(Breach::Empty));
    let sign_in = begin(IssParameter::Announced);
    let state = sign_in.state().expose();
    let twice = sign_in.judge(&format!("state={state}&state={state}&code=c"));
    assert_eq!(twice, Verdict::Broken(Breach::Repeated));
}

#[test]
fn state_nonce_and_verifier_are_distinct_and_long_enough() {
    let sign_in = begin(IssParameter::Announced);
    let parts = [sign_in.state(), sign_in.nonce(), sign_in.verifier()].map(Secret::expose);
    assert!(parts.iter().all(|part| part.len() == 43), "RFC 7636 §4.1 asks for 43 to 128");
    assert!(parts[0] != parts[1] && parts[1] != parts[2]);
}

#[test]
fn the_challenge_is_the_one_of_rfc_7636_appendix_b() {
    let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into());
    let sign_in = SignIn { verifier, ..begin(IssParameter::Announced) };
    assert_eq!(sign_in.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn only_loopback_names_and_plain_paths_make_a_redirect() {
    let redirect = Redirect::new("127.0.0.1", "/callback").unwrap();
    assert_eq!(redirect.uri(8400), "http://127.0.0.1:8400/callback");
    for host in ["0.0.0.0", "example.com", "127.0.0.2", "::1", ""] {
        assert!(Redirect::new(host, "/").is_err(), "{host:?}");
    }
    for path in ["callback", "/a?b", "/a#b", "/a b", ""] {
        assert!(Redirect::new("localhost", path).is_err(), "{path:?}");
    }
}

#[test]
fn localhost_is_listened_for_on_literals() {
    let redirect = Redirect::new("localhost", "/cb").unwrap();
    assert!(redirect.addresses(1).iter().all(|address| address.ip().is_loopback()));
    assert_eq!(redirect.addresses(1).len(), 2);
}

#[test]
fn a_foreign_host_header_is_not_ours() {
    let redirect = Redirect::new("127.0.0.1", "/callback").unwrap();
    assert!(redirect.is_own_host("127.0.0.1:8400", 8400));
    for header in ["evil.example:8400", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8400.evil"] {
        assert!(!redirect.is_own_host(header, 8400), "{header}");
    }
}

proptest! {
    #[test]
    fn no_query_without_the_state_is_ever_an_answer(query in "[a-z=&%0-9+]{0,80}") {
        prop_assert_eq!(begin(IssParameter::Announced).judge(&query), Verdict::Stray);
    }
}
