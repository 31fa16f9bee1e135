//! The audit record as its owner meets it: what has a line, who can read it, and what is noticed.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;

use authbroker_client::{AcquireRequest, TokenRequest};
use dev_issuer::Options;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::policy::ruled;
use crate::stand::{LIMIT, RESOURCE, Ran, Stand, daemon};

/// The first file of a record.
const FIRST: &str = "state/audit/000000000001.jsonl";

impl Stand {
    /// Every line, as `brokerctl` gives it.
    async fn audit(&self) -> Vec<Value> {
        lines(&self.ctl(["audit", "--json"]).await)
    }

    /// The first line of which this is true, as soon as it is written.
    pub(crate) async fn recorded(&self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut reader = self.ctl_command();
        reader.args(["audit", "--follow", "--since", "1h", "--json"]).kill_on_drop(true);
        let mut reader = reader.spawn().unwrap();
        let mut lines = BufReader::new(reader.stdout.take().unwrap()).lines();
        let found = async {
            loop {
                let line = lines.next_line().await.unwrap().expect("it goes on");
                let line = serde_json::from_str(&line).unwrap();
                if is_wanted(&line) {
                    return line;
                }
            }
        };
        tokio::time::timeout(LIMIT, found).await.expect("it is written in time")
    }

    /// Asserts that the chain is whole.
    async fn assert_chain_is_whole(&self) {
        let ran = self.ctl(["audit", "--verify"]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(
            ran.err.contains("As they were written: ")
                && ran.err.contains(" in 1 file, from number 1 on."),
            "{ran:?}"
        );
    }
}

fn lines(ran: &Ran) -> Vec<Value> {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

#[tokio::test]
async fn what_is_given_refused_and_changed_has_its_line() {
    let stand = Stand::new().await;
    let refused = stand.ctl(["token"]).await;
    assert_ne!(refused.code, 0);
    let account = stand.sign_in("alice").await;
    stand.app().await.token(TokenRequest::new().account(&account)).await.unwrap();
    stand.ctl(["token", "--force"]).await.line();
    stand.ctl(["reload"]).await;
    stand.ctl(["vault", "rekey"]).await;
    stand.ctl(["logout", "--no-browser"]).await;
    let record = stand.audit().await;

    let events: Vec<_> = record.iter().map(|line| line["event"].as_str().unwrap()).collect();
    for event in [
        "start",
        "refusal",
        "vault-opened",
        "sign-in",
        "token",
        "renewal",
        "policy",
        "rekey",
        "key",
        "sign-out",
    ] {
        assert!(events.contains(&event), "{event} in {events:?}");
    }
    let refusal = of(&record, "refusal")[0];
    assert_eq!(
        (&refusal["error"], &refusal["caller"]["door"]),
        (&"NoSuchAccount".into(), &"admin".into())
    );
    let given = of(&record, "token")[0];
    assert_eq!(given["account"], account);
    assert_eq!((&given["decision"], &given["resource"][0]), (&"allow".into(), &RESOURCE.into()));
    assert_eq!(given["caller"]["door"], "socket");
    assert_eq!(given["caller"]["uid"], rustix::process::getuid().as_raw());
    assert_eq!(given["caller"]["pid"], std::process::id());
    assert!(given["caller"]["identity"].as_str().unwrap().starts_with("exe:"), "{given}");
    let sign_out = of(&record, "sign-out")[0];
    assert_eq!(
        (&sign_out["account"], &sign_out["caller"]["door"]),
        (&account.into(), &"admin".into())
    );
    stand.assert_chain_is_whole().await;
}

#[tokio::test]
async fn a_line_for_people_tells_who_was_given_what() {
    let stand = Stand::signed_in().await;
    stand.app().await.token(TokenRequest::new()).await.unwrap();
    let ran = stand.ctl(["audit", "--app", "e2e", "--since", "1h"]).await;
    assert_eq!(ran.line(), "", "no app of that name");
    let own = std::env::current_exe().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let ran = stand.ctl(["audit", "--app", &own, "--since", "1h"]).await;
    let line = ran.line();
    for word in ["token", "dev-", &own, RESOURCE, "allow"] {
        assert!(line.contains(word), "{word} in {line}");
    }
    assert_eq!(line.lines().count(), 1, "only what that app had");
    let later = stand.ctl(["audit", "--since", "2099-01-01"]).await;
    assert_eq!(later.line(), "");
}

#[tokio::test]
async fn no_token_is_in_the_record_nor_in_the_journal() {
    let mut stand = Stand::prepared(Options::default()).await;
    let journal = UnixDatagram::bind(stand.path("journal")).unwrap();
    let mut broker = daemon(stand.folder.path());
    stand.start_as(broker.env("AUTHBROKER_JOURNAL_SOCKET", stand.path("journal"))).await;
    stand.sign_in("alice").await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        tokens.push(stand.ctl(["token", "--force"]).await.line().to_owned());
    }
    let app = stand.app().await;
    tokens.push(app.token(TokenRequest::new()).await.unwrap().expose().to_owned());
    stand.terminate().await;

    journal.set_nonblocking(true).unwrap();
    let (mut told, mut bytes) = (Vec::new(), vec![0; 64 * 1024]);
    while let Ok(length) = journal.recv(&mut bytes) {
        told.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
    }
    let told = told.join("\n");
    for field in ["AUTHBROKER_EVENT=sign-in\n", "AUTHBROKER_EVENT=token\n", "AUTHBROKER_APP=exe:/"]
    {
        assert!(told.contains(field), "{field} in {told}");
    }
    let record = std::fs::read_to_string(stand.path(FIRST)).unwrap();
    for text in [told, record] {
        for token in &tokens {
            assert!(!text.contains(token.as_str()), "a token");
        }
        assert!(!text.contains("eyJ") && !text.contains("refresh_token"), "{text}");
    }
}

#[tokio::test]
async fn nobody_else_can_read_the_record() {
    let stand = Stand::signed_in().await;
    let mode = |name: &str| std::fs::metadata(stand.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("state/audit") & 0o777, 0o700);
    assert_eq!(mode(FIRST) & 0o777, 0o600);
}

#[tokio::test]
async fn a_follower_is_told_of_what_comes() {
    let stand = Stand::signed_in().await;
    let mut follower = stand.ctl_command().args(["audit", "--follow", "--json"]).spawn().unwrap();
    let mut out = BufReader::new(follower.stdout.take().unwrap()).lines();
    // The follower is not there at once: something happens until it hears of it.
    let heard = async {
        loop {
            stand.ctl(["reload"]).await;
            let line = tokio::time::timeout(std::time::Duration::from_millis(300), out.next_line());
            if let Ok(line) = line.await {
                return line.unwrap().unwrap();
            }
        }
    };
    let line = tokio::time::timeout(LIMIT, heard).await.expect("a line comes");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["event"], "policy", "only what comes, and not what was: {line}");
}

#[tokio::test]
async fn a_line_that_was_changed_is_named_with_its_file_and_fails_the_check() {
    let mut stand = Stand::signed_in().await;
    stand.terminate().await;
    let text = std::fs::read_to_string(stand.path(FIRST)).unwrap();
    let number = 1 + text.lines().position(|line| line.contains("\"sign-in\"")).unwrap();
    std::fs::write(stand.path(FIRST), text.replace("\"sign-in\"", "\"sign-on\"")).unwrap();
    stand.start().await;
    let ran = stand.ctl(["audit", "--verify"]).await;
    ran.assert_says(1, &format!("000000000001.jsonl, line {number} (changed)"), "keep a copy");
    let json = stand.ctl(["audit", "--verify", "--json"]).await;
    assert_eq!((json.code, &json.json()["broken"]["kind"]), (1, &"changed".into()));
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_named_and_told_in_status() {
    let mut stand = Stand::signed_in().await;
    stand.terminate().await;
    let text = std::fs::read_to_string(stand.path(FIRST)).unwrap();
    let kept: Vec<_> = text.lines().take(2).collect();
    std::fs::write(stand.path(FIRST), kept.join("\n") + "\n").unwrap();
    stand.start().await;
    let ran = stand.ctl(["audit", "--verify"]).await;
    ran.assert_says(1, "000000000001.jsonl, line 3 (shortened)", "keep a copy");
    let status = stand.ctl(["status"]).await;
    assert!(status.out.contains("the audit record is damaged"), "{status:?}");
}

#[tokio::test]
async fn a_broker_that_is_killed_leaves_a_record_that_goes_on() {
    let mut stand = Stand::signed_in().await;
    for _ in 0..2 {
        stand.ctl(["token"]).await.line();
        stand.kill().await;
        stand.start().await;
        stand.ctl(["token"]).await.line();
        stand.assert_chain_is_whole().await;
    }
    assert_eq!(of(&stand.audit().await, "start").len(), 3);
}

#[tokio::test]
async fn an_end_and_the_deliveries_before_it_are_in_the_record() {
    let mut stand = Stand::signed_in().await;
    let app = stand.app().await;
    for _ in 0..5 {
        app.token(TokenRequest::new()).await.unwrap();
    }
    stand.terminate().await;
    let record = stand.audit().await;
    assert_eq!(record.last().unwrap()["event"], "stop");
    let counted: Vec<_> = of(&record, "token").iter().map(|line| line["count"].as_u64()).collect();
    assert_eq!(counted, [None, Some(4)], "the first at once, the others together");
}

#[tokio::test]
async fn without_a_broker_the_record_can_be_read_but_not_checked() {
    let mut stand = Stand::signed_in().await;
    stand.terminate().await;
    let ran = stand.ctl(["audit"]).await;
    assert!(ran.line().contains("sign-in"), "{ran:?}");
    assert!(ran.err.contains("No broker is running: this is read from"), "{ran:?}");
    assert!(ran.err.contains("unchecked"), "{ran:?}");
    let ran = stand.ctl(["audit", "--verify"]).await;
    ran.assert_fails(6, "no broker is running", "brokerd");
    assert_eq!(stand.ctl(["audit", "--follow"]).await.code, 6);
}

#[tokio::test]
async fn what_happens_while_the_vault_is_locked_enters_the_chain_when_it_opens() {
    let mut stand = Stand::with_vault_key("passphrase").await;
    let unlock = ["unlock"];
    stand.ctl_with(unlock, "open sesame\nopen sesame\n").await;
    stand.sign_in("alice").await;
    stand.restart().await;
    assert_eq!(stand.ctl(["token"]).await.code, 8);
    let locked = stand.ctl(["audit", "--verify"]).await;
    locked.assert_fails(8, "its passphrase was not given yet", "brokerctl unlock");
    assert_eq!(of(&stand.audit().await, "refusal").len(), 1, "it can be read meanwhile");
    stand.ctl_with(unlock, "open sesame\n").await;
    stand.ctl(["token"]).await.line();
    stand.assert_chain_is_whole().await;
    let record = stand.audit().await;
    assert_eq!(of(&record, "refusal")[0]["waited"], true);
    assert!(record.iter().all(|line| line["seq"].is_u64()), "everything has its place");
    // A lock keeps nothing out of the chain.
    stand.ctl(["lock"]).await;
    assert_eq!(stand.ctl(["token"]).await.code, 8);
    stand.assert_chain_is_whole().await;
    assert_eq!(of(&stand.audit().await, "lock").len(), 1);
}

#[tokio::test]
async fn of_two_apps_the_record_says_which_one_had_a_token_and_why() {
    let (stand, apps) =
        ruled(|apps| apps.rule("notes", "allow", "") + &apps.rule("mail", "deny", "")).await;
    apps.run(&stand, "notes", &["token"]).await.line();
    assert_eq!(apps.run(&stand, "mail", &["token"]).await.code, 4);
    let record = stand.audit().await;
    let (given, refused) = (of(&record, "token")[0], of(&record, "refusal")[0]);
    for (line, app, decision) in [(given, "notes", "allow"), (refused, "mail", "deny")] {
        assert_eq!(line["caller"]["identity"], apps.name(app));
        assert_eq!(line["decision"], decision);
        assert!(line["rule"].as_str().unwrap().contains("config.toml:"), "{line}");
        assert_eq!(line["resource"], serde_json::json!([RESOURCE]), "{line}");
    }
    assert_ne!(given["rule"], refused["rule"]);
    assert_eq!(
        (&refused["error"], &refused["fingerprint"]),
        (&"PolicyDenied".into(), &Value::Null)
    );
}

#[tokio::test]
async fn what_people_say_about_an_app_and_take_back_is_in_the_record() {
    let (stand, apps) = ruled(|_| String::new()).await;
    let app = apps.name("notes");
    assert_eq!(stand.ctl(["grants", "allow", &app, "--resource", RESOURCE]).await.code, 0);
    apps.run(&stand, "notes", &["token"]).await.line();
    assert_eq!(stand.ctl(["grants", "revoke", &app]).await.code, 0);
    let record = stand.audit().await;
    let said = of(&record, "consent");
    let detail = |line: &Value| line["detail"].as_str().unwrap().to_owned();
    assert_eq!(detail(said[0]), format!("for {app}, account *"));
    assert_eq!(detail(said[1]), format!("for {app}, account *: taken back"));
    assert_eq!(
        (&said[0]["decision"], &said[0]["resource"][0]),
        (&"allow".into(), &RESOURCE.into())
    );
    let given = of(&record, "token")[0];
    assert_eq!(given["rule"], said[0]["rule"], "the answer that it rests on");
}

#[tokio::test]
async fn an_apps_own_word_for_a_request_is_in_the_log_the_record_and_the_error() {
    let stand = Stand::with(Options::default()).await;
    let app = stand.app().await;
    let is_for = |word: &'static str| move |line: &Value| line["correlation_id"] == word;

    let request = AcquireRequest::new().account("dev").correlation_id("first try");
    let mut pending = app.acquire(request).await.unwrap();
    stand.browse_pending(&mut pending, "alice").await;
    pending.done().await.unwrap();
    let line = stand.recorded(is_for("first try")).await;
    assert_eq!(line["event"], "sign-in");
    assert!(stand.log().contains("first try"), "{}", stand.log());

    let request = TokenRequest::new().account("nobody").correlation_id("in vain");
    let refused = app.token(request).await.unwrap_err();
    assert_eq!(word_of(&refused), Some("in vain"));
    assert_eq!(stand.recorded(is_for("in vain")).await["event"], "refusal");

    let request = AcquireRequest::new().account("elsewhere").correlation_id("not begun");
    let refused = app.acquire(request).await.unwrap().done().await.unwrap_err();
    assert_eq!(word_of(&refused), Some("not begun"));
    let line = stand.recorded(is_for("not begun")).await;
    assert_eq!((&line["event"], &line["error"]), (&"refusal".into(), &"NoSuchAccount".into()));
}

fn word_of(error: &authbroker_client::Error) -> Option<&str> {
    match error {
        authbroker_client::Error::Broker(refusal) => refusal.correlation_id.as_deref(),
        other => panic!("the broker did not answer: {other:?}"),
    }
}
