//! A record that somebody changed, between two runs of the broker and during one.

use super::*;

/// What a check of the record finds, at the next start.
async fn found(world: &World) -> Broken {
    let checked = world.open().verify().await.unwrap();
    checked.broken.clone().unwrap_or_else(|| panic!("nothing is found to be wrong: {checked:?}"))
}

/// Six lines, and what somebody makes of them.
async fn found_after(change: impl FnOnce(&mut Vec<String>)) -> Broken {
    let world = World::new();
    world.record(6);
    let mut lines = world.lines(FIRST);
    change(&mut lines);
    world.put(FIRST, &lines);
    let found = found(&world).await;
    assert_eq!(found.file, FIRST);
    // What came next did not make good what is broken.
    world.record(1);
    assert_eq!(self::found(&world).await, found);
    found
}

#[tokio::test]
async fn an_edited_line_is_named() {
    let found = found_after(|lines| lines[2] = lines[2].replace("refusal", "renewal")).await;
    assert_eq!((found.line, found.kind), (3, Kind::Changed), "{found}");
}

#[tokio::test]
async fn a_line_that_says_the_same_in_other_letters_is_named_too() {
    let found = found_after(|lines| lines[0] = lines[0].replacen("\":", "\": ", 1)).await;
    assert_eq!((found.line, found.kind), (1, Kind::Changed), "{found}");
}

#[tokio::test]
async fn a_line_that_is_gone_from_the_middle_is_named() {
    let found = found_after(|lines| drop(lines.drain(1..3))).await;
    assert_eq!((found.line, found.kind), (2, Kind::Missing), "{found}");
    assert!(found.what.contains("numbers 2 to 3 are missing before it"), "{found}");
}

#[tokio::test]
async fn lines_that_are_gone_from_the_beginning_are_named() {
    let found = found_after(|lines| drop(lines.remove(0))).await;
    assert_eq!((found.line, found.kind), (1, Kind::Missing), "{found}");
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_named() {
    let found = found_after(|lines| lines.truncate(4)).await;
    assert_eq!((found.line, found.kind), (5, Kind::Shortened), "{found}");
    assert!(found.what.contains("numbers 5 to 6 are cut off"), "{found}");
}

#[tokio::test]
async fn two_lines_that_changed_places_are_named() {
    let found = found_after(|lines| lines.swap(1, 3)).await;
    assert_eq!((found.line, found.kind), (2, Kind::OutOfOrder), "{found}");
}

#[tokio::test]
async fn a_line_that_stands_there_twice_is_named() {
    let found = found_after(|lines| lines.insert(3, lines[2].clone())).await;
    assert_eq!((found.line, found.kind), (4, Kind::OutOfOrder), "{found}");
}

#[tokio::test]
async fn a_line_that_was_never_written_is_named() {
    let (forged, _) =
        chain::Link { seq: 6, mac: chain::Mac::NONE }.close("{\"event\":\"stop\"}", &key(9));
    let found = found_after(|lines| lines.push(forged)).await;
    assert_eq!((found.line, found.kind), (7, Kind::UnknownKey), "{found}");
    let found = found_after(|lines| lines.push("nonsense".to_owned())).await;
    assert_eq!((found.line, found.kind), (7, Kind::Changed), "{found}");
}

#[tokio::test]
async fn an_older_copy_that_is_put_back_is_noticed() {
    let world = World::new();
    world.record(3);
    let older = fs::read(world.path(FIRST)).unwrap();
    world.record(3);
    fs::write(world.path(FIRST), older).unwrap();
    let audit = world.open();
    let broken = audit.verify().await.unwrap().broken.unwrap();
    assert_eq!((broken.line, broken.kind), (4, Kind::Shortened), "{broken}");
    let problems = audit.problems().join("");
    assert!(problems.contains("the audit record is damaged"), "{problems}");
}

#[tokio::test]
async fn a_record_that_is_removed_is_noticed() {
    let world = World::new();
    world.record(3);
    fs::remove_file(world.path(FIRST)).unwrap();
    assert_ne!(found(&world).await.kind, Kind::Changed);
}

#[tokio::test]
async fn a_whole_file_that_is_removed_is_noticed() {
    let world = World { bounds: Bounds { file: 1, files: 16 }, ..World::new() };
    for _ in 0..4 {
        world.record(1);
    }
    assert_eq!(world.open().verify().await.unwrap().broken, None);
    fs::remove_file(world.path("000000000003.jsonl")).unwrap();
    let found = found(&world).await;
    assert_eq!((found.file.as_str(), found.line), ("000000000002.jsonl", 2), "{found}");
    assert!(found.what.contains("number 3 is cut off here, or removed"), "{found}");
}

#[tokio::test]
async fn a_head_that_is_gone_leaves_a_mark_that_stays() {
    let world = World::new();
    world.record(3);
    *world.shelf.head() = None;
    for run in 1..3 {
        let audit = world.open();
        audit.record(refusal());
        let checked = audit.verify().await.unwrap();
        let anew = checked.anew.unwrap();
        assert_eq!((anew.file.as_str(), anew.line), ("000000000004.jsonl", 1), "{anew}");
        assert!(anew.what.contains("its head is missing"), "{anew}");
        assert_eq!((checked.broken, checked.lines), (None, 1 + run), "the new chain is good");
        audit.close();
    }
    world.record(1);
    let mut lines = world.lines("000000000004.jsonl");
    lines[1] = lines[1].replace("refusal", "renewal");
    world.put("000000000004.jsonl", &lines);
    assert_eq!(found(&world).await.line, 2, "and what is wrong with it is found");
}

#[tokio::test]
async fn what_is_changed_under_a_broker_that_runs_is_noticed_and_the_record_goes_on() {
    for replace in [false, true] {
        let world = World::new();
        let audit = world.open();
        for _ in 0..4 {
            audit.record(refusal());
        }
        audit.flush().await.unwrap();
        let kept = world.lines(FIRST)[..2].join("\n") + "\n";
        if replace {
            fs::remove_file(world.path(FIRST)).unwrap();
        }
        fs::write(world.path(FIRST), kept).unwrap();
        let broken = audit.verify().await.unwrap().broken.unwrap();
        assert_eq!((broken.line, broken.kind), (3, Kind::Shortened), "{broken}");
        audit.record(Record::of(Event::SignOut));
        let lines = read(&audit).await;
        assert_eq!(events(&lines)[2..], ["damage", "sign-out"]);
        assert!(audit.problems()[0].contains("somebody changed or replaced"));
    }
}
