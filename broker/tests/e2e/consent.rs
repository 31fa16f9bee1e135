//! Questions to a person: who asks, who is asked, and who hears the answer.

use std::process::Stdio;

use authbroker_client::{
    AcquireRequest, Challenge, Client, ErrorCode, Pending, Step, TokenRequest,
};
use dev_issuer::{Fault, Times};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::policy::{Apps, ruled};
use crate::stand::{LIMIT, RESOURCE, Stand};

/// `brokerctl agent --json`, with a script at it.
struct Agent {
    process: Child,
    says: ChildStdin,
    hears: Lines<BufReader<ChildStdout>>,
}

impl Agent {
    /// Starts it, and waits until the broker knows it.
    async fn start(stand: &Stand) -> Self {
        let mut command = stand.ctl_command();
        let mut process = command.args(["agent", "--json"]).stdin(Stdio::piped()).spawn().unwrap();
        let says = process.stdin.take().unwrap();
        let hears = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut agent = Self { process, says, hears };
        assert_eq!(agent.hear().await, json!({}));
        agent
    }

    async fn hear(&mut self) -> Value {
        let line = tokio::time::timeout(LIMIT, self.hears.next_line()).await;
        serde_json::from_str(&line.expect("it speaks in time").unwrap().unwrap()).unwrap()
    }

    /// The next question.
    async fn question(&mut self) -> Value {
        loop {
            let mut news = self.hear().await;
            if news["question"].is_object() {
                return news["question"].take();
            }
        }
    }

    async fn answer(&mut self, question: &Value, answer: &str) {
        let said = json!({"question": question["id"], "answer": answer});
        self.says.write_all(format!("{said}\n").as_bytes()).await.unwrap();
    }

    async fn answer_next(&mut self, answer: &str) -> Value {
        let question = self.question().await;
        self.answer(&question, answer).await;
        question
    }

    async fn end(mut self) {
        self.process.kill().await.unwrap();
    }
}

async fn asks(app: &Client) -> Pending {
    app.acquire(AcquireRequest::new()).await.unwrap()
}

async fn ends(mut pending: Pending) -> Result<String, authbroker_client::Error> {
    let end = async {
        loop {
            match pending.next().await? {
                Step::Done(account) => return Ok(account),
                Step::Progress(progress) => {
                    assert_eq!(progress.phase.as_deref(), Some("consent"));
                }
            }
        }
    };
    tokio::time::timeout(LIMIT, end).await.expect("it ends in time")
}

fn code(error: &authbroker_client::Error) -> ErrorCode {
    error.code().unwrap()
}

/// Nothing is said of any app: people are asked.
async fn undecided() -> (Stand, Apps) {
    ruled(|_| String::new()).await
}

/// An app that a person has allowed a token, once; and what has to stay for that.
async fn allowed_once() -> (Stand, Client, (Apps, Agent)) {
    let (stand, apps) = undecided().await;
    let app = stand.app().await;
    let mut agent = Agent::start(&stand).await;
    let pending = asks(&app).await;
    agent.answer_next("once").await;
    ends(pending).await.unwrap();
    (stand, app, (apps, agent))
}

#[tokio::test]
async fn a_yes_for_this_once_is_good_for_one_token() {
    let (stand, _apps) = undecided().await;
    let app = stand.app().await;
    let mut agent = Agent::start(&stand).await;
    let silent = app.token(TokenRequest::new()).await.unwrap_err();
    assert_eq!(code(&silent), ErrorCode::ConsentRequired, "nobody is asked in a silent call");

    let pending = asks(&app).await;
    let question = agent.answer_next("once").await;
    assert_eq!(question["verified"], false);
    assert!(question["app"].as_str().unwrap().starts_with("exe:/"), "{question}");
    assert_eq!(question["account"], "alice");
    assert_eq!(question["resource"], json!([RESOURCE]));
    assert_eq!(question["wants"], json!(["do everything that was granted when you signed in"]));
    ends(pending).await.unwrap();

    app.token(TokenRequest::new()).await.unwrap();
    let said = stand.recorded(|line| line["event"] == "consent").await;
    assert_eq!(
        (&said["decision"], &said["detail"]),
        (&"allow".into(), &"a person answered: once".into())
    );
    let given = stand.recorded(|line| line["event"] == "token").await;
    assert_eq!(given["rule"], "a yes for this once", "what it rests on");
    let again = app.token(TokenRequest::new()).await.unwrap_err();
    assert_eq!(code(&again), ErrorCode::ConsentRequired);
}

#[tokio::test]
async fn a_yes_for_this_once_is_none_to_a_sign_out_and_not_used_up_by_it() {
    let (_stand, app, _rest) = allowed_once().await;
    let refused = app.sign_out("").await.unwrap().done().await.unwrap_err();
    assert_eq!(code(&refused), ErrorCode::ConsentRequired);
    let challenge = Challenge::new(&TokenRequest::new(), "http://127.0.0.1:1/", 401);
    let nothing = app.report_challenge(challenge.www_authenticate("Bearer")).await;
    assert_ne!(nothing.map(|reaction| reaction.action).unwrap_or_default(), "retry");
    app.token(TokenRequest::new()).await.unwrap();
}

#[tokio::test]
async fn a_yes_for_this_once_waits_for_a_provider_that_is_out_of_reach() {
    let (stand, app, _rest) = allowed_once().await;
    stand.issuer.inject(Fault::refresh_500(), Times::Once);
    let failed = app.token(TokenRequest::new().force()).await.unwrap_err();
    assert_eq!(code(&failed), ErrorCode::ProviderUnavailable);
    app.token(TokenRequest::new()).await.unwrap();
    let again = app.token(TokenRequest::new()).await.unwrap_err();
    assert_eq!(code(&again), ErrorCode::ConsentRequired);
}

#[tokio::test]
async fn a_yes_for_always_is_remembered_over_a_restart_and_for_that_app_alone() {
    let (mut stand, apps) = undecided().await;
    let mut agent = Agent::start(&stand).await;
    let interactive: &[&str] = &["token", "--interactive"];
    let (ran, _) =
        tokio::join!(apps.run(&stand, "notes", interactive), agent.answer_next("always"));
    assert!(ran.line().starts_with("ey"), "{ran:?}");
    let record = stand.ctl(["audit", "--json"]).await;
    let lines = record.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let [said] = &lines.filter(|line| line["event"] == "consent").collect::<Vec<_>>()[..] else {
        panic!("one answer, one line: {record:?}");
    };
    assert_eq!(said["caller"]["identity"], apps.name("notes"));
    assert!(said["rule"].as_str().unwrap().starts_with("grant "), "{said}");
    agent.end().await;
    stand.restart().await;
    assert!(apps.run(&stand, "notes", &["token"]).await.line().starts_with("ey"));
    apps.run(&stand, "mail", &["token"]).await.assert_fails(3, "nobody has said", "grants allow");
}

#[tokio::test]
async fn a_no_is_remembered_and_nobody_is_asked_again() {
    let (stand, apps) = undecided().await;
    let mut agent = Agent::start(&stand).await;
    let interactive: &[&str] = &["token", "--interactive"];
    let (ran, _) = tokio::join!(apps.run(&stand, "notes", interactive), agent.answer_next("no"));
    ran.assert_fails(4, "somebody said no", "brokerctl grants");
    let again = apps.run(&stand, "notes", interactive).await;
    again.assert_fails(4, "somebody said no", "brokerctl why");
    // Another app's question is the next one that the agent hears of.
    let (ran, question) =
        tokio::join!(apps.run(&stand, "mail", interactive), agent.answer_next("once"));
    assert_eq!(question["app"], apps.name("mail"));
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn two_who_ask_the_same_are_one_question() {
    let (stand, _apps) = undecided().await;
    let mut agent = Agent::start(&stand).await;
    let (one, other) = (asks(&stand.app().await).await, asks(&stand.app().await).await);
    let question = agent.question().await;
    // The second has asked by the time it is told that a person is asked.
    let (mut one, mut other) = (one, other);
    for pending in [&mut one, &mut other] {
        assert!(matches!(pending.next().await.unwrap(), Step::Progress(_)));
    }
    stand.ctl(["status"]).await;
    agent.answer(&question, "until-locked").await;
    ends(one).await.unwrap();
    ends(other).await.unwrap();
    assert_eq!(agent.hear().await, json!({"withdrawn": question["id"]}), "and no second one");
}

#[tokio::test]
async fn a_question_moves_to_the_next_agent_when_the_first_is_gone() {
    let (stand, _apps) = undecided().await;
    let (mut first, mut second) = (Agent::start(&stand).await, Agent::start(&stand).await);
    let pending = asks(&stand.app().await).await;
    let question = first.question().await;
    first.end().await;
    let moved = second.question().await;
    assert_eq!(moved["id"], question["id"]);
    second.answer(&moved, "once").await;
    ends(pending).await.unwrap();
}

#[tokio::test]
async fn with_the_last_agent_a_question_ends_and_without_one_none_begins() {
    let (stand, _apps) = undecided().await;
    let mut agent = Agent::start(&stand).await;
    let pending = asks(&stand.app().await).await;
    agent.question().await;
    agent.end().await;
    let error = ends(pending).await.unwrap_err();
    assert_eq!(code(&error), ErrorCode::ConsentRequired);
    let line = stand.recorded(|line| line["event"] == "consent").await;
    assert_eq!((&line["decision"], &line["error"]), (&"ask".into(), &"ConsentRequired".into()));
    assert_eq!(line["detail"], "nobody answered: the last agent left");
    let refusal = stand.recorded(|line| line["event"] == "refusal").await;
    assert_eq!(refusal["error"], "ConsentRequired", "and the app was refused");
    let error = ends(asks(&stand.app().await).await).await.unwrap_err();
    assert_eq!(code(&error), ErrorCode::ConsentRequired);
    assert!(error.hint().starts_with("brokerctl agent"), "{}", error.hint());
}

#[tokio::test]
async fn a_question_is_withdrawn_when_the_app_leaves() {
    let (stand, _apps) = undecided().await;
    let mut agent = Agent::start(&stand).await;
    let pending = asks(&stand.app().await).await;
    let question = agent.question().await;
    drop(pending);
    assert_eq!(agent.hear().await, json!({"withdrawn": question["id"]}));
    let line = stand.recorded(|line| line["event"] == "consent").await;
    assert_eq!((&line["decision"], &line["error"]), (&"ask".into(), &"Cancelled".into()));
    assert_eq!(line["resource"], json!([RESOURCE]));
    assert_eq!(line["detail"], "nobody answered: the app waits no longer");
}

#[tokio::test]
async fn an_answer_without_the_agents_key_is_not_believed() {
    let (stand, _apps) = undecided().await;
    let mut agent = Agent::start(&stand).await;
    let _pending = asks(&stand.app().await).await;
    let question = agent.question().await;
    let admin = authbroker_client::Admin::connect(Some(stand.path("run"))).await.unwrap();
    let mut other = admin.serve_questions().await.unwrap();
    let key = other.next().await.unwrap().agent.unwrap();
    for agent in [key, String::new(), "0".repeat(64)] {
        let answer = authbroker_client::wire::consent::AnswerQuestion {
            agent,
            question: question["id"].as_u64().unwrap(),
            answer: "always".to_owned(),
        };
        let refused = admin.answer_question(&answer).await.unwrap_err();
        assert_eq!(code(&refused), ErrorCode::InvalidArgs);
    }
}

#[tokio::test]
async fn a_person_at_a_terminal_reads_the_question_and_types_a_letter() {
    let (stand, _apps) = undecided().await;
    let mut command = stand.ctl_command();
    let mut agent = command.arg("agent").stdin(Stdio::piped()).spawn().unwrap();
    let mut screen = BufReader::new(agent.stderr.take().unwrap()).lines();
    let mut keyboard = agent.stdin.take().unwrap();
    let mut read_to = async |words: &str| loop {
        let line = tokio::time::timeout(LIMIT, screen.next_line()).await;
        let line = line.expect("it says so in time").unwrap().unwrap();
        if line.contains(words) {
            return;
        }
    };
    read_to("Apps ask their questions here").await;
    let pending = asks(&stand.app().await).await;
    read_to("exe:").await;
    read_to("NOT VERIFIED").await;
    read_to("alice at dev").await;
    read_to("Type a letter").await;
    keyboard.write_all(b"\n").await.unwrap();
    read_to("Type a letter").await;
    keyboard.write_all(b"y\n").await.unwrap();
    read_to("It may, this once.").await;
    ends(pending).await.unwrap();
    drop(keyboard);
    assert!(agent.wait().await.unwrap().success(), "the end of the input ends it");
}
