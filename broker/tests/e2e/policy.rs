//! Who may have what, with real programs at two paths: the one thing that tells two programs of one
//! user apart.

use std::path::{Path, PathBuf};

use authbroker_client::{AcquireRequest, Error, ErrorCode, Step};
use dev_issuer::{Fault, Times};
use tempfile::TempDir;

use crate::stand::{ALLOW_ALL, RESOURCE, Ran, Stand, run};

/// Two apps: the same program under two names.
pub(crate) struct Apps(TempDir);

impl Apps {
    pub(crate) fn new() -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_brokerctl"));
        let folder = tempfile::tempdir_in(program.parent().unwrap()).unwrap();
        for name in ["notes", "mail"] {
            std::fs::hard_link(program, folder.path().join(name)).unwrap();
        }
        Self(folder)
    }

    /// Where the kernel says that it is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    /// How people name it.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("exe:{}", self.path(name).display())
    }

    /// A rule about it.
    pub(crate) fn rule(&self, name: &str, decision: &str, more: &str) -> String {
        let path = self.path(name).display().to_string();
        format!("[[rule]]\napp = {{ exe = {path:?} }}\ndecision = {decision:?}\n{more}\n")
    }

    /// Has it speak to the socket for apps.
    pub(crate) async fn run(&self, stand: &Stand, name: &str, args: &[&str]) -> Ran {
        let mut command = tokio::process::Command::new(self.path(name));
        command.env_remove("AUTHBROKER_CONFIG").env_remove("AUTHBROKER_RUNTIME_DIR");
        command.arg("--socket").arg(stand.socket()).args(args);
        command.env("NO_COLOR", "1").stdin(std::process::Stdio::null()).kill_on_drop(true);
        run(&mut command).await
    }
}

/// Puts rules in the place of `[policy]`, for the daemon that runs.
pub(crate) async fn rule(stand: &Stand, rules: &str) -> Ran {
    stand.configure("desktop-broker", "");
    let path = stand.path("config.toml");
    let text = std::fs::read_to_string(&path).unwrap().replace(ALLOW_ALL, "");
    std::fs::write(&path, format!("{text}{rules}")).unwrap();
    stand.ctl(["reload"]).await
}

/// A stand with two apps, somebody signed in, and rules.
pub(crate) async fn ruled(rules: impl FnOnce(&Apps) -> String) -> (Stand, Apps) {
    let (stand, apps) = (Stand::signed_in().await, Apps::new());
    assert_eq!(rule(&stand, &rules(&apps)).await.code, 0);
    (stand, apps)
}

#[tokio::test]
async fn of_two_apps_the_one_that_a_rule_allows_has_a_token_and_nobody_has_said_of_the_other() {
    let (stand, apps) = ruled(|apps| apps.rule("notes", "allow", "")).await;
    assert!(apps.run(&stand, "notes", &["token"]).await.line().starts_with("ey"));
    let hint =
        format!("brokerctl grants allow {} --account dev --resource {RESOURCE}", apps.name("mail"));
    let refused = apps.run(&stand, "mail", &["token"]).await;
    refused.assert_fails(3, "nobody has said yet whether exe:", &hint);
    let told = apps.run(&stand, "mail", &["token", "--json"]).await;
    assert!(told.err.contains("\"ConsentRequired\""), "{told:?}");
    assert!(stand.ctl(["token"]).await.line().starts_with("ey"), "a person at the admin tool");

    let record = stand.ctl(["audit", "--json"]).await;
    let lines: Vec<serde_json::Value> =
        record.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = |event: &str, name: &str| {
        let of = |line: &&serde_json::Value| {
            line["event"] == event && line["caller"]["identity"] == apps.name(name)
        };
        lines.iter().find(of).unwrap_or_else(|| panic!("{event}: {record:?}")).clone()
    };
    let (given, refused) = (told("token", "notes"), told("refusal", "mail"));
    let place = format!("{}:", stand.path("config.toml").display());
    assert!(given["rule"].as_str().unwrap().starts_with(&place), "{given}");
    assert_eq!(
        (&refused["decision"], &refused["rule"]),
        (&"ask".into(), &"[policy] unverified".into())
    );
}

#[tokio::test]
async fn an_app_that_a_rule_refuses_is_told_how_to_find_out_why() {
    let (stand, apps) = ruled(|apps| apps.rule("mail", "deny", "")).await;
    let hint = format!("brokerctl why {} {RESOURCE} --account dev", apps.name("mail"));
    apps.run(&stand, "mail", &["token"]).await.assert_fails(4, "a rule says no", &hint);
    let told = apps.run(&stand, "mail", &["token", "--json"]).await;
    assert!(told.err.contains("\"PolicyDenied\""), "{told:?}");
}

#[tokio::test]
async fn an_app_that_may_have_some_scopes_gets_those_and_no_more() {
    let (stand, apps) =
        ruled(|apps| apps.rule("notes", "allow", "scopes = [\"messages.read\"]")).await;
    let read: &[&str] = &["token", "--scope", "messages.read"];
    assert_eq!(apps.run(&stand, "notes", read).await.code, 0);
    for more in [&[read, &["--scope", "email"]].concat()[..], &["token", "--scope", "email"]] {
        apps.run(&stand, "notes", more).await.assert_fails(3, "nobody has said", "--scope email");
    }
    let all = apps.run(&stand, "notes", &["token"]).await;
    all.assert_fails(3, "nobody has said yet", "brokerctl grants allow");
}

#[tokio::test]
async fn a_token_that_came_out_wider_than_allowed_is_not_given() {
    for (more, code, said, hint) in [
        ("", 3, "nobody has said", "brokerctl grants allow"),
        ("deny", 4, "a rule says no", "brokerctl why"),
    ] {
        let (stand, apps) = ruled(|apps| {
            let allowed = apps.rule("notes", "allow", "scopes = [\"messages.read\"]");
            let refused = apps.rule("notes", "deny", "scopes = [\"email\"]");
            if more.is_empty() { allowed } else { format!("{refused}{allowed}") }
        })
        .await;
        stand.issuer.inject(Fault::refresh_scope_grown(), Times::Always);
        let ran = apps.run(&stand, "notes", &["token", "--scope", "messages.read"]).await;
        ran.assert_fails(code, "gives email whatever is asked for", hint);
        ran.assert_fails(code, said, hint);
    }
}

#[tokio::test]
async fn new_rules_hold_at_once_and_a_file_with_a_mistake_leaves_the_old_ones() {
    let (stand, apps) = ruled(|apps| apps.rule("notes", "allow", "")).await;
    assert_eq!(apps.run(&stand, "notes", &["token"]).await.code, 0);
    let wrong = rule(&stand, "[[rule]]\napp = { exe = \"notes\" }\ndecision = \"deny\"\n").await;
    wrong.assert_fails(7, "is not the whole path of an executable", "brokerctl config check");
    assert_eq!(apps.run(&stand, "notes", &["token"]).await.code, 0, "the old rules hold");
    assert_eq!(rule(&stand, &apps.rule("notes", "deny", "")).await.code, 0);
    assert_eq!(apps.run(&stand, "notes", &["token"]).await.code, 4);
}

#[tokio::test]
async fn nobody_is_sent_to_a_browser_for_an_app_that_may_not_have_what_it_asks_for() {
    let stand = Stand::new().await;
    for (rules, code) in [
        ("[[rule]]\napp = \"*\"\ndecision = \"deny\"\n", ErrorCode::PolicyDenied),
        ("[policy]\nunverified = \"deny\"\n", ErrorCode::IdentityUnverified),
        ("", ErrorCode::ConsentRequired),
    ] {
        assert_eq!(rule(&stand, rules).await.code, 0);
        let mut pending = stand.app().await.acquire(AcquireRequest::new()).await.unwrap();
        let refused = pending.next().await.unwrap_err();
        assert_eq!(refused.code(), Some(code), "{refused}");
    }
    assert!(stand.issuer.requests().iter().all(|request| !request.path.contains("authorize")));
}

#[tokio::test]
async fn an_app_that_may_have_a_part_of_an_account_does_not_sign_it_out() {
    let some = "[[rule]]\napp = \"*\"\nscopes = [\"messages.read\"]\ndecision = \"allow\"\n";
    let stand = Stand::signed_in().await;
    assert_eq!(rule(&stand, some).await.code, 0);
    let account = stand.app().await.accounts().await.unwrap().remove(0).id;
    let refused = sign_out(&stand, &account).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::ConsentRequired), "{refused}");
    assert_eq!(stand.ctl(["token"]).await.code, 0, "it is still signed in");
    assert_eq!(rule(&stand, "[policy]\nunverified = \"allow\"\n").await.code, 0);
    sign_out(&stand, &account).await.unwrap();
}

async fn sign_out(stand: &Stand, account: &str) -> Result<(), Error> {
    let mut pending = stand.app().await.sign_out(account).await?;
    loop {
        if let Step::Done(_) = pending.next().await? {
            return Ok(());
        }
    }
}
