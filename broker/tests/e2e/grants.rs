//! What people answer about apps, and how the broker explains itself.

use crate::policy::{Apps, rule, ruled};
use crate::stand::{RESOURCE, Stand};

/// A stand where nobody has said anything about two apps.
async fn unruled() -> (Stand, Apps) {
    ruled(|_| String::new()).await
}

async fn why(stand: &Stand, args: &[&str]) -> serde_json::Value {
    let mut command = stand.ctl_command();
    let ran = crate::stand::run(command.args(["--json", "why"]).args(args)).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()
}

/// Runs `brokerctl` with as many words as there are.
async fn ctl(stand: &Stand, args: &[&str]) -> crate::stand::Ran {
    crate::stand::run(stand.ctl_command().args(args)).await
}

#[tokio::test]
async fn what_a_refusal_hints_at_allows_just_that() {
    let (stand, apps) = unruled().await;
    let refused = apps.run(&stand, "mail", &["token", "--scope", "email"]).await;
    let hint = refused.err.lines().find_map(|line| line.strip_prefix("hint: brokerctl ")).unwrap();
    assert_eq!(ctl(&stand, &hint.split(' ').collect::<Vec<_>>()).await.line(), "0");
    assert_eq!(apps.run(&stand, "mail", &["token", "--scope", "email"]).await.code, 0);
    assert_eq!(apps.run(&stand, "mail", &["token"]).await.code, 3, "no other scope");
    assert_eq!(apps.run(&stand, "notes", &["token", "--scope", "email"]).await.code, 3);
}

#[tokio::test]
async fn an_answer_outlives_the_daemon_and_is_counted_and_taken_back() {
    let (mut stand, apps) = unruled().await;
    let mail = apps.name("mail");
    assert_eq!(ctl(&stand, &["grants", "allow", &mail, "--account", "dev"]).await.code, 0);
    apps.run(&stand, "mail", &["token"]).await.line();
    stand.restart().await;
    apps.run(&stand, "mail", &["token"]).await.line();
    let grants = ctl(&stand, &["--json", "grants"]).await.json();
    let told = (&grants[0]["app"], &grants[0]["decision"], &grants[0]["uses"]);
    assert_eq!(told, (&mail.clone().into(), &"allow".into(), &2.into()), "{grants}");
    assert!(grants[0]["last_used"].is_u64() && grants[0]["scopes"].is_null(), "{grants}");
    ctl(&stand, &["grants", "revoke", &mail]).await.line();
    assert_eq!(apps.run(&stand, "mail", &["token"]).await.code, 3);
    let again = ctl(&stand, &["grants", "revoke", &mail]).await;
    again.assert_fails(2, "nobody has answered that", "brokerctl grants");
}

#[tokio::test]
async fn a_no_is_remembered_and_the_last_answer_counts() {
    let (stand, apps) = unruled().await;
    let mail = apps.name("mail");
    for (word, code) in [("allow", 0), ("deny", 4), ("allow", 0)] {
        ctl(&stand, &["grants", word, &mail]).await.line();
        assert_eq!(apps.run(&stand, "mail", &["token"]).await.code, code, "{word}");
    }
    let record = stand.ctl(["audit", "--json"]).await;
    let told = record.out.lines().filter(|line| line.contains("\"event\":\"consent\""));
    assert_eq!(told.filter(|line| line.contains(&mail)).count(), 3, "{record:?}");
}

#[tokio::test]
async fn an_answer_that_a_rule_overrules_says_so() {
    let (stand, apps) = ruled(|apps| apps.rule("mail", "deny", "")).await;
    let told = ctl(&stand, &["grants", "allow", &apps.name("mail")]).await;
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.err.contains("does not decide: the rule at "), "{told:?}");
    assert_eq!(apps.run(&stand, "mail", &["token"]).await.code, 4);
}

#[tokio::test]
async fn an_answer_that_another_program_writes_into_the_file_does_not_count() {
    let (mut stand, apps) = unruled().await;
    ctl(&stand, &["grants", "deny", &apps.name("mail")]).await.line();
    stand.terminate().await;
    let file = stand.path("state/grants.json");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"allow\":false"), "{text}");
    std::fs::write(&file, text.replace("\"allow\":false", "\"allow\":true")).unwrap();
    stand.start().await;
    assert_eq!(apps.run(&stand, "mail", &["token"]).await.code, 3);
    let status = stand.ctl(["status", "--json"]).await.json();
    let problems = status["problems"].to_string();
    assert!(problems.contains("remembered answers do not count any more"), "{problems}");
    assert!(stand.path("state/grants.changed").exists());
}

#[tokio::test]
async fn answers_go_along_when_the_vault_gets_a_new_key() {
    let (mut stand, apps) = unruled().await;
    ctl(&stand, &["grants", "allow", &apps.name("mail")]).await.line();
    assert_eq!(stand.ctl(["vault", "rekey"]).await.code, 0);
    stand.restart().await;
    assert_eq!(apps.run(&stand, "mail", &["token"]).await.code, 0);
}

#[tokio::test]
async fn why_names_the_rule_its_line_and_what_would_change_it() {
    let (stand, apps) = ruled(|apps| {
        let allow = apps.rule("notes", "allow", "");
        format!("{allow}{}", apps.rule("mail", "deny", "scopes = [\"email\"]"))
    })
    .await;
    let text = std::fs::read_to_string(stand.path("config.toml")).unwrap();
    let line = |nth| {
        let rules = text.lines().enumerate().filter(|(_, line)| *line == "[[rule]]");
        rules.map(|(index, _)| index + 1).nth(nth).unwrap()
    };
    let place = |nth| format!("{}:{}", stand.path("config.toml").display(), line(nth));

    let told = why(&stand, &[&apps.name("notes"), RESOURCE]).await;
    assert_eq!((&told["decision"], &told["place"]), (&"allow".into(), &place(0).into()));
    assert_eq!((&told["level"], &told["needed"]), (&1.into(), &serde_json::json!([])));

    let told = why(&stand, &[&apps.name("mail"), RESOURCE]).await;
    assert_eq!((&told["decision"], &told["place"]), (&"deny".into(), &place(1).into()));
    assert_eq!(told["decided_scope"], "email", "{told}");
    assert!(told["needed"].to_string().contains("the app names the scopes"), "{told}");

    let told = ctl(&stand, &["why", &apps.name("mail"), "--scope", "openid"]).await;
    assert!(told.out.contains("decision  ask\n"), "{told:?}");
    assert!(told.out.contains("[policy] unverified is \"ask\""), "{told:?}");
    assert!(told.out.contains("to change brokerctl grants allow exe:"), "{told:?}");
    assert!(told.out.contains("nothing proves that it is this app"), "{told:?}");
}

#[tokio::test]
async fn why_says_what_would_happen_before_anybody_signs_in() {
    let stand = Stand::new().await;
    assert_eq!(rule(&stand, "[[rule]]\napp = \"*\"\ndecision = \"deny\"\n").await.code, 0);
    let told = why(&stand, &["flatpak:org.acme.Mail"]).await;
    let facts = (&told["decision"], &told["account"], &told["provider"], &told["level"]);
    assert_eq!(facts, (&"deny".into(), &"".into(), &"dev".into(), &2.into()));
    let wrong = ctl(&stand, &["why", "org.acme.Mail"]).await;
    wrong.assert_fails(2, "names no app: say KIND:NAME", "brokerctl apps");
}

#[tokio::test]
async fn who_has_asked_is_listed_with_how_that_went() {
    let (mut stand, apps) = ruled(|apps| apps.rule("notes", "allow", "")).await;
    apps.run(&stand, "notes", &["token"]).await.line();
    apps.run(&stand, "mail", &["token"]).await;
    apps.run(&stand, "mail", &["token"]).await;
    stand.restart().await;
    let told = ctl(&stand, &["--json", "apps"]).await.json();
    let of = |name: &str| {
        let name = apps.name(name);
        told.as_array().unwrap().iter().find(|app| app["app"] == name).unwrap().clone()
    };
    assert_eq!((&of("notes")["count"], &of("notes")["refused"]), (&1.into(), &0.into()));
    assert_eq!((&of("mail")["count"], &of("mail")["refused"]), (&2.into(), &2.into()));
    assert_eq!(of("mail")["level_name"], "described");
}

#[tokio::test]
async fn nobody_is_talked_into_more_than_an_app_says_it_needs() {
    let (stand, apps) = unruled().await;
    let folder = stand.path("shared-data/authbroker/apps");
    std::fs::create_dir_all(&folder).unwrap();
    let path = apps.path("mail").display().to_string();
    let text = format!("app = {{ exe = {path:?} }}\nscopes = [\"email\"]\n");
    std::fs::write(folder.join("org.acme.Mail.toml"), text).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);

    let mail = apps.name("mail");
    let beyond = ctl(&stand, &["grants", "allow", &mail]).await;
    beyond.assert_fails(4, "does not say that it needs that", "--scope email");
    let line = stand.recorded(|line| line["error"] == "PolicyDenied").await;
    assert_eq!((&line["event"], &line["caller"]["door"]), (&"policy".into(), &"admin".into()));
    let told = apps.run(&stand, "mail", &["token", "--scope", "openid"]).await;
    told.assert_fails(4, "its manifest does not ask for that", "brokerctl why");
    let told = why(&stand, &[&mail, "--scope", "openid"]).await;
    assert!(told["place"].as_str().unwrap().ends_with("org.acme.Mail.toml"), "{told}");
    ctl(&stand, &["grants", "allow", &mail, "--scope", "email"]).await.line();
    assert_eq!(apps.run(&stand, "mail", &["token", "--scope", "email"]).await.code, 0);
}
