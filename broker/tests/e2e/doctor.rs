//! `brokerctl doctor`: each trouble made real, and found with what helps. The keyring's are in
//! `tests/real`.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use dev_issuer::Options;
use serde_json::Value;

use crate::stand::{Ran, Stand, daemon_with, run};

impl Stand {
    /// What the doctor says, where there is no session bus.
    async fn doctor(&self, arguments: &[&str]) -> Ran {
        let mut command = self.ctl_command();
        command.arg("doctor").args(arguments);
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        run(&mut command).await
    }

    /// Asserts that the doctor finds this, and nothing else that is wrong.
    async fn suffers_from(&self, about: &str, words: &str, cure: &str) {
        let ran = self.doctor(&["--json"]).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        let document = ran.json();
        let problems = graded(&document, "problem");
        let [problem] = problems.as_slice() else { panic!("one problem in {document:#}") };
        assert_eq!(problem["about"], about, "{problem}");
        for (part, words) in [("text", words), ("hint", cure)] {
            assert!(problem[part].as_str().unwrap().contains(words), "{words:?} in {problem}");
        }
    }
}

fn graded<'a>(document: &'a Value, grade: &str) -> Vec<&'a Value> {
    let findings = document.as_array().unwrap().iter();
    findings.filter(|finding| finding["grade"] == grade).collect()
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_healthy_machine_is_told_so() {
    let stand = Stand::signed_in().await;
    let ran = stand.doctor(&[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for words in ["broker\n", "this machine\n", "dev\n", "nobody else can use them", "metadata"] {
        assert!(ran.out.contains(words), "{words:?} in {ran:?}");
    }
    let document = stand.doctor(&["--json"]).await.json();
    assert_eq!(graded(&document, "problem"), Vec::<&Value>::new());
    let notes = graded(&document, "note");
    assert!(notes.iter().any(|note| note["about"] == "session bus"), "the sockets do: {notes:?}");
}

#[tokio::test]
async fn what_is_wrong_is_told_to_a_person_with_what_helps() {
    let stand = Stand::prepared(Options::default()).await;
    let ran = stand.doctor(&[]).await;
    ran.assert_says(1, "one thing is wrong", "beside each problem");
    assert!(ran.out.contains("problem  broker"), "{ran:?}");
}

#[tokio::test]
async fn no_broker() {
    let stand = Stand::prepared(Options::default()).await;
    stand.suffers_from("broker", "no broker is running", "systemctl --user start").await;
}

#[tokio::test]
async fn another_broker_that_has_the_folder() {
    let mut stand = Stand::prepared(Options::default()).await;
    let elsewhere = stand.path("elsewhere");
    stand.start_as(&mut daemon_with(stand.folder.path(), &elsewhere)).await;
    let pid = stand.daemon.as_ref().unwrap().id().unwrap();
    stand.suffers_from("broker", &format!("process {pid} holds"), &format!("ps {pid}")).await;
}

#[tokio::test]
async fn a_clock_that_is_off() {
    let stand = Stand::new().await;
    stand.issuer.advance_clock(Duration::from_hours(1));
    stand.suffers_from("clock", "seconds behind the provider", "timedatectl").await;
}

#[tokio::test]
async fn a_provider_that_is_not_there() {
    let stand = Stand::new().await;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = stand.path("config.toml");
    let text = fs::read_to_string(&file).unwrap();
    let other =
        format!("[provider.gone]\nissuer = \"http://127.0.0.1:{port}\"\nclient_id = \"c\"\n");
    fs::write(&file, format!("{text}{other}")).unwrap();
    stand.suffers_from("metadata", "cannot be reached", "network").await;
}

#[tokio::test]
async fn ports_that_other_programs_have() {
    let (taken, other) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let (taken_port, other_port) = (port(&taken), port(&other));
    let ports = format!("redirect = {{ ports = [{taken_port}, {other_port}] }}");
    let stand = Stand::configured(Options::default(), &ports).await;
    let words = format!("listens on {taken_port}, {other_port}: nobody can sign in");
    stand.suffers_from("redirect ports", &words, &format!("sport = :{taken_port}")).await;
    drop(other);
    let document = stand.doctor(&["--json"]).await.json();
    let notes = graded(&document, "note");
    assert!(notes.iter().any(|note| note["about"] == "redirect ports"), "one is enough: {notes:?}");
}

#[tokio::test]
async fn files_that_others_can_use() {
    let stand = Stand::signed_in().await;
    for (about, name, loose, strict, cure) in [
        ("state folder", "state", 0o755, 0o700, "chmod 700 "),
        ("runtime folder", "run", 0o750, 0o700, "chmod 700 "),
        ("socket", "run/admin.sock", 0o666, 0o600, "chmod 600 "),
        ("vault key", "key", 0o644, 0o600, "chmod 600 "),
        ("configuration", "config.toml", 0o666, 0o644, "chmod go-w "),
    ] {
        let path = stand.path(name);
        chmod(&path, loose);
        stand.suffers_from(about, path.to_str().unwrap(), cure).await;
        chmod(&path, strict);
    }
    assert_eq!(stand.doctor(&[]).await.code, 0);
}

#[tokio::test]
async fn a_secret_that_others_can_read_and_one_that_is_missing() {
    let stand = Stand::new().await;
    let secret = stand.path("secret");
    let auth = format!(
        "client_auth = {{ method = \"client_secret_basic\", file = {:?} }}",
        secret.display()
    );
    stand.configure("desktop-broker", &auth);
    stand
        .suffers_from("client", "the client secret cannot be read: No such file", "client_auth")
        .await;
    fs::write(&secret, "s").unwrap();
    chmod(&secret, 0o644);
    stand.suffers_from("client", "others could read it (chmod 600)", "client_auth").await;
}

#[tokio::test]
async fn a_configuration_that_is_wrong() {
    let stand = Stand::new().await;
    fs::write(stand.path("config.toml"), "[vault]\nkey = \"memory\"\nkex = 1\n").unwrap();
    stand.suffers_from("configuration", "config.toml:3: unknown key `kex`", "mend").await;
}

#[tokio::test]
async fn a_vault_that_is_locked() {
    let stand = Stand::signed_in().await;
    assert_eq!(stand.ctl(["lock"]).await.code, 0);
    stand.suffers_from("vault", "it is locked", "brokerctl unlock").await;
}

#[tokio::test]
async fn no_bus_for_a_key_that_is_in_a_keyring() {
    let stand = Stand::prepared(Options::default()).await;
    stand.put_vault_key("keyring");
    let document = stand.doctor(&["--json"]).await.json();
    let problems = graded(&document, "problem");
    let bus = problems.iter().find(|problem| problem["about"] == "session bus").unwrap();
    assert!(bus["text"].as_str().unwrap().contains("keyring"), "{bus}");
    assert!(bus["hint"].as_str().unwrap().contains("passphrase"), "{bus}");
}
