//! The end of a sign-in.

use authbroker_client::TokenRequest;
use dev_issuer::user_agent::UserAgent;
use dev_issuer::{Fault, Times};

use crate::stand::Stand;

#[tokio::test]
async fn signing_out_revokes_ends_the_session_and_forgets() {
    let stand = Stand::signed_in().await;
    let ran = stand.ctl(["logout", "--no-browser"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("the provider revoked the tokens"), "{ran:?}");
    assert!(ran.out.contains("/end_session?id_token_hint="), "{ran:?}");
    let requests = stand.issuer.requests();
    let revoked = requests.iter().filter(|request| request.path == "/revoke");
    let told: Vec<_> =
        revoked.map(|request| (request.value("token_type_hint"), request.status)).collect();
    let expected = [(Some("refresh_token"), Some(200)), (Some("access_token"), Some(200))];
    assert_eq!(told, expected, "the refresh token first");
    stand.ctl(["token"]).await.assert_fails(3, "nobody is signed in", "brokerctl login dev");
    assert_eq!(stand.records(), Vec::<String>::new());
}

#[tokio::test]
async fn what_could_not_be_revoked_is_forgotten_all_the_same_and_said() {
    let stand = Stand::signed_in().await;
    stand.issuer.inject(Fault::revoke_503(), Times::Always);
    let ran = stand.ctl(["logout", "--no-browser"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("not revoked at the provider: the provider answers 503"), "{ran:?}");
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json(), serde_json::json!([]));
}

#[tokio::test]
async fn a_local_sign_out_tells_the_provider_nothing() {
    let stand = Stand::signed_in().await;
    let before = stand.issuer.requests().len();
    let ran = stand.ctl(["logout", "--local"]).await;
    assert!(ran.err.contains("the provider was not told"), "{ran:?}");
    assert_eq!(stand.issuer.requests().len(), before);
}

#[tokio::test]
async fn every_account_can_be_signed_out_at_once() {
    let stand = Stand::new().await;
    stand.sign_in("alice").await;
    stand.sign_in("bob").await;
    assert_eq!(stand.ctl(["logout", "--all", "--no-browser"]).await.code, 0);
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json(), serde_json::json!([]));
}

#[tokio::test]
async fn what_one_app_does_another_hears_live() {
    let stand = Stand::new().await;
    let mut watch = stand.app().await.watch().await.unwrap();
    let first = watch.next().await.unwrap();
    assert!(first.accounts.is_empty() && first.removed.is_empty());
    let id = stand.sign_in("alice").await;
    let come = watch.next().await.unwrap();
    assert_eq!(come.accounts[0].id, id);
    assert_eq!(come.accounts[0].label, "Alice Adams");
    let app = stand.app().await;
    app.sign_out(&id).await.unwrap().done().await.unwrap();
    loop {
        let change = watch.next().await.unwrap();
        if change.removed == [id.clone()] {
            break;
        }
    }
    assert!(app.token(TokenRequest::new()).await.is_err());
}

#[tokio::test]
async fn the_browser_comes_back_where_a_return_address_is_registered() {
    let extra = "redirect = { post_logout_path = \"/signed-out\" }";
    let stand = Stand::configured(dev_issuer::Options::default(), extra).await;
    stand.sign_in("alice").await;
    let ran = stand.ctl(["logout", "--no-browser"]).await;
    let browser = UserAgent::new().unwrap();
    let page = browser.visit(ran.line()).await.unwrap();
    assert_eq!((page.status, page.url.path()), (200, "/signed-out"), "{page:?}");
    assert!(page.text.contains("You are signed out."), "{page:?}");
}

#[tokio::test]
async fn a_return_with_another_state_is_no_return() {
    let extra = "redirect = { post_logout_path = \"/signed-out\" }";
    let stand = Stand::configured(dev_issuer::Options::default(), extra).await;
    stand.sign_in("alice").await;
    let ran = stand.ctl(["logout", "--no-browser"]).await;
    let url = url::Url::parse(ran.line()).unwrap();
    let sent = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(sent("state").len(), 43);
    let back = sent("post_logout_redirect_uri");
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let stray = http.get(format!("{back}?state=guess")).send().await.unwrap();
    assert_eq!(stray.status(), 400);
    let real = http.get(format!("{back}?state={}", sent("state"))).send().await.unwrap();
    assert_eq!(real.status(), 200);
}
