//! What comes back to the loopback address, and what else comes there.

use dev_issuer::user_agent::{Consent, UserAgent};
use dev_issuer::{Fault, Times};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use super::Ordeal;
use crate::stand::{LIMIT, Login};

/// Whatever the provider answers, the code in it is not sent anywhere.
async fn refused(table: &[(Fault, i32, &str)]) {
    let ordeal = Ordeal::warm().await;
    for (fault, code, words) in table {
        ordeal.refuses(&[*fault], *code, words, &[]).await;
        ordeal.all_is_well().await;
    }
}

#[tokio::test]
async fn an_answer_that_breaks_the_rules_is_refused_before_any_token_request() {
    refused(&[
        (Fault::redirect_wrong_iss(), 1, "the answer comes from another issuer"),
        (Fault::redirect_missing_iss(), 1, "the answer does not name its issuer"),
        (Fault::redirect_iss_twice(), 1, "the answer names a parameter twice"),
        (Fault::redirect_state_twice(), 1, "the answer names a parameter twice"),
        (Fault::redirect_code_twice(), 1, "the answer names a parameter twice"),
        (Fault::redirect_empty(), 1, "the answer carries neither a code nor an error"),
        (Fault::redirect_error_and_code(), 1, "the answer carries both a code and an error"),
    ])
    .await;
}

#[tokio::test]
async fn an_answer_that_does_not_know_the_state_is_passed_over_and_named_in_the_end() {
    let ordeal = Ordeal::warm().await;
    for fault in [Fault::redirect_wrong_state(), Fault::redirect_without_state()] {
        let before = ordeal.stand.issuer.requests().len();
        ordeal.stand.issuer.inject(fault, Times::Once);
        let login = ordeal.stand.begin_login(["--timeout", "2s"]).await;
        let visit = login.browse("bob").await;
        assert!(visit.status == 400 && visit.text.contains("does not belong to your sign-in"));
        login.end().await.assert_fails(4, "whose state is not this sign-in's", "sign in again");
        assert_eq!(ordeal.asked_since(before), [""; 0]);
        ordeal.nothing_is_kept_of("bob").await;
    }
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn an_answer_that_never_comes_or_comes_to_another_path_is_waited_for_to_the_deadline() {
    let ordeal = Ordeal::warm().await;
    for (fault, page) in [
        (Fault::redirect_never(), "Nothing more happens here."),
        (Fault::redirect_other_path(), "There is nothing here."),
    ] {
        let before = ordeal.stand.issuer.requests().len();
        ordeal.stand.issuer.inject(fault, Times::Once);
        let login = ordeal.stand.begin_login(["--timeout", "2s"]).await;
        let visit = login.browse("bob").await;
        assert!(visit.text.contains(page), "{visit:?}");
        login.end().await.assert_fails(4, "nobody finished the sign-in within 2 seconds", "");
        assert_eq!(ordeal.asked_since(before), [""; 0]);
        ordeal.nothing_is_kept_of("bob").await;
    }
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn an_answer_by_post_is_not_taken_and_the_wait_goes_on() {
    let ordeal = Ordeal::warm().await;
    ordeal.stand.issuer.inject(Fault::redirect_by_post(), Times::Once);
    let login = ordeal.stand.begin_login([]).await;
    let visit = login.browse("bob").await;
    assert!(visit.status == 405, "{visit:?}");
    assert_eq!(login.browse("bob").await.status, 200, "the same sign-in, done right");
    assert_eq!(login.end().await.code, 0);
}

#[tokio::test]
async fn a_person_who_says_no_has_said_no() {
    let ordeal = Ordeal::warm().await;
    let before = ordeal.stand.issuer.requests().len();
    let login = ordeal.stand.begin_login([]).await;
    let browser = UserAgent::new().unwrap();
    browser.sign_in(&login.url, "bob", "builder", Consent::Deny).await.unwrap();
    login.end().await.assert_fails(4, "access_denied", "agree");
    assert_eq!(ordeal.asked_since(before), [""; 0]);
    ordeal.nothing_is_kept_of("bob").await;
}

#[tokio::test]
async fn markup_in_an_error_is_text_on_the_page_and_in_the_terminal() {
    let ordeal = Ordeal::warm().await;
    ordeal.stand.issuer.inject(Fault::redirect_error_with_markup(), Times::Once);
    let login = ordeal.stand.begin_login([]).await;
    let answer = login.answer("bob").await;
    let page = get(&login, &answer).await;
    assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains('\u{1b}'), "{page}");
    let ran = login.end().await;
    ran.assert_fails(1, "the provider answers <script>alert(1)</script>: \"><img src=x", "");
    assert!(ran.err.contains("[31mredline") && !ran.err.contains('\u{1b}'), "{ran:?}");
    ordeal.nothing_is_kept_of("bob").await;
}

#[tokio::test]
async fn parameters_that_nobody_knows_are_passed_over() {
    Ordeal::new().await.bears(&[Fault::redirect_unknown_parameters()]).await;
}

#[tokio::test]
async fn an_answer_that_comes_twice_counts_once() {
    let ordeal = Ordeal::warm().await;
    let before = ordeal.stand.issuer.requests().len();
    let login = ordeal.stand.begin_login([]).await;
    let answer = login.answer("bob").await;
    // Both at once, as a browser does that loads a page again before the first one has come.
    let (first, second) = tokio::join!(get(&login, &answer), try_get(&login, &answer));
    let second = second.unwrap_or_default();
    let welcomes = [&first, &second].map(|page| page.contains("You are signed in as")).into_iter();
    assert_eq!(welcomes.filter(|welcome| *welcome).count(), 1, "{first} {second}");
    assert_eq!(login.end().await.code, 0);
    assert_eq!(ordeal.asked_since(before), ["/token"]);
}

#[tokio::test]
async fn noise_from_another_process_neither_ends_nor_wins_the_sign_in() {
    let ordeal = Ordeal::warm().await;
    let login = ordeal.stand.begin_login([]).await;
    let redirect = login.parameter("redirect_uri");
    let stranger = UserAgent::new().unwrap();
    for knock in ["?code=stolen&state=guess", "", "?error=access_denied", "/../favicon.ico"] {
        let visit = stranger.visit(&format!("{redirect}{knock}")).await.unwrap();
        assert!(visit.status == 400 || visit.status == 404, "{visit:?}");
    }
    let state = login.parameter("state");
    let huge = format!("GET /callback?state={state}&code={} HTTP/1.1\r\n", "x".repeat(1024 * 1024));
    for bytes in [
        // DNS rebinding: a page somewhere on the web, at a name that leads here.
        format!("GET /callback?state={state}&code=x HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
        format!("GET /callback?state={state}&code=x HTTP/1.1\r\n\r\n"),
        huge,
        "GET".to_owned(),
        "\0\u{1}\u{2} nonsense\r\n\r\n".to_owned(),
    ] {
        let answer = speak(&redirect, bytes.as_bytes(), End::HungUp).await;
        let status = answer.get(9..12).unwrap_or_default();
        assert!(["", "400", "414", "421", "431"].contains(&status), "{answer}");
    }
    assert_eq!(login.browse("bob").await.status, 200);
    assert_eq!(login.end().await.code, 0);
    assert_eq!(ordeal.stand.grants("authorization_code"), 2, "Alice's and Bob's");
}

#[tokio::test]
async fn the_last_page_holds_no_secret_loads_nothing_and_is_kept_nowhere() {
    let ordeal = Ordeal::warm().await;
    let login = ordeal.stand.begin_login([]).await;
    let answer = login.answer("bob").await;
    let page = get(&login, &answer).await;
    for (name, value) in answer.query_pairs().filter(|(name, _)| name != "iss") {
        assert!(!page.contains(&*value), "{name} is on the page");
    }
    let page = page.to_ascii_lowercase();
    for header in [
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'",
    ] {
        assert!(page.contains(header), "{header} in {page}");
    }
    assert!(!page.contains("src=") && !page.contains("href="), "{page}");
    assert!(page.contains("history.replacestate"), "the address bar is cleared");
    assert_eq!(login.end().await.code, 0);
}

#[tokio::test]
async fn the_port_is_on_loopback_only_and_is_closed_when_the_sign_in_is_over() {
    let ordeal = Ordeal::warm().await;
    let port =
        |login: &Login| Url::parse(&login.parameter("redirect_uri")).unwrap().port().unwrap();
    let (good, bad) = (ordeal.stand.begin_login([]).await, ["--timeout", "1s"]);
    assert_eq!(listeners(port(&good)), ["0100007F"], "127.0.0.1, as the kernel writes it");
    let ended = port(&good);
    good.browse("bob").await;
    assert_eq!(good.end().await.code, 0);
    let late = ordeal.stand.begin_login(bad).await;
    let given_up = port(&late);
    assert_eq!(late.end().await.code, 4);
    let (ended, given_up) = (listeners(ended), listeners(given_up));
    assert!(ended.is_empty() && given_up.is_empty(), "{ended:?} {given_up:?}");
}

/// The local addresses, in hexadecimal, that somebody listens at on this port.
fn listeners(port: u16) -> Vec<String> {
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap()
        + &std::fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    let wanted = format!("{port:04X}");
    let listening = sockets.lines().filter_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let (address, port) = words.get(1)?.split_once(':')?;
        (words.get(3) == Some(&"0A") && port == wanted).then(|| address.to_owned())
    });
    listening.collect()
}

/// What the listener of a sign-in answers to the browser, head and body.
async fn get(login: &Login, answer: &Url) -> String {
    try_get(login, answer).await.unwrap()
}

async fn try_get(login: &Login, answer: &Url) -> Option<String> {
    let (path, query) = (answer.path(), answer.query().unwrap_or_default());
    let host = format!("{}:{}", answer.host_str().unwrap(), answer.port().unwrap());
    let request =
        format!("GET {path}?{query} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = speak(&login.parameter("redirect_uri"), request.as_bytes(), End::Open).await;
    (!answer.is_empty()).then_some(answer)
}

/// Whether one who has spoken stays on the line.
#[derive(PartialEq, Eq)]
enum End {
    Open,
    HungUp,
}

/// Says something to the listener and hears all that it answers, which may be nothing.
async fn speak(redirect: &str, bytes: &[u8], end: End) -> String {
    let port = Url::parse(redirect).unwrap().port().unwrap();
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else {
        return String::new();
    };
    // It may hang up in the middle of what it does not like.
    let _refused = stream.write_all(bytes).await;
    if end == End::HungUp {
        let _refused = stream.shutdown().await;
    }
    let mut answer = Vec::new();
    let heard = tokio::time::timeout(LIMIT, stream.read_to_end(&mut answer)).await;
    let _reset = heard.expect("the listener does not wait for ever");
    String::from_utf8_lossy(&answer).into_owned()
}
