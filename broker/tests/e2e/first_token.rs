//! One sign-in, and tokens for several apps.

use authbroker_client::TokenRequest;
use dev_issuer::Options;

use crate::stand::{RESOURCE, Stand, claims};

#[tokio::test]
async fn a_sign_in_ends_on_a_page_that_greets_the_person() {
    let stand = Stand::new().await;
    let login = stand.begin_login([]).await;
    let visit = login.browse("alice").await;
    assert_eq!(visit.status, 200);
    assert!(visit.text.contains("You are signed in as Alice Adams."), "{visit:?}");
    assert!(visit.text.contains("You can close this tab."), "{visit:?}");
    let ran = login.end().await;
    assert!(ran.line().starts_with("dev-"), "{ran:?}");
    assert!(ran.err.contains("You are signed in as Alice Adams."), "{ran:?}");
}

#[tokio::test]
async fn a_script_gets_the_token_alone_on_a_line() {
    let stand = Stand::signed_in().await;
    let ran = stand.ctl(["token"]).await;
    let claims = claims(ran.line());
    assert_eq!(claims["aud"], RESOURCE);
    assert_eq!(claims["client_id"], "desktop-broker");
    assert_eq!(ran.out.lines().count(), 1);
    let header = stand.ctl(["token", "--header"]).await;
    assert_eq!(header.line(), format!("Authorization: Bearer {}", ran.line()));
}

#[tokio::test]
async fn two_apps_share_one_sign_in_and_memory_answers_the_second() {
    let stand = Stand::signed_in().await;
    let (notes, mail) = (stand.app().await, stand.app().await);
    let first = notes.token(TokenRequest::new()).await.unwrap();
    let second = mail.token(TokenRequest::new().account("dev")).await.unwrap();
    assert_eq!(first.expose(), second.expose());
    assert_eq!(stand.grants("authorization_code"), 1);
    assert_eq!(stand.grants("refresh_token"), 0);
}

#[tokio::test]
async fn an_app_may_ask_for_less_and_gets_a_token_of_its_own() {
    let stand = Stand::signed_in().await;
    let app = stand.app().await;
    let whole = app.token(TokenRequest::new()).await.unwrap();
    let narrow = app.token(TokenRequest::new().scope("messages.read")).await.unwrap();
    assert_ne!(whole.expose(), narrow.expose());
    assert_eq!(claims(narrow.expose())["scope"], "messages.read");
    assert_eq!(narrow.scopes, ["messages.read"]);
}

#[tokio::test]
async fn fifty_narrowed_requests_are_one_call_to_the_provider() {
    let stand = Stand::signed_in().await;
    let app = stand.app().await;
    let ask = || app.token(TokenRequest::new().scope("messages.read"));
    let tokens = futures_util::future::join_all((0..50).map(|_| ask())).await;
    let first = tokens[0].as_ref().unwrap().expose();
    assert!(tokens.iter().all(|token| token.as_ref().unwrap().expose() == first));
    assert_eq!(stand.grants("refresh_token"), 1);
}

#[tokio::test]
async fn two_people_at_one_provider_are_two_accounts() {
    let stand = Stand::new().await;
    let (alice, bob) = (stand.sign_in("alice").await, stand.sign_in("bob").await);
    assert_ne!(alice, bob);
    let subject = async |id: &str| {
        let ran = stand.ctl(["token", id]).await;
        claims(ran.line())["sub"].clone()
    };
    assert_ne!(subject(&alice).await, subject(&bob).await);
    stand.ctl(["token"]).await.assert_fails(3, "several accounts match", "name one of them");
    stand.ctl(["token", "dev"]).await.assert_fails(3, "several accounts match", "name one of them");
}

#[tokio::test]
async fn signing_in_twice_keeps_one_account() {
    let stand = Stand::signed_in().await;
    let again = stand.sign_in("alice").await;
    let accounts = stand.ctl(["accounts", "--json"]).await.json();
    assert_eq!(accounts.as_array().unwrap().len(), 1);
    assert_eq!(accounts[0]["id"], again);
}

#[tokio::test]
async fn an_app_acquires_silently_what_is_there_already() {
    let stand = Stand::signed_in().await;
    let pending =
        stand.app().await.acquire(authbroker_client::AcquireRequest::new()).await.unwrap();
    assert!(pending.done().await.unwrap().starts_with("dev-"));
    assert_eq!(stand.grants("authorization_code"), 1);
}

#[tokio::test]
async fn two_apps_that_want_the_same_sign_in_share_one_browser() {
    use authbroker_client::{AcquireRequest, Step};
    use dev_issuer::user_agent::{Consent, UserAgent};
    let stand = Stand::new().await;
    let app = stand.app().await;
    let url = async |pending: &mut authbroker_client::Pending| loop {
        let Step::Progress(progress) = pending.next().await.unwrap() else { panic!("no browser") };
        if let Some(url) = progress.url {
            return url;
        }
    };
    let mut first = app.acquire(AcquireRequest::new()).await.unwrap();
    let mut second = app.acquire(AcquireRequest::new()).await.unwrap();
    let address = url(&mut first).await;
    assert_eq!(address, url(&mut second).await);
    let browser = UserAgent::new().unwrap();
    browser.sign_in(&address, "alice", "wonderland", Consent::Allow).await.unwrap();
    assert_eq!(first.done().await.unwrap(), second.done().await.unwrap());
    assert_eq!(stand.grants("authorization_code"), 1);
}

#[tokio::test]
async fn without_a_browser_the_app_is_told_and_the_address_works_by_hand() {
    use authbroker_client::{AcquireRequest, Step};
    use dev_issuer::user_agent::{Consent, UserAgent};
    let mut stand = Stand::new().await;
    stand.terminate().await;
    let mut bare = crate::stand::daemon(stand.folder.path());
    stand.start_as(bare.env_remove("BROWSER").env("PATH", "/nonexistent")).await;
    let mut pending = stand.app().await.acquire(AcquireRequest::new()).await.unwrap();
    let (mut address, mut missing) = (String::new(), String::new());
    while missing.is_empty() {
        let Step::Progress(progress) = pending.next().await.unwrap() else { panic!("too early") };
        match progress.phase.as_deref() {
            Some("url") => address = progress.url.unwrap(),
            Some("browser-missing") => missing = progress.message.unwrap(),
            other => panic!("{other:?}"),
        }
    }
    assert!(missing.contains("open the address by hand"), "{missing}");
    let browser = UserAgent::new().unwrap();
    browser.sign_in(&address, "carol", "singer", Consent::Allow).await.unwrap();
    assert!(pending.done().await.unwrap().starts_with("dev-"));
}

#[tokio::test]
async fn a_redirected_address_that_the_browser_could_not_open_is_pasted() {
    use dev_issuer::user_agent::{Consent, UserAgent};
    use tokio::io::AsyncWriteExt as _;
    let stand = Stand::new().await;
    let mut login = stand.begin_login([]).await;
    let browser = UserAgent::new().unwrap();
    let address = browser.answer(&login.url, "bob", "builder", Consent::Allow).await.unwrap();
    let mut stdin = login.child.stdin.take().unwrap();
    stdin.write_all(format!("not an address\n{address}\n").as_bytes()).await.unwrap();
    let ran = login.end().await;
    assert!(ran.line().starts_with("dev-"), "{ran:?}");
    assert!(ran.err.contains("That is not the address"), "{ran:?}");
}

#[tokio::test]
async fn a_token_that_was_issued_for_thirty_seconds_says_so() {
    let stand = Stand::with(Options {
        access_ttl: std::time::Duration::from_secs(30),
        ..Options::default()
    })
    .await;
    stand.sign_in("alice").await;
    let answer = stand.ctl(["token", "--json"]).await.json();
    let claims = claims(answer["access_token"].as_str().unwrap());
    let (said, real) = (answer["expires_at"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
    assert!(said.abs_diff(real) <= 2, "{said} and {real}");
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["subject"], claims["sub"]);
}
