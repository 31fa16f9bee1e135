//! The pages: what they may contain, and what their forms accept.

use dev_issuer::user_agent::{Consent, UserAgent, UserAgentError};
use dev_issuer::{ACCOUNTS, Acr, Client, Options};
use reqwest::Response;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};

use crate::stand::{Query, Stand};

const HOSTILE: &str = "\"><script>alert(1)</script><a href='x'>&";
const HARMLESS: &str =
    "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;a href=&#39;x&#39;&gt;&amp;";

const ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "wonderland")];

/// A browser by hand, for forms that no honest browser would send.
struct ByHand {
    cookie: String,
    page: String,
    html: String,
}

impl ByHand {
    async fn begin(stand: &Stand, query: &Query) -> Self {
        Self::begin_with(stand, query, None).await
    }

    async fn begin_with(stand: &Stand, query: &Query, cookie: Option<&str>) -> Self {
        let request = stand.http.get(stand.authorization_url(query));
        let request = request.header(COOKIE, cookie.unwrap_or_default());
        let response = request.send().await.unwrap();
        let cookie = cookie.map_or_else(|| new_cookie(&response), str::to_owned);
        let page = stand.at(response.headers()[LOCATION].to_str().unwrap());
        let html = stand.http.get(&page).header(COOKIE, &cookie).send().await.unwrap();
        Self { cookie, page, html: html.text().await.unwrap() }
    }

    fn field(&self, name: &str) -> &str {
        let (_, after) = self.html.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        after.split('"').next().unwrap()
    }

    /// Sends a form of this sign-in to `path` and gives the answer.
    async fn post(&self, stand: &Stand, path: &str, fields: &[(&str, &str)]) -> Response {
        let own = [("interaction", self.field("interaction")), ("csrf", self.field("csrf"))];
        let form = [&own, fields].concat();
        let request = stand.http.post(stand.at(path)).header(COOKIE, &self.cookie).form(&form);
        request.send().await.unwrap()
    }

    /// Sends the sign-in form with this anti-CSRF token.
    async fn submit(&self, stand: &Stand, csrf: &str, cookie: &str) -> u16 {
        let form = [
            ("interaction", self.field("interaction")),
            ("csrf", csrf),
            ("username", "alice"),
            ("password", "wonderland"),
        ];
        let request = stand.http.post(stand.at("/sign-in")).header(COOKIE, cookie).form(&form);
        request.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn a_form_without_its_token_is_refused() {
    let stand = Stand::new().await;
    let person = ByHand::begin(&stand, &Query::good()).await;
    assert_eq!(person.submit(&stand, "", &person.cookie).await, 403);
    assert_eq!(person.submit(&stand, "guessed", &person.cookie).await, 403);
    assert_eq!(person.submit(&stand, person.field("csrf"), &person.cookie).await, 303);
}

#[tokio::test]
async fn another_browser_cannot_take_a_sign_in_over() {
    let stand = Stand::new().await;
    let person = ByHand::begin(&stand, &Query::good()).await;
    let thief = ByHand::begin(&stand, &Query::good()).await;
    assert_eq!(person.submit(&stand, person.field("csrf"), &thief.cookie).await, 400);
    assert_eq!(person.submit(&stand, person.field("csrf"), "").await, 400);
    let shown = stand.http.get(&person.page).header(COOKIE, &thief.cookie).send().await.unwrap();
    assert_eq!(shown.status(), 400);
}

#[tokio::test]
async fn an_old_page_is_refused() {
    let stand = Stand::new().await;
    let person = ByHand::begin(&stand, &Query::good()).await;
    stand.issuer.advance_clock(std::time::Duration::from_mins(30));
    assert_eq!(person.submit(&stand, person.field("csrf"), &person.cookie).await, 400);
}

#[tokio::test]
async fn a_sign_in_changes_the_browsers_name() {
    let stand = Stand::new().await;
    let person = ByHand::begin(&stand, &Query::good()).await;
    person.submit(&stand, person.field("csrf"), &person.cookie).await;
    let silent = stand.authorization_url(&Query::good().with("prompt", "none"));
    let planted = stand.http.get(silent).header(COOKIE, &person.cookie).send().await.unwrap();
    let location = planted.headers()[LOCATION].to_str().unwrap();
    assert!(location.contains("error=login_required"));
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let stand = Stand::new().await;
    let url = stand.authorization_url(&Query::good());
    let response = stand.http.get(url).send().await.unwrap();
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
}

#[tokio::test]
async fn a_hostile_hint_is_only_text_on_the_page() {
    let stand = Stand::new().await;
    let query = Query::good().with("login_hint", HOSTILE);
    let html = ByHand::begin(&stand, &query).await.html;
    assert!(html.contains(&format!("value=\"{HARMLESS}\"")));
    assert!(!html.contains("<script"));
}

#[tokio::test]
async fn a_hostile_username_comes_back_as_text() {
    let stand = Stand::new().await;
    let url = stand.authorization_url(&Query::good());
    let end = stand.browser.answer(&url, HOSTILE, "x", Consent::Allow).await;
    assert!(matches!(end, Err(UserAgentError::WrongPassword { .. })));
    let person = ByHand::begin(&stand, &Query::good()).await;
    let fields = [("username", HOSTILE), ("password", "x")];
    let response = person.post(&stand, "/sign-in", &fields).await;
    assert_eq!(response.status(), 422);
    let html = response.text().await.unwrap();
    assert!(html.contains(&format!("value=\"{HARMLESS}\"")) && !html.contains("<script"));
    assert!(html.contains("The username or the password is wrong."));
}

#[tokio::test]
async fn a_hostile_client_name_and_resource_are_only_text_on_the_consent_page() {
    let stand = Stand::with(Options {
        clients: vec![Client::public("hostile", HOSTILE)],
        scopes: vec![HOSTILE.replace(' ', "_")],
        ..Options::default()
    });
    let stand = stand.await;
    let query = Query::good()
        .with("client_id", "hostile")
        .with("scope", &format!("openid {}", HOSTILE.replace(' ', "_")))
        .with("resource", &format!("https://api.example/{HOSTILE}"));
    let person = ByHand::begin(&stand, &query).await;
    assert!(person.html.contains(HARMLESS) && !person.html.contains("<script"));

    let response = person.post(&stand, "/sign-in", &ALICE).await;
    let cookie = new_cookie(&response);
    let page = stand.at(response.headers()[LOCATION].to_str().unwrap());
    let html = stand.http.get(page).header(COOKIE, cookie).send().await.unwrap();
    let html = html.text().await.unwrap();
    assert!(html.contains(&format!("https://api.example/{HARMLESS}")) && !html.contains("<script"));
}

#[tokio::test]
async fn every_page_has_its_headers() {
    let stand = Stand::new().await;
    let person = ByHand::begin(&stand, &Query::good()).await;
    let missing = stand.at("/no-such-page");
    for url in [&person.page, &missing] {
        let response = stand.http.get(url).header(COOKIE, &person.cookie).send().await.unwrap();
        let headers = response.headers();
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
    }
}

#[tokio::test]
async fn a_form_may_lead_to_the_redirect_uri_and_nowhere_else() {
    let stand = Stand::new().await;
    for (redirect_uri, target) in [
        ("http://127.0.0.1:9/callback", "http://127.0.0.1:9"),
        ("http://[::1]:9/callback", "http:"),
    ] {
        let query = Query::good().with("redirect_uri", redirect_uri);
        let person = ByHand::begin(&stand, &query).await;
        let page = stand.http.get(&person.page).header(COOKIE, &person.cookie);
        let response = page.send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains(&format!("form-action 'self' {target};")), "{policy}");
    }
}

#[tokio::test]
async fn a_cancelled_sign_in_is_access_denied() {
    let stand = Stand::new().await;
    let person = ByHand::begin(&stand, &Query::good()).await;
    let response = person.post(&stand, "/sign-in", &[("decision", "cancel")]).await;
    assert!(response.headers()[LOCATION].to_str().unwrap().contains("error=access_denied"));
}

/// Signs in by hand and gives the session's cookie.
async fn session(stand: &Stand) -> String {
    let person = ByHand::begin(stand, &Query::good().with("scope", "openid")).await;
    new_cookie(&person.post(stand, "/sign-in", &ALICE).await)
}

fn new_cookie(response: &Response) -> String {
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_consent_before_the_sign_in_that_is_due_is_not_taken() {
    let stand = Stand::new().await;
    let cookie = session(&stand).await;
    let query = Query::good().with("prompt", "login");
    let person = ByHand::begin_with(&stand, &query, Some(&cookie)).await;
    let response = person.post(&stand, "/consent", &[("decision", "allow")]).await;
    assert!(response.headers()[LOCATION].to_str().unwrap().starts_with("/sign-in"));

    let silent = stand.authorization_url(&Query::good().with("prompt", "none"));
    let answer = stand.http.get(silent).header(COOKIE, &cookie).send().await.unwrap();
    let location = answer.headers()[LOCATION].to_str().unwrap();
    assert!(location.contains("error=consent_required"), "the consent was not remembered");
}

#[tokio::test]
async fn a_wrong_second_factor_is_said_on_the_page() {
    let stand = Stand::new().await;
    let query = Query::good().with("acr_values", Acr::TwoFactor.name());
    let person = ByHand::begin(&stand, &query).await;
    let code = [("code", ACCOUNTS[0].second_factor)];
    let too_soon = person.post(&stand, "/second-factor", &code).await;
    assert!(too_soon.headers()[LOCATION].to_str().unwrap().starts_with("/sign-in"));

    let signed_in = person.post(&stand, "/sign-in", &ALICE).await;
    assert!(signed_in.headers()[LOCATION].to_str().unwrap().starts_with("/second-factor"));
    let person = ByHand { cookie: new_cookie(&signed_in), ..person };
    for wrong in ["", "000000", ACCOUNTS[1].second_factor] {
        let again = person.post(&stand, "/second-factor", &[("code", wrong)]).await;
        assert_eq!(again.status(), 422);
        assert!(again.text().await.unwrap().contains("This is not the code."));
    }
    let done = person.post(&stand, "/second-factor", &code).await;
    assert!(done.headers()[LOCATION].to_str().unwrap().starts_with("/consent"));
    assert_ne!(new_cookie(&done), person.cookie, "a stronger session has a new name");
}

#[tokio::test]
async fn a_new_sign_in_ends_the_session_before() {
    let stand = Stand::new().await;
    let cookie = session(&stand).await;
    let query = Query::good().with("prompt", "login");
    let person = ByHand::begin_with(&stand, &query, Some(&cookie)).await;
    assert_ne!(new_cookie(&person.post(&stand, "/sign-in", &ALICE).await), cookie);

    let silent = stand.authorization_url(&Query::good().with("prompt", "none"));
    let answer = stand.http.get(silent).header(COOKIE, &cookie).send().await.unwrap();
    let location = answer.headers()[LOCATION].to_str().unwrap();
    assert!(location.contains("error=login_required"));
}

#[tokio::test]
async fn another_browser_cannot_answer_the_question_of_a_logout() {
    let stand = Stand::new().await;
    let (person, thief) = (session(&stand).await, session(&stand).await);
    let page = stand.http.get(stand.at("/end_session")).header(COOKIE, &person);
    let html = page.send().await.unwrap().text().await.unwrap();
    let (_, token) = html.split_once("name=\"token\" value=\"").unwrap();
    let form = [("token", token.split('"').next().unwrap()), ("decision", "sign-out")];
    for (cookie, status) in [(&thief, 403), (&person, 200), (&person, 403)] {
        let answer = stand.http.post(stand.at("/sign-out")).header(COOKIE, cookie).form(&form);
        assert_eq!(answer.send().await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn another_host_name_is_refused() {
    let stand = Stand::new().await;
    let url = stand.at("/.well-known/openid-configuration");
    let rebound = stand.http.get(url).header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), 421);
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let stand = Stand::new().await;
    let body = "a".repeat(65 * 1024);
    let response = stand.http.post(stand.at("/token")).body(body).send().await.unwrap();
    assert_eq!(response.status(), 413);
}

#[tokio::test]
async fn two_issuers_on_one_host_keep_their_sessions_apart() {
    let (one, other) = (Stand::new().await, Stand::new().await);
    let browser = UserAgent::new().unwrap();
    for stand in [&one, &other, &one] {
        let url = stand.authorization_url(&Query::good());
        browser.answer(&url, "alice", "wonderland", Consent::Allow).await.unwrap();
    }
    assert_eq!(one.count("/sign-in"), 2, "one page and one form: the session was still there");
}
