//! `docs/standards.md` names a test for each demand of the standards, `docs/threat-model.md` one for
//! each promise, and those tests exist.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests expect")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The numbers that the standards' items have, by their letter.
const ITEMS: [(char, &[std::ops::RangeInclusive<u32>]); 2] = [
    (
        'C',
        &[
            1..=16,
            20..=30,
            40..=51,
            60..=71,
            80..=88,
            90..=98,
            100..=110,
            120..=126,
            130..=134,
            140..=143,
            150..=155,
        ],
    ),
    ('R', &[1..=26]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The source files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let is_ours = !entry.file_name().to_string_lossy().starts_with("target");
        if path.is_dir() && is_ours {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The functions of all tests: whatever has a name.
fn functions() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["broker", "client-lib", "api", "dev-issuer", "demo-gui"] {
        sources(&root().join(folder), &mut files);
    }
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    let names = texts.flat_map(|text| {
        let lines = text.lines().filter_map(|line| line.split_once("fn "));
        let names = lines.filter_map(|(_, rest)| rest.split_once('(')).map(|(name, _)| name);
        names.map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}

/// The rows of the tables: an item, and the tests that show it.
fn rows() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(root().join("docs/standards.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, item, _, tests, _] = cells.as_slice() else { return None };
        let is_item = item.starts_with(['C', 'R']) && item[1..].chars().all(|c| c.is_ascii_digit());
        let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        is_item.then(|| ((*item).to_owned(), tests))
    });
    rows.collect()
}

#[test]
fn every_item_of_the_standards_names_a_test_that_exists() {
    let (rows, functions) = (rows(), functions());
    for (item, tests) in &rows {
        assert!(!tests.is_empty(), "{item} names no test");
        for test in tests {
            assert!(functions.contains(test), "{item} names {test}, which does not exist");
        }
    }
    let listed: Vec<_> = rows.iter().map(|(item, _)| item.clone()).collect();
    let all: Vec<_> = ITEMS
        .iter()
        .flat_map(|(letter, ranges)| {
            ranges.iter().cloned().flatten().map(move |number| format!("{letter}{number:02}"))
        })
        .collect();
    assert_eq!(listed, all, "each item once, in order");
}

/// What is promised, and the tests that show it: the tables of two columns.
fn promises() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, promise, tests, _] = cells.as_slice() else { return None };
        let is_row = *promise != "promise" && !promise.starts_with("---");
        let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        is_row.then(|| ((*promise).to_owned(), tests))
    });
    rows.collect()
}

#[test]
fn every_promise_of_the_threat_model_names_a_test_that_exists() {
    let (promises, functions) = (promises(), functions());
    assert!(promises.len() > 20, "only {} promises were found", promises.len());
    for (promise, tests) in &promises {
        assert!(!tests.is_empty(), "no test shows: {promise}");
        for test in tests {
            assert!(functions.contains(test), "{test} does not exist: {promise}");
        }
    }
}
