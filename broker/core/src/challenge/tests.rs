//! Challenges as APIs write them, and what is made of them.

use proptest::prelude::*;

use super::*;

fn help(status: u16, header: &str) -> Option<Remedy> {
    remedy(status, [header], TokenType::Bearer)
}

fn of_one(header: &str) -> (String, Vec<(String, String)>) {
    let mut challenges = parse(header);
    assert_eq!(challenges.len(), 1, "{challenges:?}");
    let challenge = challenges.remove(0);
    (challenge.scheme, challenge.parameters.into_iter().collect())
}

#[test]
fn an_expired_token_wants_a_new_one_also_where_no_reason_is_given() {
    let header = r#"Bearer realm="example", error="invalid_token", error_description="It expired, \"really\"""#;
    assert_eq!(help(401, header), Some(Remedy::Renewal));
    assert_eq!(help(401, "Bearer"), Some(Remedy::Renewal));
    assert_eq!(help(401, "bearer realm=x"), Some(Remedy::Renewal));
}

#[test]
fn a_missing_scope_is_named_by_whole_words() {
    let scopes = |text| Some(Remedy::Scopes(ScopeSet::parse(text).unwrap()));
    let header = r#"Bearer error="insufficient_scope", scope="mail.read mail.send""#;
    assert_eq!(help(403, header), scopes("mail.read mail.send"));
    assert_eq!(help(403, r#"Bearer error="insufficient_scope""#), None, "which one?");
    assert_eq!(help(403, r#"Bearer error="insufficient_scope", scope="a\"b""#), None);
}

#[test]
fn a_step_up_says_how_strong_and_how_recent() {
    let header = r#"Bearer error="insufficient_user_authentication", acr_values="gold  silver", max_age="300""#;
    let step_up = StepUp {
        acr_values: vec!["gold".into(), "silver".into()],
        max_age: Some(Duration::from_mins(5)),
    };
    assert_eq!(help(401, header), Some(Remedy::StepUp(step_up)));
    let unquoted = "Bearer error=insufficient_user_authentication, max_age=5";
    let step_up = StepUp { max_age: Some(Duration::from_secs(5)), ..StepUp::default() };
    assert_eq!(help(401, unquoted), Some(Remedy::StepUp(step_up)));
}

#[test]
fn a_bound_token_gets_a_new_proof_where_a_nonce_is_asked_for() {
    let header = r#"DPoP error="use_dpop_nonce", algs="ES256 PS256""#;
    assert_eq!(remedy(401, [header], TokenType::DPoP), Some(Remedy::Proof));
    assert_eq!(remedy(400, [header], TokenType::DPoP), None);
}

#[test]
fn the_challenge_of_the_scheme_that_was_used_counts() {
    let both = [r#"Bearer error="invalid_token""#, r#"DPoP algs="ES256", error="use_dpop_nonce""#];
    assert_eq!(remedy(401, both, TokenType::DPoP), Some(Remedy::Proof));
    assert_eq!(remedy(401, both, TokenType::Bearer), Some(Remedy::Renewal));
    let one_line = both.join(", ");
    assert_eq!(remedy(401, [one_line.as_str()], TokenType::DPoP), Some(Remedy::Proof));
}

#[test]
fn an_api_that_takes_bound_tokens_only_is_understood() {
    assert_eq!(help(401, r#"DPoP algs="ES256""#), Some(Remedy::Binding));
    assert_eq!(help(403, r#"DPoP algs="ES256""#), None);
}

#[test]
fn what_no_token_helps_against_has_no_remedy() {
    for header in ["", "Basic realm=\"x\"", "Negotiate YII=", r#"Bearer error="invalid_request""#] {
        assert_eq!(help(401, header), None, "{header}");
    }
    assert_eq!(help(500, "Bearer"), None);
}

#[test]
fn other_schemes_and_their_base64_stand_in_nobodys_way() {
    let header = r#"Negotiate YIIB+/aG==, Basic realm="a, b", Bearer error="invalid_token""#;
    let schemes: Vec<_> = parse(header).into_iter().map(|challenge| challenge.scheme).collect();
    assert_eq!(schemes, ["Negotiate", "Basic", "Bearer"]);
    assert_eq!(help(401, header), Some(Remedy::Renewal));
}

#[test]
fn commas_blanks_and_letter_case_do_not_matter() {
    let (scheme, parameters) = of_one(", ,\tBEARER  Error = invalid_token ,, REALM=\"\" ,");
    assert_eq!(scheme, "BEARER");
    let expected = [("error", "invalid_token"), ("realm", "")];
    assert_eq!(parameters, expected.map(|(name, value)| (name.into(), value.into())));
}

#[test]
fn reading_ends_where_it_is_not_understood() {
    let (scheme, parameters) = of_one(r#"Bearer realm="a", error="never ends"#);
    assert_eq!((scheme.as_str(), parameters.len()), ("Bearer", 1));
    assert!(parse("error=\"x\"").is_empty(), "a parameter of nobody");
    assert!(parse(&"Bearer,".repeat(5000)).is_empty(), "too long to be one");
    assert!(parse(&"Bearer a=b,".repeat(500)).len() <= MAX_PARTS);
}

#[test]
fn of_a_parameter_that_is_named_twice_the_first_counts() {
    let (_, parameters) = of_one("Bearer error=invalid_token, error=insufficient_scope");
    assert_eq!(parameters, [("error".to_owned(), "invalid_token".to_owned())]);
}

proptest! {
    #[test]
    fn nothing_that_a_server_writes_breaks_the_reading(header in "\\PC{0,300}") {
        let _challenges = parse(&header);
    }

    #[test]
    fn what_is_quoted_reads_back_as_it_was(value in "[ -~]{0,40}") {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        let (_, parameters) = of_one(&format!("Bearer scope=\"{escaped}\""));
        prop_assert_eq!(parameters, [("scope".to_owned(), value)]);
    }
}
