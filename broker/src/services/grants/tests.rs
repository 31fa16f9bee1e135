//! What a person relies on who has answered a question.

use std::os::unix::fs::PermissionsExt as _;

use authbroker_core::caller::Identity;
use authbroker_core::policy::Decision;

use super::*;

const NOW: UnixTime = UnixTime::from_secs(1000);

/// A key that is a word.
struct Key(&'static str);

impl Seal for Key {
    fn tag(&self, bytes: &[u8]) -> String {
        let sum: u64 = bytes.iter().chain(self.0.as_bytes()).map(|byte| u64::from(*byte)).sum();
        sum.to_string()
    }

    fn fits(&self, bytes: &[u8], tag: &str) -> bool {
        self.tag(bytes) == tag
    }
}

fn app(path: &str) -> App {
    App { uid: 1000, identity: Identity::Executable(path.into()) }
}

fn answer(path: &str, ruling: Ruling, lasting: Lasting) -> NewGrant {
    let (app, terminal) = (app(path), None);
    let (account, reach) = (AccountMatch::new("acme"), Reach::default());
    NewGrant { app, terminal, account, reach, ruling, lasting }
}

fn opened(folder: &Path) -> Grants {
    let grants = Grants::open(Some(folder));
    assert_eq!(grants.prove(&Key("k")), Proof::Good);
    grants
}

fn names(grants: &Grants) -> Vec<String> {
    grants.snapshot().grants.iter().map(|grant| grant.app.to_string()).collect()
}

#[test]
fn an_answer_and_its_use_outlive_the_daemon_and_are_nobody_elses_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let grants = opened(folder.path());
    let kept =
        grants.remember(answer("/a", Ruling::Allow, Lasting::Always), NOW, &Key("k")).unwrap();
    let verdict = Verdict {
        decision: Decision::Allow,
        basis: Basis::Grant(kept.id),
        resource: None,
        scope: None,
    };
    grants.count(&app("/a"), &verdict, UnixTime::from_secs(1005));
    grants.flush(&Key("k")).unwrap();

    let again = opened(folder.path());
    let list = again.list();
    assert_eq!((list[0].grant.clone(), list[0].uses), (kept, 1));
    assert_eq!(list[0].last_used, Some(UnixTime::from_secs(1005)));
    assert_eq!((again.asked()[0].count, again.asked()[0].refused), (1, 0));
    let file = folder.path().join("grants.json");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn nothing_in_the_file_counts_before_the_vaults_key_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let allow = answer("/a", Ruling::Allow, Lasting::Always);
    opened(folder.path()).remember(allow, NOW, &Key("k")).unwrap();
    let again = Grants::open(Some(folder.path()));
    assert!(again.is_unproven() && again.snapshot().grants.is_empty());
    assert_eq!(again.prove(&Key("k")), Proof::Good);
    assert_eq!(names(&again), ["exe:/a"]);
}

#[test]
fn an_answer_that_another_program_wrote_does_not_count_and_is_laid_aside() {
    let folder = tempfile::tempdir().unwrap();
    let deny = answer("/a", Ruling::Deny, Lasting::Always);
    opened(folder.path()).remember(deny, NOW, &Key("k")).unwrap();
    let file = folder.path().join("grants.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"allow\":false", "\"allow\":true")).unwrap();
    let again = Grants::open(Some(folder.path()));
    let Proof::LaidAside(where_to) = again.prove(&Key("k")) else { panic!("it was believed") };
    assert!(where_to.contains("grants.changed"), "{where_to}");
    assert!(again.snapshot().grants.is_empty() && !file.exists());
}

#[test]
fn an_answer_that_the_disk_refuses_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let grants = opened(&folder.path().join("missing"));
    let refused = grants.remember(answer("/a", Ruling::Allow, Lasting::Always), NOW, &Key("k"));
    assert!(matches!(refused, Err(GrantsError::Disk(_))), "{refused:?}");
    assert!(grants.snapshot().grants.is_empty());
}

#[test]
fn the_last_answer_to_a_question_takes_the_place_of_the_one_before() {
    let grants = Grants::open(None);
    for ruling in [Ruling::Allow, Ruling::Deny] {
        grants.remember(answer("/a", ruling, Lasting::Always), NOW, &Key("k")).unwrap();
    }
    let list = grants.list();
    assert_eq!((list.len(), list[0].grant.ruling), (1, Ruling::Deny));
    assert_eq!(list[0].grant.id, GrantId(1), "a number is never used again");
}

#[test]
fn an_answer_until_the_session_is_locked_is_on_no_disk_and_ends_with_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let grants = opened(folder.path());
    for (path, lasting) in [("/a", Lasting::UntilLocked), ("/b", Lasting::Always)] {
        grants.remember(answer(path, Ruling::Allow, lasting), NOW, &Key("k")).unwrap();
    }
    assert_eq!(names(&grants), ["exe:/a", "exe:/b"]);
    assert_eq!(names(&opened(folder.path())), ["exe:/b"]);
    grants.lock();
    assert_eq!(names(&grants), ["exe:/b"]);
}

#[test]
fn a_revoked_answer_is_gone_and_one_that_ran_out_goes_with_the_next_change() {
    let grants = Grants::open(None);
    let until = Lasting::Until(UnixTime::from_secs(1001));
    grants.remember(answer("/a", Ruling::Allow, until), NOW, &Key("k")).unwrap();
    let later = UnixTime::from_secs(2000);
    let kept = grants.remember(answer("/b", Ruling::Allow, Lasting::Always), later, &Key("k"));
    assert_eq!(names(&grants), ["exe:/b"]);
    let id = kept.unwrap().id;
    assert_eq!(grants.revoke(|grant| grant.id == id, &Key("k")).unwrap().len(), 1);
    assert!(names(&grants).is_empty());
}

#[test]
fn a_new_key_of_the_vault_takes_the_answers_along() {
    let folder = tempfile::tempdir().unwrap();
    let grants = opened(folder.path());
    grants.remember(answer("/a", Ruling::Allow, Lasting::Always), NOW, &Key("k")).unwrap();
    grants.write_anew(&Key("new")).unwrap();
    let again = Grants::open(Some(folder.path()));
    assert_eq!(again.prove(&Key("new")), Proof::Good);
    assert_eq!(names(&again), ["exe:/a"]);
}

#[test]
fn a_thousand_apps_are_remembered_and_then_the_one_that_asked_longest_ago_is_forgotten() {
    let grants = Grants::open(None);
    let asks = Basis::Default { verified: false };
    let verdict = Verdict { decision: Decision::Ask, basis: asks, resource: None, scope: None };
    for number in 0..1100 {
        grants.count(&app(&format!("/{number}")), &verdict, UnixTime::from_secs(number));
    }
    let asked = grants.asked();
    assert_eq!(asked.len(), 1024);
    assert_eq!(asked[0].app, app("/1099"));
    assert!(asked.iter().all(|one| one.app != app("/0")));
}
