//! Faults that a client meets when it pushes its request.

use dev_issuer::{Fault, Options, Times};

use crate::stand::{Answer, Query, Stand, soon};

async fn push(stand: &Stand) -> Answer {
    stand.post("/par", &Query::good().pairs()).await
}

#[tokio::test]
async fn a_push_can_fail_or_be_refused() {
    let stand = Stand::new().await;
    stand.issuer.inject(Fault::par_500(), Times::Once);
    assert_eq!(push(&stand).await.status, 500);
    stand.issuer.inject(Fault::par_refused(), Times::Once);
    push(&stand).await.assert_error(400, "invalid_request");
    assert_eq!(push(&stand).await.status, 201);
}

#[tokio::test]
async fn a_push_can_be_answered_without_a_name() {
    let stand = Stand::new().await;
    for fault in
        [Fault::par_not_json(), Fault::par_without_request_uri(), Fault::par_request_uri_mistyped()]
    {
        stand.issuer.inject(fault, Times::Once);
        let answer = push(&stand).await;
        assert_eq!(answer.status, 201, "{fault:?}");
        assert!(!answer.body["request_uri"].is_string(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_push_can_be_sent_elsewhere() {
    let elsewhere = "http://127.0.0.1:9/elsewhere".to_owned();
    let stand = Stand::with(Options { elsewhere, ..Options::default() }).await;
    stand.issuer.inject(Fault::par_redirect(), Times::Once);
    let answer = push(&stand).await;
    let location = answer.headers["location"].as_str();
    assert_eq!((answer.status, location), (307, "http://127.0.0.1:9/elsewhere"));
}

#[tokio::test]
async fn a_push_can_be_cut_off_or_never_be_answered() {
    let stand = Stand::new().await;
    let ask = || stand.http.post(stand.at("/par")).form(&Query::good().pairs()).send();
    stand.issuer.inject(Fault::par_cut(), Times::Once);
    assert!(ask().await.unwrap().text().await.is_err());
    stand.issuer.inject(Fault::par_hang(), Times::Once);
    let arrived = stand.issuer.wait_for(1, |it| it.path == "/par" && it.status.is_none());
    tokio::select! {
        answer = ask() => panic!("{answer:?}"),
        seen = soon(arrived) => assert_eq!(seen.len(), 1),
    }
}
