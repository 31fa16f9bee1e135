//! `brokerctl exec`: what the program that it becomes finds, and what it leaves.

use std::os::unix::process::ExitStatusExt as _;

use dev_issuer::{Offer, Options};
use rustix::process::{Pid, Signal, kill_process};

use crate::stand::{LIMIT, Stand, claims, line_with};

#[tokio::test]
async fn the_program_has_the_token_in_its_environment_and_in_no_argument() {
    let stand = Stand::signed_in().await;
    let script = r#"echo "$ACCESS_TOKEN $ACCESS_TOKEN_TYPE $ACCESS_TOKEN_EXPIRES_AT"; tr '\0' ' ' </proc/$$/cmdline"#;
    let ran = stand.ctl(["exec", "dev", "--", "sh", "-c", script, "name", "--json"]).await;
    let (words, arguments) = ran.line().split_once('\n').unwrap();
    let words: Vec<_> = words.split(' ').collect();
    let [token, token_type, expires_at] = words.as_slice() else { panic!("{ran:?}") };
    assert_eq!(*token_type, "Bearer");
    // The token's own claim is in whole seconds of the issuer's clock; ours is when it came.
    let (own, told) = (claims(token)["exp"].as_u64().unwrap(), expires_at.parse::<u64>().unwrap());
    assert!(own.abs_diff(told) < 60, "{own} and {told}");
    assert!(arguments.ends_with(" name --json"), "all of it is the program's: {arguments}");
    assert!(!arguments.contains(token), "{arguments}");
}

#[tokio::test]
async fn the_programs_exit_status_is_the_commands() {
    let stand = Stand::signed_in().await;
    assert_eq!(stand.ctl(["exec", "--", "sh", "-c", "exit 42"]).await.code, 42);
    let missing = stand.ctl(["exec", "--", "no-such-program"]).await;
    missing.assert_fails(127, "no-such-program cannot be run", "the command after --");
    let file = stand.path("config.toml");
    let ran = stand.ctl(["exec", "--", file.to_str().unwrap()]).await;
    ran.assert_fails(126, "cannot be run", "the command after --");
}

#[tokio::test]
async fn a_signal_reaches_the_program() {
    let stand = Stand::signed_in().await;
    let mut command = stand.ctl_command();
    let mut child = command.args(["exec", "--", "sh", "-c", "echo up; read x"]);
    child = child.stdin(std::process::Stdio::piped());
    let mut child = child.spawn().unwrap();
    line_with(child.stdout.as_mut().unwrap(), "up").await;
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let status = tokio::time::timeout(LIMIT, async {
        let _open = child.stdin.take();
        child.wait().await
    });
    assert_eq!(status.await.unwrap().unwrap().signal(), Some(Signal::TERM.as_raw()));
}

#[tokio::test]
async fn without_a_token_the_program_is_not_run() {
    let stand = Stand::new().await;
    let trace = stand.path("ran");
    let ran = stand.ctl(["exec", "--", "touch", trace.to_str().unwrap()]).await;
    ran.assert_fails(3, "", "brokerctl login dev");
    assert!(!trace.exists());
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_refused_with_the_way_to_use_it() {
    let bound = Options { dpop: Offer::Offered, ..Options::default() };
    let stand = Stand::configured(bound, "dpop = \"always\"").await;
    stand.sign_in("alice").await;
    let ran = stand.ctl(["exec", "--", "true"]).await;
    ran.assert_fails(1, "are bound to a key (DPoP)", "brokerctl headers METHOD URL");
}
