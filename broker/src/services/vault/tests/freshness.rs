//! Older records that are put back, and what a crash leaves of the index.

use super::*;

impl World {
    fn index(&self) -> PathBuf {
        self.path("vault/index")
    }

    /// Remembers a subject `times` times, and gives each record and the index after it.
    async fn history(&self, subject: &str, times: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut history = Vec::new();
        for _ in 0..times {
            let id = self.remember(subject).await;
            let read = |path| std::fs::read(path).unwrap();
            history.push((read(self.file(&id)), read(self.index())));
        }
        history
    }
}

#[tokio::test]
async fn an_older_copy_of_a_record_is_named_and_the_others_go_on() {
    let world = World::new();
    let bob = world.remember("bob").await;
    let history = world.history("alice", 3).await;
    let alice = account("alice").id;
    for (older, _) in &history[..2] {
        std::fs::write(world.file(&alice), older).unwrap();
        let named = format!("record {alice} cannot be used: an older copy of it was put back");
        assert_eq!(world.vault().recall(&alice).await.unwrap_err().to_string(), named);
        assert_eq!(world.broken().await, [named]);
        assert_eq!(world.vault().recall(&bob).await.unwrap(), Some(granted()));
    }
    std::fs::write(world.file(&alice), &history[2].0).unwrap();
    assert_eq!(world.vault().recall(&alice).await.unwrap(), Some(granted()), "the newest is good");
}

#[tokio::test]
async fn a_new_sign_in_takes_the_place_of_an_older_copy() {
    let world = World::new();
    let history = world.history("alice", 2).await;
    let alice = account("alice").id;
    std::fs::write(world.file(&alice), &history[0].0).unwrap();
    assert_eq!(world.broken().await.len(), 1);
    world.remember("alice").await;
    assert_eq!(world.vault().recall(&alice).await.unwrap(), Some(granted()));
}

#[tokio::test]
async fn a_record_put_back_after_its_account_was_signed_out_is_named() {
    let world = World::new();
    let history = world.history("alice", 1).await;
    let (alice, vault) = (account("alice").id, world.vault());
    vault.ready(Prompt::Never).await.unwrap();
    vault.forget(&alice).await.unwrap();
    std::fs::write(world.file(&alice), &history[0].0).unwrap();
    let error = world.vault().recall(&alice).await.unwrap_err().to_string();
    assert!(error.contains("it was put back after its account was signed out"), "{error}");
}

#[tokio::test]
async fn a_crash_between_the_record_and_the_index_loses_nothing() {
    let world = World::new();
    let history = world.history("alice", 2).await;
    let alice = account("alice").id;
    // The second record is on the disk, the index that knows it is not.
    std::fs::write(world.index(), &history[0].1).unwrap();
    assert_eq!(world.vault().recall(&alice).await.unwrap(), Some(granted()));
    // What is written next has a serial of its own, and the first record stays good.
    let bob = world.remember("bob").await;
    let vault = world.vault();
    assert_eq!(vault.recall(&alice).await.unwrap(), Some(granted()));
    assert_eq!(vault.recall(&bob).await.unwrap(), Some(granted()));
}

#[tokio::test]
async fn a_crash_after_the_very_first_record_loses_nothing() {
    let world = World::new();
    let alice = world.remember("alice").await;
    std::fs::remove_file(world.index()).unwrap();
    assert_eq!(world.vault().recall(&alice).await.unwrap(), Some(granted()));
}

#[tokio::test]
async fn a_missing_or_changed_index_is_said_and_costs_no_sign_in() {
    for damage in [None, Some(b"garbage".as_slice()), Some(b"")] {
        let world = World::new();
        let (alice, bob) = (world.remember("alice").await, world.remember("bob").await);
        match damage {
            None => std::fs::remove_file(world.index()).unwrap(),
            Some(bytes) => std::fs::write(world.index(), bytes).unwrap(),
        }
        let vault = world.vault();
        assert_eq!(vault.recall(&alice).await.unwrap(), Some(granted()));
        let said = vault.inspect().await.unwrap().index.unwrap();
        assert!(said.contains("older copies of records were put back cannot be told"), "{said}");
        // The next write makes it anew, and with it the watch over both records.
        let older = std::fs::read(world.file(&bob)).unwrap();
        world.remember("bob").await;
        assert_eq!(world.vault().inspect().await.unwrap().index, None);
        std::fs::write(world.file(&bob), older).unwrap();
        assert_eq!(world.broken().await.len(), 1);
    }
}

#[tokio::test]
async fn an_index_that_is_older_itself_raises_no_false_alarm() {
    let world = World::new();
    let bob = world.remember("bob").await;
    let history = world.history("alice", 4).await;
    std::fs::write(world.index(), &history[0].1).unwrap();
    let vault = world.vault();
    assert_eq!(vault.recall(&account("alice").id).await.unwrap(), Some(granted()));
    assert_eq!(vault.recall(&bob).await.unwrap(), Some(granted()));
}

#[tokio::test]
async fn accounts_that_are_written_at_the_same_time_are_all_in_the_index() {
    let world = World::new();
    let vault = world.vault();
    let writes = (0..20).map(|number| {
        let vault = vault.clone();
        tokio::spawn(async move {
            let account = account(&format!("person {number}"));
            for _ in 0..3 {
                vault.remember(&account, &granted(), Prompt::Never).await.unwrap();
            }
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap();
    }
    let vault = world.vault();
    vault.ready(Prompt::Never).await.unwrap();
    let seen = vault.inspect().await.unwrap();
    assert_eq!((seen.records, seen.broken.len(), seen.index), (20, 0, None));
}
