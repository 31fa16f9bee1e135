//! A sign-in with a code on another device (RFC 8628).

use std::time::Duration;

use authbroker_client::{AcquireRequest, Pending, Progress, Step, TokenRequest};
use dev_issuer::user_agent::{Consent, UserAgent, Visit};
use dev_issuer::{Fault, Offer, Options, Switch, Times};
use serde_json::Value;

use crate::stand::{LIMIT, Login, RESOURCE, Stand, claims};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// An issuer that may be asked every second.
fn quick() -> Options {
    Options { device_interval: Some(Duration::from_secs(1)), ..Options::default() }
}

/// A `brokerctl login` that has shown its code.
struct Shown {
    login: Login,
    code: String,
}

async fn begin<const N: usize>(stand: &Stand, args: [&str; N]) -> Shown {
    let mut login = stand.begin_login(args).await;
    let code = login.line().await;
    Shown { login, code }
}

/// Does what a person does on the other device.
async fn answer(page: &str, code: &str, username: &str, consent: Consent) -> Visit {
    let people = &dev_issuer::ACCOUNTS;
    let person = people.iter().find(|account| account.username == username).unwrap();
    let browser = UserAgent::new().unwrap();
    let visit = browser.answer_device(page, code, username, person.password, consent);
    tokio::time::timeout(LIMIT, visit).await.unwrap().unwrap()
}

impl Shown {
    async fn answered_by(self, username: &str, consent: Consent) -> crate::stand::Ran {
        answer(&self.login.url, &self.code, username, consent).await;
        self.login.end().await
    }
}

fn requests(stand: &Stand, path: &str) -> usize {
    stand.issuer.requests().iter().filter(|request| request.path == path).count()
}

/// Waits for the code that an app is told.
async fn code(pending: &mut Pending) -> Progress {
    let step = tokio::time::timeout(LIMIT, pending.next()).await.unwrap().unwrap();
    let Step::Progress(progress) = step else { panic!("a code first: {step:?}") };
    assert_eq!(progress.phase.as_deref(), Some("device-code"), "{progress:?}");
    progress
}

#[tokio::test]
async fn a_code_typed_on_another_device_signs_a_person_in_here() {
    let stand = Stand::with(quick()).await;
    let shown = begin(&stand, ["--device"]).await;
    assert_eq!(shown.login.url, format!("{}/device", stand.issuer.url()));
    let ran = shown.answered_by("alice", Consent::Allow).await;
    assert!(ran.line().starts_with("dev-"), "the last line is the account: {ran:?}");
    assert!(ran.err.contains("type the code within 10 minutes"), "{ran:?}");
    assert!(ran.err.contains("You are signed in as Alice Adams."), "{ran:?}");

    let asked = stand.issuer.requests();
    let begun = asked.iter().find(|request| request.path == "/device_authorization").unwrap();
    assert_eq!(begun.value("client_id"), Some("desktop-broker"));
    assert_eq!(begun.value("resource"), Some(RESOURCE));
    assert!(begun.value("scope").unwrap().contains("offline_access"), "{begun:?}");
    assert_eq!(begun.authorization, None, "a public client has nothing to prove");

    let token = stand.ctl(["token"]).await;
    assert_eq!(claims(token.line())["aud"], RESOURCE);
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    assert_eq!(stand.grants("refresh_token"), 1);
}

#[tokio::test]
async fn a_provider_that_is_configured_for_devices_needs_no_option() {
    let stand = Stand::configured(quick(), "flow = \"device\"").await;
    let ran = begin(&stand, []).await.answered_by("bob", Consent::Allow).await;
    assert!(ran.line().starts_with("dev-"), "{ran:?}");
    assert_eq!(requests(&stand, "/authorize"), 0);
}

#[tokio::test]
async fn in_json_the_code_and_the_account_are_an_object_on_a_line_each() {
    let stand = Stand::with(quick()).await;
    let login = stand.begin_login(["--device", "--json"]).await;
    let shown: Value = serde_json::from_str(&login.url).unwrap();
    assert_eq!(shown["phase"], "device-code");
    assert!(shown["expires_in"].as_u64().unwrap() > 500, "{shown}");
    let (code, complete) = (shown["user_code"].as_str().unwrap(), shown["url_complete"].as_str());
    assert_eq!(complete, Some(&*format!("{}?user_code={code}", shown["url"].as_str().unwrap())));
    answer(complete.unwrap(), code, "alice", Consent::Allow).await;
    let ran = login.end().await;
    assert!(ran.json()["account"].as_str().unwrap().starts_with("dev-"), "{ran:?}");
    assert_eq!(ran.err, "", "in JSON nobody is spoken to");
}

#[tokio::test]
async fn a_person_who_says_no_on_the_page_has_said_no() {
    let stand = Stand::with(quick()).await;
    let shown = begin(&stand, ["--device"]).await;
    let ran = shown.answered_by("alice", Consent::Deny).await;
    ran.assert_fails(4, "access_denied", "agree");
    assert_eq!(stand.ctl(["accounts", "--json"]).await.json(), serde_json::json!([]));
}

#[tokio::test]
async fn a_code_that_nobody_types_runs_out_and_no_other_is_asked_for() {
    let stand = Stand::with(Options { device_ttl: Duration::from_secs(2), ..quick() }).await;
    let shown = begin(&stand, ["--device"]).await;
    shown.login.end().await.assert_fails(4, "nobody finished the sign-in", "sign in again");
    assert_eq!(requests(&stand, "/device_authorization"), 1);
}

#[tokio::test]
async fn a_code_that_the_provider_calls_expired_is_at_its_end() {
    let stand = Stand::with(quick()).await;
    let shown = begin(&stand, ["--device"]).await;
    stand.issuer.advance_clock(Duration::from_hours(1));
    shown.login.end().await.assert_fails(4, "expired_token", "with a new code");
    assert_eq!((stand.grants(GRANT_TYPE), requests(&stand, "/device_authorization")), (1, 1));
}

#[tokio::test]
async fn the_persons_patience_ends_before_the_code_does() {
    let stand = Stand::new().await;
    let shown = begin(&stand, ["--device", "--timeout", "1s"]).await;
    shown.login.end().await.assert_fails(4, "within 1 seconds", "sign in again");
    assert_eq!(stand.grants(GRANT_TYPE), 0, "the first poll would have come later");
}

#[tokio::test]
async fn a_provider_that_fails_meanwhile_is_asked_again() {
    let stand = Stand::with(quick()).await;
    stand.issuer.inject(Fault::token_500(), Times::Once);
    let shown = begin(&stand, ["--device"]).await;
    let failed = |request: &dev_issuer::Recorded| {
        request.is_grant(GRANT_TYPE) && request.status == Some(500)
    };
    tokio::time::timeout(LIMIT, stand.issuer.wait_for(1, failed)).await.unwrap();
    assert_eq!(shown.answered_by("alice", Consent::Allow).await.code, 0);
}

#[tokio::test]
async fn an_answer_for_somebody_else_is_refused() {
    let stand = Stand::with(quick()).await;
    let alice = stand.sign_in("alice").await;
    let shown = begin(&stand, ["--device", &alice]).await;
    let ran = shown.answered_by("bob", Consent::Allow).await;
    ran.assert_fails(4, "and bob signed in", "sign in as the same person");
    let accounts = stand.ctl(["accounts", "--json"]).await.json();
    assert_eq!(accounts.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_id_token_is_checked_as_at_any_sign_in() {
    for fault in
        [Fault::id_token_bad_signature(), Fault::id_token_wrong_aud(), Fault::id_token_missing()]
    {
        let stand = Stand::with(quick()).await;
        stand.issuer.inject(fault, Times::Once);
        let ran = begin(&stand, ["--device"]).await.answered_by("alice", Consent::Allow).await;
        ran.assert_fails(1, "ID token", "");
        assert_eq!(stand.records(), [""; 0]);
    }
}

#[tokio::test]
async fn an_app_is_told_the_code_and_opens_no_page_unless_it_asks() {
    let stand = Stand::configured(quick(), "flow = \"device\"").await;
    let app = stand.app().await;
    let mut pending = app.acquire(AcquireRequest::new()).await.unwrap();
    let told = code(&mut pending).await;
    answer(&told.url.unwrap(), &told.user_code.unwrap(), "alice", Consent::Allow).await;
    let step = tokio::time::timeout(LIMIT, pending.next()).await.unwrap().unwrap();
    assert!(matches!(step, Step::Done(_)), "nothing was opened: {step:?}");
    assert_eq!(app.token(TokenRequest::new()).await.unwrap().resource, [RESOURCE]);

    app.sign_out("").await.unwrap().done().await.unwrap();
    let mut pending = app.acquire(AcquireRequest::new().open_code_page()).await.unwrap();
    code(&mut pending).await;
    let step = tokio::time::timeout(LIMIT, pending.next()).await.unwrap().unwrap();
    let Step::Progress(progress) = step else { panic!("{step:?}") };
    assert_eq!(progress.phase.as_deref(), Some("browser-opened"));
}

#[tokio::test]
async fn two_apps_that_ask_at_once_share_one_code() {
    let stand = Stand::configured(quick(), "flow = \"device\"").await;
    let (notes, mail) = (stand.app().await, stand.app().await);
    let mut first = notes.acquire(AcquireRequest::new()).await.unwrap();
    let told = code(&mut first).await;
    let mut second = mail.acquire(AcquireRequest::new()).await.unwrap();
    assert_eq!(code(&mut second).await.user_code, told.user_code);
    answer(&told.url.unwrap(), &told.user_code.unwrap(), "alice", Consent::Allow).await;
    assert_eq!(first.done().await.unwrap(), second.done().await.unwrap());
    assert_eq!(requests(&stand, "/device_authorization"), 1);
}

#[tokio::test]
async fn a_sign_in_that_nobody_waits_for_any_more_ends_in_the_middle_of_its_pause() {
    let slow = Options { device_interval: Some(Duration::from_mins(1)), ..Options::default() };
    let mut stand = Stand::with(slow).await;
    let mut shown = begin(&stand, ["--device"]).await;
    shown.login.child.kill().await.unwrap();
    while !stand.log().contains("a sign-in was given up") {
        tokio::task::yield_now().await;
    }
    stand.terminate().await;
    assert_eq!(stand.grants(GRANT_TYPE), 0);
}

#[tokio::test]
async fn tokens_of_a_device_sign_in_are_bound_to_a_key_where_they_must_be() {
    let options = Options { dpop: Offer::Offered, ..quick() };
    let stand = Stand::configured(options, "dpop = \"always\"").await;
    let ran = begin(&stand, ["--device"]).await.answered_by("alice", Consent::Allow).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let token = stand.ctl(["token", "--force", "--json"]).await.json();
    assert_eq!(token["token_type"], "DPoP");
    let asked = stand.issuer.requests();
    let keys = asked.iter().filter(|request| request.path == "/token");
    let mut keys: Vec<_> = keys.map(|request| request.proof.clone().unwrap().jkt).collect();
    keys.dedup();
    assert_eq!(keys.len(), 1, "one key for the sign-in and the renewal");
}

#[tokio::test]
async fn a_provider_without_device_sign_ins_says_so_and_another_way() {
    let stand = Stand::with(Options { device: Switch::Off, ..Options::default() }).await;
    let ran = stand.ctl(["login", "--device"]).await;
    ran.assert_fails(1, "does not say where a device sign-in begins", "brokerctl login dev");
}

#[tokio::test]
async fn a_configured_endpoint_takes_the_place_of_the_announced_one() {
    let stand = Stand::new().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}/device", free.local_addr().unwrap());
    drop(free);
    stand.configure("desktop-broker", &format!("endpoints.device_authorization = {dead:?}"));
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    stand.ctl(["login", "--device"]).await.assert_fails(5, "cannot be reached", "network");
}
