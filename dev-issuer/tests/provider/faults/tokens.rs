//! ID tokens and token answers that are not what they should be.

use dev_issuer::{Fault, Options, Times};
use serde_json::{Value, json};

use crate::stand::{Answer, Stand, claims, header};

async fn tokens(stand: &Stand, fault: Fault) -> Answer {
    stand.issuer.inject(fault, Times::Once);
    stand.signed_in().await
}

#[tokio::test]
async fn an_id_token_can_lack_any_claim() {
    let stand = Stand::new().await;
    for (fault, claim) in [
        (Fault::id_token_without_iss(), "iss"),
        (Fault::id_token_without_aud(), "aud"),
        (Fault::id_token_without_exp(), "exp"),
        (Fault::id_token_without_iat(), "iat"),
        (Fault::id_token_without_nonce(), "nonce"),
        (Fault::id_token_without_sub(), "sub"),
        (Fault::id_token_without_at_hash(), "at_hash"),
        (Fault::id_token_without_auth_time(), "auth_time"),
    ] {
        let lacking = claims(tokens(&stand, fault).await.text("id_token"));
        assert!(lacking.get(claim).is_none(), "{fault:?}");
        assert!(claims(stand.signed_in().await.text("id_token")).get(claim).is_some());
    }
}

#[tokio::test]
async fn an_id_token_can_say_the_wrong_thing() {
    let stand = Stand::new().await;
    let both = json!(["desktop-broker", "another-client"]);
    for (fault, claim, wrong) in [
        (Fault::id_token_several_auds(), "aud", both.clone()),
        (Fault::id_token_several_auds_with_azp(), "azp", json!("desktop-broker")),
        (Fault::id_token_wrong_azp(), "azp", json!("another-client")),
        (Fault::id_token_exp_mistyped(), "exp", json!("soon")),
        (Fault::id_token_empty_sub(), "sub", json!("")),
        (Fault::id_token_long_sub(), "sub", json!("x".repeat(256))),
        (Fault::id_token_sub_mistyped(), "sub", json!(42)),
        (Fault::id_token_wrong_at_hash(), "at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ")),
    ] {
        let token = claims(tokens(&stand, fault).await.text("id_token"));
        assert_eq!(token[claim], wrong, "{fault:?}");
    }
    let time = |token: &Value, claim: &str| token[claim].as_u64().unwrap();
    for (fault, claim) in
        [(Fault::id_token_iat_in_future(), "iat"), (Fault::id_token_not_yet_valid(), "nbf")]
    {
        let token = claims(tokens(&stand, fault).await.text("id_token"));
        assert!(time(&token, claim) > time(&token, "exp"), "{fault:?}");
    }
    let old = claims(tokens(&stand, Fault::id_token_old_auth_time()).await.text("id_token"));
    assert!(time(&old, "auth_time") + 3600 < time(&old, "iat"));
}

#[tokio::test]
async fn an_id_token_can_be_signed_by_nobody_or_by_anybody() {
    let elsewhere = "https://elsewhere.example/".to_owned();
    let stand = Stand::with(Options { elsewhere, ..Options::default() }).await;
    for (fault, alg, signed) in [
        (Fault::id_token_alg_none(), "none", false),
        (Fault::id_token_alg_none_in_capitals(), "NONE", false),
        (Fault::id_token_alg_none_in_mixed_case(), "nOnE", false),
        (Fault::id_token_without_signature(), "RS256", false),
        (Fault::id_token_hs256_with_public_key(), "HS256", true),
        (Fault::id_token_jwk_header(), "ES256", true),
        (Fault::id_token_jku_header(), "ES256", true),
    ] {
        let answer = tokens(&stand, fault).await;
        let token = answer.text("id_token");
        assert_eq!(
            (&header(token)["alg"], !token.ends_with('.')),
            (&json!(alg), signed),
            "{fault:?}"
        );
    }
    let shown = tokens(&stand, Fault::id_token_jwk_header()).await;
    assert_eq!(header(shown.text("id_token"))["jwk"]["kty"], "EC");
    let shown = tokens(&stand, Fault::id_token_jku_header()).await;
    assert_eq!(header(shown.text("id_token"))["jku"], "https://elsewhere.example/");
}

#[tokio::test]
async fn an_id_token_can_have_another_header() {
    let stand = Stand::new().await;
    let of = async |fault| header(tokens(&stand, fault).await.text("id_token"));
    assert_eq!(of(Fault::id_token_crit_header()).await["crit"], json!(["telepathy"]));
    assert!(of(Fault::id_token_without_kid()).await.get("kid").is_none());
    assert_eq!(of(Fault::id_token_unknown_kid()).await["kid"], "unheard-of");
    assert_eq!(of(Fault::id_token_encrypted()).await["enc"], "A256GCM");
}

#[tokio::test]
async fn an_id_token_can_be_something_else() {
    let stand = Stand::new().await;
    let of = async |fault| tokens(&stand, fault).await.body;
    assert_eq!(of(Fault::id_token_garbage()).await["id_token"], "garbage");
    assert_eq!(of(Fault::id_token_mistyped()).await["id_token"], 42);
    let copied = of(Fault::id_token_copy_of_access_token()).await;
    assert_eq!(copied["id_token"], copied["access_token"]);
}

#[tokio::test]
async fn a_token_answer_can_lack_or_garble_any_member() {
    let stand = Stand::new().await;
    for (fault, member, wrong) in [
        (Fault::token_without_access_token(), "access_token", Value::Null),
        (Fault::token_access_token_mistyped(), "access_token", json!(42)),
        (Fault::token_with_line_break(), "access_token", json!("part\r\nX-Injected: yes")),
        (Fault::token_without_type(), "token_type", Value::Null),
        (Fault::token_unknown_type(), "token_type", json!("mac")),
        (Fault::token_type_in_small_letters(), "token_type", json!("bearer")),
        (Fault::token_without_expires_in(), "expires_in", Value::Null),
        (Fault::token_expires_in_text(), "expires_in", json!("300")),
        (Fault::token_expires_in_zero(), "expires_in", json!(0)),
        (Fault::token_expires_in_negative(), "expires_in", json!(-300)),
        (Fault::token_expires_in_huge(), "expires_in", json!(u64::MAX)),
        (Fault::token_expires_in_float(), "expires_in", json!(300.5)),
        (Fault::token_without_scope(), "scope", Value::Null),
        (Fault::token_scope_mistyped(), "scope", json!(42)),
        (Fault::token_scope_odd(), "scope", json!("openid \"quoted\" back\\slash")),
        (Fault::token_refresh_token_empty(), "refresh_token", json!("")),
    ] {
        assert_eq!(tokens(&stand, fault).await.body[member], wrong, "{fault:?}");
    }
    let list = tokens(&stand, Fault::token_scope_list()).await;
    assert!(list.body["scope"].as_array().unwrap().contains(&json!("openid")));
    let nulls = tokens(&stand, Fault::token_null_members()).await;
    assert_eq!(nulls.body.get("error"), Some(&Value::Null));
}

#[tokio::test]
async fn a_token_answer_can_say_a_thing_twice() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::token_duplicate_members(), Times::Once);
    let code = stand.code(&crate::stand::Query::good()).await;
    let form = crate::stand::code_form(&code);
    let text = stand.http.post(stand.at("/token")).form(&form).send().await.unwrap().text().await;
    assert_eq!(text.unwrap().matches("\"access_token\":").count(), 2);
}

#[tokio::test]
async fn a_renewal_can_be_about_somebody_else_while_sign_ins_are_not() {
    let stand = Stand::new().await;
    for (fault, claim) in [(Fault::refresh_wrong_sub(), "sub"), (Fault::refresh_wrong_iss(), "iss")]
    {
        let first = tokens(&stand, fault).await;
        let next = stand.refresh(first.text("refresh_token")).await;
        let (first, next) = (claims(first.text("id_token")), claims(next.text("id_token")));
        assert_ne!(first[claim], next[claim], "{fault:?}");
    }
    let first = tokens(&stand, Fault::refresh_scope_shrunk()).await;
    let next = stand.refresh(first.text("refresh_token")).await;
    assert!(next.text("scope").len() < first.text("scope").len());
    let first = tokens(&stand, Fault::refresh_scope_grown()).await;
    let next = stand.refresh(first.text("refresh_token")).await;
    assert!(next.text("scope").contains("messages.read"), "whatever was asked for");
}
