//! What the record keeps, and what it notices.

mod restarts;
mod tampering;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;

use authbroker_core::audit::{Event, Fingerprint};
use authbroker_core::caller::{Caller, Door, Identity};
use authbroker_core::failure::{Code, Failure};
use authbroker_core::ids::AccountId;
use authbroker_core::policy::{Basis, Decision, RulePlace};
use authbroker_core::resource::Resource;
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use serde_json::Value;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::*;

/// A vault that keeps the head in memory.
#[derive(Debug, Default)]
struct Shelf(Mutex<Option<Vec<u8>>>);

impl Shelf {
    fn head(&self) -> std::sync::MutexGuard<'_, Option<Vec<u8>>> {
        self.0.lock().unwrap()
    }
}

impl Safe for Shelf {
    fn head(&self) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        Ok(self.head().clone().map(Zeroizing::new))
    }

    fn lasts(&self) -> bool {
        true
    }

    fn keep(&self, head: &[u8]) -> Result<(), String> {
        *self.head() = Some(head.to_vec());
        Ok(())
    }
}

struct World {
    folder: TempDir,
    shelf: Arc<Shelf>,
    bounds: Bounds,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, shelf: Arc::default(), bounds: Bounds::default() }
    }

    /// The record as a start of the daemon finds it, without the vault's key.
    fn locked(&self) -> Audit {
        Audit::within(self.folder.path(), self.shelf.clone(), None, self.bounds).unwrap()
    }

    /// The same, with the key.
    fn open(&self) -> Audit {
        let audit = self.locked();
        audit.unlocked(key(1));
        audit
    }

    /// Records so many lines with a daemon that is asked to end.
    fn record(&self, lines: u64) {
        let audit = self.open();
        for _ in 0..lines {
            audit.record(refusal());
        }
        audit.close();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("audit").join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).unwrap().map(Result::unwrap);
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The lines of a file.
    fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.path(name)).unwrap().lines().map(str::to_owned).collect()
    }

    /// Puts lines in the place of those of a file.
    fn put(&self, name: &str, lines: &[String]) {
        fs::write(self.path(name), lines.join("\n") + "\n").unwrap();
    }
}

/// The first file.
const FIRST: &str = "000000000001.jsonl";

fn key(byte: u8) -> ChainKey {
    ChainKey::new(format!("key{byte}"), Zeroizing::new([byte; 32]))
}

fn refusal() -> Record {
    Record::of(Event::Refusal)
}

fn token(value: &str) -> Record {
    let caller = Caller {
        pid: Some(4242),
        identity: Identity::Executable("/usr/bin/app".into()),
        ..Caller::of_user(1000, Door::Socket)
    };
    Record {
        account: Some(AccountId::parse("acme-k3v9q2ma").unwrap()),
        resources: [Resource::parse("https://api.example").unwrap()].into(),
        scopes: ScopeSet::parse("mail.read").unwrap(),
        decision: Some(Decision::Allow),
        basis: Some(Basis::Rule(RulePlace { file: "config.toml".into(), line: 12 })),
        fingerprint: Some(Fingerprint::of(&Secret::new(value.into()))),
        correlation_id: Some("request-7".into()),
        ..Record::of(Event::Token).by(&caller)
    }
}

/// Every line, as a reader gets it.
async fn read(audit: &Audit) -> Vec<Value> {
    let mut lines = audit.read(AtEnd::Stop);
    let mut all = Vec::new();
    while let Some(some) = lines.next().await {
        all.extend(some.unwrap().iter().map(|line| serde_json::from_str(line).unwrap()));
    }
    all
}

fn events(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_line_says_who_was_given_what_and_why_and_bears_no_token() {
    let world = World::new();
    let audit = world.open();
    audit.record(token("the-token"));
    let lines = read(&audit).await;
    let mut line = lines[0].clone();
    let members = line.as_object_mut().unwrap();
    let time = members.remove("time").unwrap();
    assert!(time.as_str().unwrap().ends_with('Z') && time.as_str().unwrap().len() == 24, "{time}");
    assert_eq!(members.remove("mac").unwrap().as_str().unwrap().len(), 64);
    let expected = serde_json::json!({
        "seq": 1, "event": "token",
        "caller": {
            "identity": "exe:/usr/bin/app", "level": 1, "uid": 1000, "pid": 4242, "door": "socket"
        },
        "account": "acme-k3v9q2ma", "resource": ["https://api.example"], "scopes": ["mail.read"],
        "decision": "allow", "rule": "config.toml:12", "correlation_id": "request-7",
        "fingerprint": Fingerprint::of(&Secret::new("the-token".into())).to_string(),
        "key": "key1",
    });
    assert_eq!(line, expected);
    assert!(!fs::read_to_string(world.path(FIRST)).unwrap().contains("the-token"));
}

#[tokio::test]
async fn a_record_is_whole_in_order_and_nobody_elses_to_read() {
    let world = World::new();
    let audit = world.open();
    for event in [Event::Start, Event::SignIn, Event::Token, Event::Stop] {
        audit.record(Record::of(event));
    }
    let checked = audit.verify().await.unwrap();
    assert_eq!(checked, Checked { lines: 4, first: Some(1), files: 1, ..Checked::default() });
    let lines = read(&audit).await;
    assert_eq!(events(&lines), ["start", "sign-in", "token", "stop"]);
    assert_eq!(audit.problems(), Vec::<String>::new());
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(world.path("")), mode(world.path(FIRST))), (0o700, 0o600));
}

#[tokio::test]
async fn further_deliveries_of_a_token_are_one_line_and_the_end_of_the_broker_writes_it() {
    let world = World::new();
    let audit = world.open();
    for _ in 0..10 {
        audit.record(token("a"));
    }
    audit.close();
    let lines = read(&world.open()).await;
    assert_eq!((lines.len(), &lines[1]["count"]), (2, &9.into()), "{lines:?}");
    assert!(lines[1]["since"].is_string());
}

#[tokio::test]
async fn what_a_stranger_says_is_neither_endless_nor_a_line_of_its_own() {
    let world = World::new();
    let audit = world.open();
    let many = (0..9_000).map(|i| format!("urn:{i}")).map(|urn| Resource::parse(&urn).unwrap());
    let strange = Record {
        correlation_id: Some("a\n{\"seq\":1}\u{1b}[2J".into()),
        resources: many.collect(),
        ..refusal().failed(&Failure::new(Code::PolicyDenied, "x".repeat(70_000), "help"))
    };
    audit.record(strange);
    let lines = read(&audit).await;
    assert_eq!(lines[0]["correlation_id"], "a{\"seq\":1}[2J");
    assert_eq!(
        (&lines[0]["decision"], &lines[0]["error"]),
        (&"deny".into(), &"PolicyDenied".into())
    );
    assert_eq!((world.lines(FIRST).len(), lines[0]["resource"][8].as_str()), (1, Some("…")));
    assert!(world.lines(FIRST)[0].len() < 4096);
}

#[tokio::test]
async fn a_reader_follows_what_comes() {
    let world = World::new();
    let audit = world.open();
    audit.record(refusal());
    audit.record(token("a"));
    let mut lines = audit.read(AtEnd::Follow);
    assert_eq!(lines.next().await.unwrap().unwrap().len(), 2);
    audit.record(Record::of(Event::SignOut));
    let next = lines.next().await.unwrap().unwrap();
    assert!(next.len() == 1 && next[0].contains("sign-out"), "{next:?}");
}

#[tokio::test]
async fn a_long_record_is_read_in_small_pieces() {
    let world = World { bounds: Bounds { file: 100_000, files: 16 }, ..World::new() };
    let audit = world.open();
    for _ in 0..3_000 {
        audit.record(refusal());
    }
    let mut lines = audit.read(AtEnd::Stop);
    let mut seen = 0;
    while let Some(some) = lines.next().await {
        let some = some.unwrap();
        assert!(some.iter().map(String::len).sum::<usize>() < 32 * 1024);
        seen += some.len();
    }
    assert_eq!(seen, 3_000);
}

#[tokio::test]
async fn a_journal_has_each_line_with_fields_to_look_for() {
    let world = World::new();
    let at = world.folder.path().join("journal");
    let journal = UnixDatagram::bind(&at).unwrap();
    let audit = Audit::start(world.folder.path(), world.shelf.clone(), Some(at)).unwrap();
    audit.record(token("the-token"));
    audit.close();
    let mut bytes = [0; 4096];
    let length = journal.recv(&mut bytes).unwrap();
    let entry = String::from_utf8(bytes[..length].to_vec()).unwrap();
    for field in [
        "MESSAGE=token of acme-k3v9q2ma for exe:/usr/bin/app",
        "PRIORITY=6",
        "SYSLOG_IDENTIFIER=brokerd",
        "AUTHBROKER_EVENT=token",
        "AUTHBROKER_APP=exe:/usr/bin/app",
        "AUTHBROKER_LEVEL=1",
        "AUTHBROKER_UID=1000",
        "AUTHBROKER_PID=4242",
        "AUTHBROKER_ACCOUNT=acme-k3v9q2ma",
        "AUTHBROKER_RESOURCE=https://api.example",
        "AUTHBROKER_SCOPES=mail.read",
        "AUTHBROKER_DECISION=allow",
        "AUTHBROKER_RULE=config.toml:12",
        "AUTHBROKER_CORRELATION_ID=request-7",
    ] {
        assert!(entry.lines().any(|line| line == field), "{field} in {entry}");
    }
    assert!(entry.ends_with('\n') && !entry.contains("the-token"), "{entry}");
}

#[tokio::test]
async fn a_journal_that_is_gone_or_never_read_holds_up_nobody() {
    let world = World::new();
    let at = world.folder.path().join("journal");
    let journal = UnixDatagram::bind(&at).unwrap();
    let audit = Audit::start(world.folder.path(), world.shelf.clone(), Some(at)).unwrap();
    audit.unlocked(key(1));
    for _ in 0..2_000 {
        audit.record(refusal());
    }
    audit.flush().await.unwrap();
    drop(journal);
    audit.record(refusal());
    assert_eq!(audit.verify().await.unwrap().lines, 2_001);
}
