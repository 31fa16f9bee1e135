//! Token exchange.

use std::time::Duration;

use dev_issuer::{Offer, Options, Switch};
use serde_json::json;

use crate::keys::ClientKey;
use crate::stand::{API, Answer, Query, Stand, as_web_app, claims, code_form};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const BILLING: &str = "urn:acme:billing";

async fn with_exchange(dpop: Offer) -> Stand {
    let token_exchange = Switch::On;
    Stand::with(Options { token_exchange, dpop, ..Options::default() }).await
}

fn form(token: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", GRANT_TYPE),
        ("client_id", "desktop-broker"),
        ("subject_token", token),
        ("subject_token_type", ACCESS_TOKEN),
    ]
}

fn form_with<'a>(token: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&form(token), more].concat()
}

/// Signs in for two resources.
async fn signed_in(stand: &Stand) -> Answer {
    let query = Query::good().and("resource", BILLING);
    stand.redeem(&stand.code(&query).await).await
}

#[tokio::test]
async fn a_token_is_exchanged_for_a_narrower_one() {
    let stand = with_exchange(Offer::Off).await;
    let tokens = signed_in(&stand).await;
    let narrower = [("scope", "messages.read"), ("resource", BILLING)];
    let answer = stand.token(&form_with(tokens.text("access_token"), &narrower)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(
        (&answer.body["token_type"], &answer.body["scope"]),
        (&json!("Bearer"), &json!("messages.read"))
    );
    assert!(answer.body["refresh_token"].is_null() && answer.body["id_token"].is_null());
    let (old, new) = (claims(tokens.text("access_token")), claims(answer.text("access_token")));
    assert_eq!((&new["aud"], &new["scope"]), (&json!(BILLING), &json!("messages.read")));
    assert_eq!((&new["sub"], &new["auth_time"]), (&old["sub"], &old["auth_time"]));
    assert_ne!(new["jti"], old["jti"]);
}

#[tokio::test]
async fn without_a_word_the_new_token_is_for_the_same() {
    let stand = with_exchange(Offer::Off).await;
    let tokens = signed_in(&stand).await;
    let asked = form_with(tokens.text("access_token"), &[("requested_token_type", ACCESS_TOKEN)]);
    let answer = stand.token(&asked).await;
    let (old, new) = (claims(tokens.text("access_token")), claims(answer.text("access_token")));
    assert_eq!((&new["aud"], &new["scope"]), (&old["aud"], &old["scope"]));
}

#[tokio::test]
async fn an_exchange_widens_nothing() {
    let stand = with_exchange(Offer::Off).await;
    let tokens = signed_in(&stand).await;
    let narrow = [("scope", "messages.read"), ("resource", API)];
    let narrow = stand.token(&form_with(tokens.text("access_token"), &narrow)).await;
    let token = narrow.text("access_token");
    let wider = form_with(token, &[("scope", "messages.read email")]);
    stand.token(&wider).await.assert_error(400, "invalid_scope");
    let elsewhere = form_with(token, &[("resource", "https://other.example")]);
    stand.token(&elsewhere).await.assert_error(400, "invalid_target");
    let by_name = form_with(token, &[("audience", "billing")]);
    stand.token(&by_name).await.assert_error(400, "invalid_target");
    let allowed_at_the_sign_in = form_with(token, &[("resource", BILLING)]);
    assert_eq!(stand.token(&allowed_at_the_sign_in).await.status, 200);
}

#[tokio::test]
async fn an_exchange_renews_nothing() {
    let stand = with_exchange(Offer::Off).await;
    let tokens = signed_in(&stand).await;
    let token = tokens.text("access_token");
    stand.issuer.advance_clock(Duration::from_mins(4));
    let answer = stand.token(&form(token)).await;
    assert!(answer.body["expires_in"].as_u64().unwrap() <= 60, "{answer:?}");
    assert_eq!(claims(answer.text("access_token"))["exp"], claims(token)["exp"]);
    stand.issuer.advance_clock(Duration::from_mins(1));
    stand.token(&form(token)).await.assert_error(400, "invalid_request");
}

#[tokio::test]
async fn what_is_no_live_access_token_of_the_client_is_refused() {
    let stand = with_exchange(Offer::Off).await;
    let tokens = signed_in(&stand).await;
    for other in ["garbage", tokens.text("id_token"), tokens.text("refresh_token")] {
        stand.token(&form(other)).await.assert_error(400, "invalid_request");
    }
    let token = tokens.text("access_token");
    stand.token(&as_web_app(form(token))).await.assert_error(400, "invalid_request");
    stand.revoke(token).await;
    stand.token(&form(token)).await.assert_error(400, "invalid_request");
}

#[tokio::test]
async fn only_what_is_understood_is_served() {
    let stand = with_exchange(Offer::Off).await;
    let tokens = signed_in(&stand).await;
    let token = tokens.text("access_token");
    let id_token = "urn:ietf:params:oauth:token-type:id_token";
    let without = |name: &str| -> Vec<_> {
        form(token).into_iter().filter(|(known, _)| *known != name).collect()
    };
    for form in [
        without("subject_token"),
        without("subject_token_type"),
        [without("subject_token_type"), vec![("subject_token_type", id_token)]].concat(),
        form_with(token, &[("requested_token_type", id_token)]),
        form_with(token, &[("actor_token", token), ("actor_token_type", ACCESS_TOKEN)]),
    ] {
        stand.token(&form).await.assert_error(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_bound_token_is_exchanged_by_its_key_only() {
    let stand = with_exchange(Offer::Offered).await;
    let (key, thief) = (ClientKey::p256(), ClientKey::p256());
    let ask = async |form: &[(&str, &str)], key: &ClientKey| {
        let proof = key.proof("POST", &stand.at("/token")).sign();
        Answer::of(stand.http.post(stand.at("/token")).header("DPoP", proof).form(form)).await
    };
    let code = stand.code(&Query::good()).await;
    let tokens = ask(&code_form(&code), &key).await;
    let form = form(tokens.text("access_token"));
    stand.token(&form).await.assert_error(400, "invalid_request");
    ask(&form, &thief).await.assert_error(400, "invalid_request");
    let answer = ask(&form, &key).await;
    assert_eq!((answer.status, &answer.body["token_type"]), (200, &json!("DPoP")));
    assert_eq!(claims(answer.text("access_token"))["cnf"]["jkt"], key.thumbprint());
}

#[tokio::test]
async fn the_end_of_the_grant_ends_what_was_exchanged() {
    let stand = with_exchange(Offer::Off).await;
    let tokens = stand.redeem(&stand.code(&Query::good().without("resource")).await).await;
    let answer = stand.token(&form(tokens.text("access_token"))).await;
    assert_eq!(stand.userinfo(answer.text("access_token")).await.status, 200);
    stand.revoke(tokens.text("refresh_token")).await;
    assert_eq!(stand.userinfo(answer.text("access_token")).await.status, 401);
}

#[tokio::test]
async fn an_exchange_is_refused_where_it_is_not_offered() {
    let (on, off) = (with_exchange(Offer::Off).await, Stand::new().await);
    let tokens = off.signed_in().await;
    let refused = off.token(&form(tokens.text("access_token"))).await;
    refused.assert_error(400, "unsupported_grant_type");
    for (stand, announced) in [(on, true), (off, false)] {
        let document = stand.get("/.well-known/openid-configuration").await.body;
        let grants = document["grant_types_supported"].as_array().unwrap();
        assert_eq!(grants.contains(&json!(GRANT_TYPE)), announced);
    }
}
