//! The other side: a certified client that nobody here wrote, at the development issuer. What it
//! accepts is an OpenID Provider, so the tests that stand on that issuer stand on firm ground.

use dev_issuer::user_agent::{Consent, UserAgent};
use serde_json::json;

use crate::world::{Session, issuer, soon};

async fn sign_in_refresh_revoke_and_sign_out(client: &[&str]) {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    let mut command = session.node("client.mjs");
    command.arg(issuer.url()).args(client);
    let mut app = session.start_program("client", command).await;
    let browser = UserAgent::new().unwrap();
    let address = app.line().await;
    let journey = browser.answer(&address, "alice", "wonderland", Consent::Allow);
    let back = soon("a sign-in", journey).await.unwrap();
    app.say(back.as_str()).await;

    let outcome = app.json().await;
    assert_eq!(outcome["person"], "Alice Adams");
    assert_eq!(outcome["subject"], "u-7c1f4be09d3a");
    assert_eq!((&outcome["rotated"], &outcome["renewed"]), (&json!(true), &json!(true)));
    assert_eq!(outcome["afterRevocation"], "invalid_grant");
    assert!(outcome["scopes"].as_str().unwrap().contains("messages.read"), "{outcome}");
    assert!(app.ended().await.success());

    // With the ID token as a hint nobody is asked again; the application is told the same state.
    let end = outcome["endSession"].as_str().unwrap();
    let left = browser.answer(end, "", "", Consent::Allow).await.unwrap();
    let state = outcome["state"].as_str().unwrap();
    assert_eq!(left.as_str(), format!("http://127.0.0.1:9/signed-out?state={state}"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs openid-client: ./test.sh runs it"]
async fn openid_client_works_at_the_development_issuer_without_a_secret() {
    sign_in_refresh_revoke_and_sign_out(&["desktop-broker"]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs openid-client: ./test.sh runs it"]
async fn openid_client_works_at_the_development_issuer_with_a_secret() {
    sign_in_refresh_revoke_and_sign_out(&["web-app", "web-app-secret"]).await;
}
