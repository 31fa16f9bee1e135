//! The terminal mode, as the headless demo uses it: the real binary, its stdin and its stdout.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::stand::{Mood, PATIENCE, Person, Stand, alice};

/// A program that runs in terminal mode.
struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(stand: &Stand) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_demo-gui"))
            .args(stand.args())
            .arg("--terminal")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { input: child.stdin.take(), child, output }
    }

    async fn say(&mut self, lines: &str) {
        self.input.as_mut().unwrap().write_all(format!("{lines}\n").as_bytes()).await.unwrap();
    }

    /// The next object on stdout.
    async fn hear(&mut self) -> Value {
        let line = timeout(PATIENCE, self.output.next_line()).await.unwrap().unwrap();
        serde_json::from_str(&line.unwrap()).unwrap()
    }

    /// The next object that tells of `event`; others before it are passed over.
    async fn hear_of(&mut self, event: &str) -> Value {
        loop {
            let heard = self.hear().await;
            if heard["event"] == event {
                return heard;
            }
        }
    }

    /// Closes stdin, and waits for a good end.
    async fn end(mut self) {
        drop(self.input.take());
        let status = timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        assert!(status.success());
    }
}

#[tokio::test]
async fn one_sign_in_gives_the_message_in_every_window() {
    let stand = Stand::new().await;
    let broker = stand.broker();
    let (mut one, mut other) = (Program::start(&stand), Program::start(&stand));
    for program in [&mut one, &mut other] {
        assert_eq!(program.hear().await, json!({"event": "ready", "accounts": []}));
    }

    one.say("sign-in").await;
    let page = one.hear().await;
    let url = "https://login.example/authorize?state=x";
    assert_eq!(page, json!({"event": "sign-in", "phase": "url", "url": url}));
    assert_eq!(one.hear().await, json!({"event": "sign-in", "phase": "browser-opened"}));
    broker.change(|world| world.person = Person::SignsIn);

    let account = json!({"id": "demo-alice", "label": "Alice Adams", "state": "ready"});
    let news = json!({"event": "accounts", "accounts": [account]});
    assert_eq!(other.hear().await, news);
    let done = one.hear_of("signed-in").await;
    assert_eq!(done, json!({"event": "signed-in", "account": "demo-alice"}));

    for program in [&mut one, &mut other] {
        program.say("message").await;
        let text = "Only authenticated users can read this message.";
        let message = program.hear_of("message").await;
        assert_eq!(message, json!({"event": "message", "status": 200, "text": text}));
    }
    assert_eq!(broker.world().asked.unwrap().resource, ["urn:demo"]);

    other.say("sign-out").await;
    assert_eq!(other.hear().await, json!({"event": "sign-out", "phase": "revoking"}));
    other.hear_of("signed-out").await;
    assert_eq!(one.hear_of("accounts").await, json!({"event": "accounts", "accounts": []}));
    one.end().await;
    other.end().await;
}

#[tokio::test]
async fn commands_are_done_in_order_and_answered_by_their_ids() {
    let stand = Stand::new().await;
    let _broker = stand.broker_with_alice();
    let mut program = Program::start(&stand);
    program.say("claims id=a\nmessage id=b\ndance id=c\nclaims force id=d\nquit").await;
    assert_eq!(program.hear().await["event"], "ready");
    for (id, event) in [("a", "claims"), ("b", "message"), ("c", "error"), ("d", "claims")] {
        let heard = program.hear().await;
        assert_eq!((heard["id"].as_str(), heard["event"].as_str()), (Some(id), Some(event)));
    }
    program.end().await;
}

#[tokio::test]
async fn claims_show_a_renewal_and_never_the_token() {
    let stand = Stand::new().await;
    let _broker = stand.broker_with_alice();
    let mut program = Program::start(&stand);
    program.say("claims\nclaims\nclaims force").await;
    let first = program.hear_of("claims").await;
    let second = program.hear_of("claims").await;
    let renewed = program.hear_of("claims").await;
    assert_eq!(first["claims"], json!({"sub": "u-1", "aud": "urn:demo", "jti": 0}));
    assert_eq!(first["expires_at"], 1_790_000_000);
    assert_eq!(first["fingerprint"].as_str().map(str::len), Some(16));
    assert_eq!(first, second);
    assert_ne!(first["fingerprint"], renewed["fingerprint"]);
    assert!(!first.to_string().contains("c2lnbmF0dXJl"), "no signature");
    program.end().await;
}

#[tokio::test]
async fn a_token_that_the_api_no_longer_takes_is_renewed_once() {
    let stand = Stand::new().await;
    let broker = stand.broker_with_alice();
    stand.api.is(Mood::WantsRenewed(1));
    let mut program = Program::start(&stand);
    program.say("message").await;
    assert_eq!(program.hear_of("message").await["status"], 200);
    assert_eq!((broker.world().renewals, stand.api.served()), (1, 2));

    stand.api.is(Mood::WantsRenewed(9));
    program.say("message").await;
    let refused = json!({"event": "message", "status": 401, "reason": "Too old"});
    assert_eq!(program.hear_of("message").await, refused);
    assert_eq!((broker.world().renewals, stand.api.served()), (2, 4));
    program.end().await;
}

#[tokio::test]
async fn the_apis_refusals_and_faults_are_told_apart() {
    let stand = Stand::new().await;
    let _broker = stand.broker_with_alice();
    let mut program = Program::start(&stand);
    stand.api.is(Mood::Refuses);
    program.say("message").await;
    let refused = json!({"event": "message", "status": 403, "reason": "A scope is missing"});
    assert_eq!(program.hear_of("message").await, refused);
    stand.api.is(Mood::Broken);
    program.say("message").await;
    assert_eq!(program.hear_of("error").await["code"], "ApiDown");
    program.end().await;
}

#[tokio::test]
async fn the_brokers_refusal_is_handed_on_with_its_hint() {
    let stand = Stand::new().await;
    let _broker = stand.broker();
    let mut program = Program::start(&stand);
    program.say("message").await;
    let error = program.hear_of("error").await;
    assert_eq!(
        error,
        json!({"event": "error", "code": "InteractionRequired",
                             "message": "nobody is signed in", "hint": "brokerctl login demo"})
    );
    program.end().await;
}

#[tokio::test]
async fn a_cancelled_sign_in_is_withdrawn_from_the_broker() {
    let stand = Stand::new().await;
    let broker = stand.broker();
    let mut program = Program::start(&stand);
    program.say("sign-in id=1").await;
    broker.until(|world| world.sign_ins == 1).await;
    program.say("cancel").await;
    let error = program.hear_of("error").await;
    assert_eq!((&error["code"], &error["id"]), (&json!("Cancelled"), &json!("1")));
    broker.until(|world| world.withdrawn == 1).await;

    program.say("sign-in").await;
    program.hear_of("sign-in").await;
    broker.change(|world| world.person = Person::Refuses);
    assert_eq!(program.hear_of("error").await["code"], "UserDenied");
    program.end().await;
}

#[tokio::test]
async fn a_program_that_ends_withdraws_its_sign_in() {
    let stand = Stand::new().await;
    let broker = stand.broker();
    let mut program = Program::start(&stand);
    program.say("sign-in").await;
    broker.until(|world| world.sign_ins == 1).await;
    drop(program);
    broker.until(|world| world.withdrawn == 1).await;
}

#[tokio::test]
async fn a_broker_that_goes_away_and_comes_back_is_found_again() {
    let stand = Stand::new().await;
    let mut program = Program::start(&stand);
    let absent = program.hear().await;
    assert_eq!((&absent["event"], &absent["code"]), (&json!("error"), &json!("NoBroker")));
    assert!(absent["hint"].as_str().unwrap().contains("brokerd"));
    program.say("message").await;
    assert_eq!(program.hear().await["code"], "NoBroker");

    let broker = stand.broker_with_alice();
    assert_eq!(program.hear_of("ready").await["accounts"][0]["label"], "Alice Adams");
    drop(broker);
    assert_eq!(program.hear_of("error").await["code"], "ConnectionLost");

    let _broker = stand.broker();
    assert_eq!(program.hear_of("accounts").await["accounts"], json!([]));
    program.end().await;
}

#[tokio::test]
async fn a_change_of_state_is_told_at_once() {
    let stand = Stand::new().await;
    let broker = stand.broker_with_alice();
    let mut program = Program::start(&stand);
    program.hear_of("ready").await;
    broker.change(|world| world.accounts = vec![alice_who_is("interaction-required")]);
    assert_eq!(program.hear().await["accounts"][0]["state"], "interaction-required");
    broker.change(|world| world.accounts = vec![alice_who_is("offline")]);
    assert_eq!(program.hear().await["accounts"][0]["state"], "offline");
    program.end().await;
}

fn alice_who_is(state: &str) -> authbroker_client::Account {
    authbroker_client::Account { state: state.to_owned(), ..alice() }
}
