//! A record that ends, and goes on: restarts, deaths, a key that comes late or changes, a disk that
//! refuses, and files that are full.

use super::*;

async fn assert_whole(audit: &Audit, lines: u64) {
    let checked = audit.verify().await.unwrap();
    assert_eq!((checked.broken, checked.anew, checked.lines), (None, None, lines));
}

#[tokio::test]
async fn a_chain_goes_on_over_restarts() {
    let world = World::new();
    for run in 1..4 {
        world.record(2);
        assert_whole(&world.open(), run * 2).await;
    }
    assert_eq!(world.names(), [FIRST]);
}

#[tokio::test]
async fn what_was_written_when_the_head_was_not_yet_is_taken_up() {
    let world = World::new();
    world.record(2);
    let behind = world.shelf.head().clone();
    world.record(3);
    *world.shelf.head() = behind;
    let audit = world.open();
    assert_whole(&audit, 5).await;
    assert_eq!(audit.problems(), Vec::<String>::new());
}

#[tokio::test]
async fn a_last_line_that_is_torn_is_told_and_the_chain_goes_on() {
    let world = World::new();
    world.record(2);
    let mut bytes = fs::read(world.path(FIRST)).unwrap();
    bytes.extend_from_slice(b"{\"seq\":3,\"ev");
    fs::write(world.path(FIRST), bytes).unwrap();
    let audit = world.open();
    assert_whole(&audit, 3).await;
    let lines = read(&audit).await;
    assert_eq!(lines[2]["event"], "torn");
    let detail = lines[2]["detail"].as_str().unwrap();
    assert!(detail.contains("12 bytes") && detail.contains(FIRST), "{detail}");
}

#[tokio::test]
async fn lines_wait_for_the_key_and_enter_the_chain_with_it() {
    let world = World::new();
    let audit = world.locked();
    audit.record(Record::of(Event::Start));
    audit.record(refusal());
    let checked = audit.verify().await.unwrap();
    assert_eq!((checked.waiting, checked.lines, checked.broken), (2, 0, None));
    let lines = read(&audit).await;
    assert_eq!(events(&lines), ["start", "refusal"], "they can be read meanwhile");
    audit.close();

    let audit = world.locked();
    audit.record(Record::of(Event::Start));
    audit.unlocked(key(1));
    audit.record(Record::of(Event::SignIn));
    assert_whole(&audit, 4).await;
    let lines = read(&audit).await;
    assert_eq!(events(&lines), ["start", "refusal", "start", "sign-in"]);
    assert_eq!((&lines[0]["waited"], &lines[3]["waited"]), (&true.into(), &Value::Null));
    assert!(!world.path("waiting.jsonl").exists());
}

#[tokio::test]
async fn what_waits_brings_no_place_of_its_own_and_a_torn_line_is_told() {
    let world = World::new();
    let audit = world.locked();
    audit.record(refusal());
    audit.close();
    let mut text = fs::read_to_string(world.path("waiting.jsonl")).unwrap();
    text.push_str("{\"seq\":77,\"mac\":\"00\",\"key\":\"x\",\"event\":\"token\"}\n{\"event\":\"to");
    fs::write(world.path("waiting.jsonl"), text).unwrap();
    let audit = world.open();
    assert_whole(&audit, 3).await;
    let lines = read(&audit).await;
    assert_eq!(events(&lines), ["refusal", "token", "torn"]);
}

#[tokio::test]
async fn a_vault_that_stays_locked_fills_no_disk_and_what_is_lost_is_counted() {
    let world = World::new();
    let audit = world.locked();
    let long = Record::of(Event::Refusal).saying("x".repeat(300));
    for _ in 0..4_000 {
        audit.record(long.clone());
    }
    audit.flush().await.unwrap();
    assert!(fs::metadata(world.path("waiting.jsonl")).unwrap().len() <= 1024 * 1024);
    assert!(audit.problems()[0].contains("lines of the audit record are lost"));
    audit.unlocked(key(1));
    audit.flush().await.unwrap();
    let lines = read(&audit).await;
    let last = lines.last().unwrap();
    let told = format!("{} lines are lost", 4_000 - (lines.len() - 1));
    assert!(last["detail"].as_str().unwrap().contains(&told), "{told}: {last}");
    assert_whole(&audit, lines.len() as u64).await;
}

#[tokio::test]
async fn a_new_key_is_told_in_the_chain_and_both_its_stretches_are_checked() {
    let world = World::new();
    let audit = world.open();
    audit.record(refusal());
    audit.flush().await.unwrap();
    audit.unlocked(key(2));
    audit.record(refusal());
    audit.flush().await.unwrap();
    audit.record(refusal());
    let lines = read(&audit).await;
    assert_eq!(lines.iter().filter(|line| line["event"] == "key").count(), 1);
    let is_first = |line: &&Value| line["key"] == "key2";
    assert_eq!(lines.iter().find(is_first).unwrap()["event"], "key", "the first with it");
    assert_whole(&audit, 4).await;
    audit.close();
    // The daemon died before the record heard of it.
    let audit = world.locked();
    audit.unlocked(key(3));
    audit.record(refusal());
    audit.flush().await.unwrap();
    assert_whole(&audit, 6).await;
    let mut edited = world.lines(FIRST);
    edited[0] = edited[0].replace("refusal", "renewal");
    world.put(FIRST, &edited);
    let broken = audit.verify().await.unwrap().broken.unwrap();
    assert_eq!((broken.line, broken.kind), (1, Kind::Changed), "the older stretch, too");
}

#[tokio::test]
async fn lines_of_a_key_that_is_not_this_vaults_are_named() {
    let world = World::new();
    world.record(2);
    // A vault in memory has another key, and no head, after every start.
    *world.shelf.head() = None;
    let audit = world.locked();
    audit.unlocked(key(2));
    audit.record(refusal());
    let anew = audit.verify().await.unwrap().anew.unwrap();
    assert_eq!(anew.kind, Kind::UnknownKey);
}

#[tokio::test]
async fn full_files_are_followed_by_others_and_the_oldest_go() {
    let world = World { bounds: Bounds { file: 2_000, files: 3 }, ..World::new() };
    let audit = world.open();
    for _ in 0..60 {
        audit.record(refusal());
        audit.flush().await.unwrap();
    }
    assert_eq!(world.names().len(), 3);
    let checked = audit.verify().await.unwrap();
    assert_eq!((checked.broken, checked.files), (None, 3));
    assert!(checked.first.unwrap() > 1 && checked.lines < 60);
    audit.close();
    let audit = world.open();
    assert_eq!(audit.verify().await.unwrap().first, checked.first);
    // Whoever removes the oldest file that is kept is noticed all the same.
    fs::remove_file(world.path(&world.names()[0])).unwrap();
    let broken = audit.verify().await.unwrap().broken.unwrap();
    assert_eq!(broken.kind, Kind::Missing, "{broken}");
}

#[tokio::test]
async fn a_file_on_its_way_out_when_the_broker_died_is_no_damage() {
    let world = World { bounds: Bounds { file: 1, files: 2 }, ..World::new() };
    for _ in 0..2 {
        world.record(1);
    }
    let oldest = fs::read(world.path(FIRST)).unwrap();
    world.record(1);
    assert!(!world.path(FIRST).exists());
    fs::write(world.path(FIRST), oldest).unwrap();
    let audit = world.open();
    assert_whole(&audit, 2).await;
    assert!(!world.path(FIRST).exists());
}

#[tokio::test]
async fn a_disk_that_refuses_is_told_and_nothing_is_lost_meanwhile() {
    let world = World::new();
    // A file in the folder's place.
    fs::write(world.folder.path().join("audit"), "").unwrap();
    let audit = world.locked();
    audit.record(Record::of(Event::Start));
    assert!(audit.flush().await.is_err());
    let problem = &audit.problems()[0];
    assert!(
        problem.contains("the audit record cannot be written: ") && problem.contains("File exists")
    );
    audit.unlocked(key(1));
    audit.record(refusal());
    assert!(audit.flush().await.is_err());
    fs::remove_file(world.folder.path().join("audit")).unwrap();
    while audit.flush().await.is_err() {}
    assert_eq!(audit.problems(), Vec::<String>::new());
    assert_eq!(events(&read(&audit).await), ["start", "refusal"]);
    assert_whole(&audit, 2).await;
}
