//! Authorization requests that do not go through the browser (RFC 9126).

use dev_issuer::{Offer, Options};

use crate::stand::Stand;

fn asking(par: Offer) -> Options {
    Options { par, ..Options::default() }
}

#[tokio::test]
async fn where_the_provider_takes_no_others_requests_are_pushed() {
    let stand = Stand::with(asking(Offer::Required)).await;
    let login = stand.begin_login([]).await;
    let query = login.url.split_once('?').unwrap().1.to_owned();
    let names: Vec<_> = query.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["client_id", "request_uri"], "nothing else goes through the browser");
    login.browse("alice").await;
    assert_eq!(login.end().await.code, 0);
    assert_eq!(stand.ctl(["token"]).await.code, 0);
}

#[tokio::test]
async fn where_the_provider_takes_both_the_browser_carries_them_unless_always_is_said() {
    let stand = Stand::with(asking(Offer::Offered)).await;
    stand.sign_in("alice").await;
    assert!(stand.issuer.requests().iter().all(|request| request.path != "/par"));
    let stand = Stand::configured(asking(Offer::Offered), "par = \"always\"").await;
    stand.sign_in("alice").await;
    assert!(stand.issuer.requests().iter().any(|request| request.path == "/par"));
}

#[tokio::test]
async fn a_request_that_cannot_be_pushed_is_not_sent_openly_instead() {
    let stand = Stand::configured(asking(Offer::Off), "par = \"always\"").await;
    let login = stand.ctl(["login", "--no-browser"]).await;
    login.assert_fails(7, "takes no pushed authorization requests", "par");
    let stand = Stand::configured(asking(Offer::Required), "par = \"never\"").await;
    let login = stand.ctl(["login", "--no-browser"]).await;
    login.assert_fails(7, "pushed authorization requests only", "par");
    assert!(stand.issuer.requests().iter().all(|request| request.path != "/authorize"));
}
