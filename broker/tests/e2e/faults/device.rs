//! Devices that get no tokens, or are told what they must not show to anybody (RFC 8628).

use std::time::Duration;

use dev_issuer::user_agent::{Consent, UserAgent};
use dev_issuer::{Fault, Options, Times};

use super::{DISCOVERY, Ordeal};
use crate::stand::Ran;

const CODES: &str = "/device_authorization";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A provider that may be asked every second, unless a fault says otherwise.
async fn ordeal() -> Ordeal {
    let device_interval = Some(Duration::from_secs(1));
    Ordeal::with(Options { device_interval, ..Options::default() }).await
}

impl Ordeal {
    /// A device sign-in ends before there is anything to show.
    async fn gives_no_code(&self, fault: Fault, code: i32, words: &str) {
        let before = self.stand.issuer.requests().len();
        self.stand.always(&[fault]);
        self.stand.ctl(["login", "--device"]).await.assert_fails(code, words, "");
        self.stand.issuer.clear_faults();
        let asked = self.asked_since(before);
        assert!(asked.iter().all(|path| path == DISCOVERY || path == CODES), "{asked:?}");
        assert_eq!(asked.iter().filter(|path| *path == CODES).count(), 1, "{fault:?}");
    }

    /// Bob types the code, and the sign-in works although `fault` happens once.
    async fn bears_with_a_device(&self, fault: Fault) {
        self.stand.issuer.inject(fault, Times::Once);
        let mut login = self.stand.begin_login(["--device"]).await;
        let (page, code) = (login.url.clone(), login.line().await);
        let browser = UserAgent::new().unwrap();
        browser.answer_device(&page, &code, "bob", "builder", Consent::Allow).await.unwrap();
        let ran = login.end().await;
        assert_eq!(ran.code, 0, "{fault:?}: {ran:?}");
    }

    /// A device sign-in that nobody answers, while `fault` happens to its polls.
    async fn waits_in_vain(&self, fault: Fault) -> Ran {
        self.stand.always(&[fault]);
        let login = self.stand.begin_login(["--device", "--timeout", "3s"]).await;
        let page = login.url.clone();
        let ran = login.end().await;
        self.stand.issuer.clear_faults();
        Ran { out: format!("{page}\n{}", ran.out), ..ran }
    }
}

/// Each of these, at a provider of its own, and all at the same time: some take their time.
async fn all_are_borne<const N: usize>(faults: [Fault; N]) {
    let each = faults.map(async |fault| ordeal().await.bears_with_a_device(fault).await);
    futures_util::future::join_all(each).await;
}

#[tokio::test]
async fn codes_that_do_not_come_are_named_and_nothing_is_polled() {
    let ordeal = ordeal().await;
    ordeal.gives_no_code(Fault::device_500(), 5, "answers 500").await;
    ordeal.gives_no_code(Fault::device_not_json(), 1, "lacks a code or an address").await;
    ordeal.gives_no_code(Fault::device_without_uri(), 1, "lacks a code or an address").await;
    ordeal.gives_no_code(Fault::device_without_user_code(), 1, "lacks a code or an address").await;
    ordeal.gives_no_code(Fault::device_user_code_huge(), 1, "longer than anybody").await;
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn a_provider_that_never_gives_its_codes_is_out_of_reach() {
    let ordeal = ordeal().await;
    ordeal.gives_no_code(Fault::device_hang(), 5, "").await;
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn nobody_is_sent_to_what_is_no_web_page() {
    let ordeal = ordeal().await;
    for fault in [
        Fault::device_uri_javascript(),
        Fault::device_uri_file(),
        Fault::device_uri_dash(),
        Fault::device_uri_plain_http(),
    ] {
        ordeal.gives_no_code(fault, 1, "verification_uri is not an https address").await;
    }
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn a_terminal_is_shown_no_control_characters() {
    let ordeal = ordeal().await;
    for fault in
        [Fault::device_user_code_control_characters(), Fault::device_uri_control_characters()]
    {
        let ran = ordeal.waits_in_vain(fault).await;
        let shown = format!("{}{}", ran.out, ran.err);
        let seen = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(shown.chars().all(seen), "{shown:?}");
    }
}

#[tokio::test]
async fn an_answer_that_tells_no_pace_or_a_senseless_one_leaves_it_to_us() {
    all_are_borne([
        Fault::device_interval_negative(),
        Fault::device_without_interval(),
        Fault::device_interval_text(),
        Fault::device_without_expires_in(),
    ])
    .await;
}

#[tokio::test]
async fn polls_that_fail_or_are_never_answered_are_made_again() {
    all_are_borne([Fault::device_poll_500(), Fault::device_poll_hang()]).await;
}

#[tokio::test]
async fn a_provider_that_fails_until_the_time_is_over_is_named() {
    let ordeal = ordeal().await;
    let ran = ordeal.waits_in_vain(Fault::device_poll_500()).await;
    ran.assert_fails_after_its_code(4, "the provider did not answer when it was last asked");
}

#[tokio::test]
async fn a_device_that_is_told_to_slow_down_does() {
    let ordeal = ordeal().await;
    let ran = ordeal.waits_in_vain(Fault::device_slow_down()).await;
    ran.assert_fails_after_its_code(4, "nobody finished the sign-in");
    assert_eq!(ordeal.stand.grants(GRANT_TYPE), 1, "the next would have come six seconds later");
}

#[tokio::test]
async fn a_verdict_ends_the_polls_and_waiting_does_not() {
    let ordeal = ordeal().await;
    for (fault, words) in
        [(Fault::device_denied(), "access_denied"), (Fault::device_expired(), "expired_token")]
    {
        let before = ordeal.stand.grants(GRANT_TYPE);
        ordeal.waits_in_vain(fault).await.assert_fails_after_its_code(4, words);
        assert_eq!(ordeal.stand.grants(GRANT_TYPE), before + 1, "{words}");
    }
    let before = ordeal.stand.grants(GRANT_TYPE);
    let ran = ordeal.waits_in_vain(Fault::device_never_answered()).await;
    ran.assert_fails_after_its_code(4, "nobody finished the sign-in");
    assert!(ordeal.stand.grants(GRANT_TYPE) > before + 1);
    ordeal.nothing_is_kept_of("bob").await;
    ordeal.all_is_well().await;
}

impl Ran {
    /// Asserts a failure of a device sign-in, which has shown its code before.
    fn assert_fails_after_its_code(&self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.err.contains(words) && self.err.contains("hint: "), "{self:?}");
    }
}
