//! Answers that come late, in part, from elsewhere or without end.

use dev_issuer::{Fault, Options, Times};

use crate::stand::{Query, Stand, code_form, soon};

const DISCOVERY: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn a_redirect_leads_to_where_the_test_listens() {
    let elsewhere = "http://127.0.0.1:9/elsewhere".to_owned();
    let stand = Stand::with(Options { elsewhere, ..Options::default() }).await;
    for (fault, path) in
        [(Fault::discovery_redirect(), DISCOVERY), (Fault::jwks_redirect(), "/jwks")]
    {
        stand.issuer.inject(fault, Times::Once);
        let answer = stand.get(path).await;
        assert_eq!(
            (answer.status, &*answer.headers["location"]),
            (302, "http://127.0.0.1:9/elsewhere")
        );
    }
    for (fault, status) in [(Fault::token_302(), 302), (Fault::token_307(), 307)] {
        stand.issuer.inject(fault, Times::Once);
        assert_eq!(stand.redeem("x").await.status, status);
    }
}

#[tokio::test]
async fn a_huge_answer_is_longer_than_anybody_reads() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::discovery_huge(), Times::Once);
    let mut response = stand.http.get(stand.at(DISCOVERY)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut read = 0;
    while read < 4 * 1024 * 1024 {
        read += soon(response.chunk()).await.unwrap().unwrap().len();
    }
}

#[tokio::test]
async fn a_dripping_answer_begins_and_is_the_right_one() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::discovery_drip(), Times::Once);
    let mut response = stand.http.get(stand.at(DISCOVERY)).send().await.unwrap();
    assert_eq!(soon(response.chunk()).await.unwrap().unwrap(), "{");
}

#[tokio::test]
async fn half_an_answer_ends_early_and_the_code_is_spent() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::token_cut(), Times::Once);
    let code = stand.code(&Query::good()).await;
    let response = stand.http.post(stand.at("/token")).form(&code_form(&code)).send().await;
    assert!(response.unwrap().bytes().await.is_err());
    stand.redeem(&code).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn what_should_be_json_is_none() {
    let stand = Stand::new().await;
    for (fault, path) in [
        (Fault::discovery_not_json(), DISCOVERY),
        (Fault::discovery_truncated(), DISCOVERY),
        (Fault::jwks_not_json(), "/jwks"),
    ] {
        stand.issuer.inject(fault, Times::Once);
        let answer = stand.get(path).await;
        assert_eq!(answer.headers["content-type"], "application/json", "{fault:?}");
        assert!(answer.status == 200 && answer.body.is_string(), "{fault:?}");
        assert!(stand.get(path).await.body.is_object());
    }
    for fault in [Fault::token_not_json(), Fault::token_nested(), Fault::token_empty_403()] {
        stand.issuer.inject(fault, Times::Once);
        assert!(stand.redeem("x").await.body.is_string(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_refusal_can_be_odd() {
    let stand = Stand::new().await;
    for (fault, status, error) in [
        (Fault::token_error_in_200(), 200, "invalid_grant"),
        (Fault::token_own_error(), 400, "invalid_code"),
        (Fault::token_control_characters(), 400, "bad\u{1b}[31m"),
    ] {
        stand.issuer.inject(fault, Times::Once);
        let answer = stand.redeem("x").await;
        assert_eq!((answer.status, answer.text("error")), (status, error), "{fault:?}");
    }
}

#[tokio::test]
async fn a_busy_endpoint_says_when_to_come_back() {
    let stand = Stand::new().await;
    for (fault, status, form) in [
        (Fault::refresh_503_retry_after_date(), 503, "GMT"),
        (Fault::refresh_429_retry_after_date(), 429, "GMT"),
        (Fault::refresh_429_retry_after(), 429, "3600"),
        (Fault::refresh_503_retry_at_once(), 503, "0"),
    ] {
        stand.issuer.inject(fault, Times::Once);
        let busy = stand.refresh("x").await;
        let pause = &busy.headers["retry-after"];
        assert!(busy.status == status && pause.ends_with(form), "{fault:?}: {pause}");
    }
}
