//! The token endpoint: how codes are redeemed and who may ask.

use std::time::Duration;

use crate::stand::{API, Answer, Query, Stand, VERIFIER, claims, code_form};

#[tokio::test]
async fn a_code_used_twice_ends_the_tokens_of_the_first_use() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good().without("resource")).await;
    let tokens = stand.redeem(&code).await;
    assert_eq!(stand.userinfo(tokens.text("access_token")).await.status, 200);

    stand.redeem(&code).await.assert_error(400, "invalid_grant");
    stand.refresh(tokens.text("refresh_token")).await.assert_error(400, "invalid_grant");
    assert_eq!(stand.userinfo(tokens.text("access_token")).await.status, 401);
}

#[tokio::test]
async fn a_code_expires() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good()).await;
    stand.issuer.advance_clock(Duration::from_mins(1));
    stand.redeem(&code).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_code_is_bound_to_verifier_and_address_and_spent_by_a_wrong_try() {
    let stand = Stand::new().await;
    for (name, value) in [
        ("code_verifier", VERIFIER.replace('d', "e").as_str()),
        ("redirect_uri", "http://127.0.0.1:10/callback"),
    ] {
        let code = stand.code(&Query::good()).await;
        stand
            .token(&changed(code_form(&code), name, value))
            .await
            .assert_error(400, "invalid_grant");
        stand.redeem(&code).await.assert_error(400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_code_is_bound_to_its_client() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good()).await;
    let mut form = changed(code_form(&code), "client_id", "web-app");
    form.push(("client_secret", "web-app-secret"));
    stand.token(&form).await.assert_error(400, "invalid_grant");
    assert_eq!(stand.redeem(&code).await.status, 200, "a stranger's try costs the client nothing");
}

#[tokio::test]
async fn a_code_may_be_redeemed_for_fewer_resources_but_not_for_others() {
    let stand = Stand::new().await;
    let query = Query::good().and("resource", "urn:acme:billing");
    let code = stand.code(&query).await;
    let mut form = code_form(&code);
    form.push(("resource", API));
    let tokens = stand.token(&form).await;
    assert_eq!(claims(tokens.text("access_token"))["aud"], API);

    let code = stand.code(&query).await;
    let mut form = code_form(&code);
    form.push(("resource", "urn:acme:other"));
    stand.token(&form).await.assert_error(400, "invalid_target");
}

#[tokio::test]
async fn malformed_requests_are_refused() {
    let stand = Stand::new().await;
    let code = stand.code(&Query::good()).await;
    let without = |name: &str| -> Vec<_> {
        code_form(&code).into_iter().filter(|(known, _)| *known != name).collect()
    };
    for (error, form) in [
        ("invalid_request", without("grant_type")),
        ("invalid_request", without("code")),
        ("invalid_request", without("code_verifier")),
        ("invalid_request", without("redirect_uri")),
        ("invalid_request", [code_form(&code), code_form(&code)].concat()),
        ("invalid_request", changed(code_form(&code), "code_verifier", "short")),
        ("invalid_grant", changed(code_form(&code), "code", "never-issued")),
        ("unsupported_grant_type", changed(code_form(&code), "grant_type", "password")),
    ] {
        stand.token(&form).await.assert_error(400, error);
    }
    assert_eq!(stand.redeem(&code).await.status, 200, "none of these spent the code");
}

#[tokio::test]
async fn parameters_belong_in_a_form_body() {
    let stand = Stand::new().await;
    let form = code_form("x");
    let request = stand.http.post(stand.at("/token?client_id=desktop-broker")).form(&form);
    Answer::of(request).await.assert_error(400, "invalid_request");
    let request = stand.http.post(stand.at("/token")).json(&form);
    Answer::of(request).await.assert_error(401, "invalid_client");
    assert_eq!(stand.get("/token").await.status, 405);
}

#[tokio::test]
async fn a_client_that_does_not_prove_itself_gets_nothing() {
    let stand = Stand::new().await;
    let web_app = || changed(code_form("x"), "client_id", "web-app");
    for form in [
        changed(code_form("x"), "client_id", "nobody"),
        changed(code_form("x"), "client_id", ""),
        web_app(),
        [web_app(), vec![("client_secret", "wrong")]].concat(),
        [code_form("x"), vec![("client_secret", "anything")]].concat(),
    ] {
        stand.token(&form).await.assert_error(401, "invalid_client");
    }
}

#[tokio::test]
async fn wrong_use_of_the_authorization_header_is_refused() {
    let stand = Stand::new().await;
    let post = || stand.http.post(stand.at("/token"));
    let web_app = changed(code_form("x"), "client_id", "web-app");
    let secret = [web_app.clone(), vec![("client_secret", "web-app-secret")]].concat();
    let basic = |id: &str, password: &str| post().basic_auth(id, Some(password));

    let public = Answer::of(basic("desktop-broker", "").form(&code_form("x"))).await;
    public.assert_error(401, "invalid_client");
    assert!(public.headers["www-authenticate"].starts_with("Basic"));
    let wrong = Answer::of(basic("web-app", "wrong").form(&web_app)).await;
    wrong.assert_error(401, "invalid_client");
    let bearer = Answer::of(post().bearer_auth("token").form(&web_app)).await;
    bearer.assert_error(401, "invalid_client");
    let both = Answer::of(basic("web-app", "web-app-secret").form(&secret)).await;
    both.assert_error(400, "invalid_request");
    let other = Answer::of(basic("web-app", "web-app-secret").form(&code_form("x"))).await;
    other.assert_error(400, "invalid_request");
    let twice = basic("web-app", "a").header("authorization", "Basic Yg==").form(&web_app);
    Answer::of(twice).await.assert_error(400, "invalid_request");
}

fn changed<'a>(
    mut form: Vec<(&'a str, &'a str)>,
    name: &str,
    value: &'a str,
) -> Vec<(&'a str, &'a str)> {
    for pair in form.iter_mut().filter(|(known, _)| *known == name) {
        pair.1 = value;
    }
    form
}
