//! The program and its examples, as processes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{AUDIENCE, claims, with};

/// The program, without anything of this test's own environment.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_private-api"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// A running program; it is killed if a test fails.
pub struct Running {
    child: Child,
    pub url: String,
    /// Read all the time, or a full pipe would stop the program.
    log: Option<JoinHandle<String>>,
}

impl Running {
    pub fn start(issuer: &str, more: &[&str]) -> Self {
        let mut command =
            program(&["--issuer", issuer, "--audience", AUDIENCE, "--listen", "127.0.0.1:0"]);
        command.args(more);
        Self::spawn(&mut command)
    }

    pub fn spawn(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let line = first_line(&mut child);
        let url = line.strip_prefix("private-api listening on ").unwrap().to_owned();
        let stderr = child.stderr.take().unwrap();
        let log = Some(thread::spawn(|| std::io::read_to_string(stderr).unwrap()));
        Self { child, url, log }
    }

    /// The body of an answer to anybody.
    pub async fn text(&self, path: &str) -> String {
        let answer = client().get(format!("{}{path}", self.url)).send().await.unwrap();
        answer.text().await.unwrap()
    }

    pub async fn private(&self, token: &str) -> StatusCode {
        self.get("/private", token).await
    }

    pub async fn get(&self, path: &str, token: &str) -> StatusCode {
        let request = client().get(format!("{}{path}", self.url)).bearer_auth(token);
        request.send().await.unwrap().status()
    }

    /// GET /private with a bound token and a proof.
    pub async fn proven(&self, token: &str, proof: &str) -> StatusCode {
        let request = client().get(format!("{}/private", self.url)).header("dpop", proof);
        let request = request.header("authorization", format!("DPoP {token}"));
        request.send().await.unwrap().status()
    }

    /// Ends it as a supervisor would; gives its exit status and what it logged.
    pub fn end(mut self, signal: Signal) -> (ExitStatus, String) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
        let status = self.child.wait().unwrap();
        (status, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An example of this package, as a process; `cargo test` has built it beside the program.
pub struct Example {
    child: Child,
    url: String,
}

impl Example {
    pub fn start(name: &str, issuer: &str) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_private-api"));
        let mut command = Command::new(program.with_file_name("examples").join(name));
        command.env_clear().env("ISSUER", issuer).env("AUDIENCE", AUDIENCE);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("cargo test builds it");
        let url = first_line(&mut child);
        Self { child, url }
    }

    /// What it answers to the holder of a token.
    pub async fn get(&self, token: &str) -> (StatusCode, String) {
        let answer = client().get(&self.url).bearer_auth(token).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

/// Claims that are good now, by the machine's clock.
pub fn claims_now(issuer: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    with(claims(issuer), &json!({ "iat": now - 60, "exp": now + 600 }))
}
