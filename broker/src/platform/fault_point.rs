//! Places at which a test has the daemon die, fail or stop: every step at which something could be
//! lost.
//!
//! In a build without the feature `fault-points`, and so in every release, reaching one does
//! nothing and costs nothing. With it, `AUTHBROKER_FAULT=POINT:PASSAGE=WHAT` names the point, the
//! how-many-th passage counts, and what happens there: `kill` (SIGKILL, as a power cut would),
//! `stop` (SIGSTOP, until somebody continues it), or `enospc` and `eio` (the disk refuses). Each
//! passage is logged, so that a run without a fault tells which there are.

#[cfg(all(feature = "fault-points", not(debug_assertions)))]
compile_error!("fault points are for tests: a release must not have them");

macro_rules! points {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A place in the course of things.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum FaultPoint { $($(#[doc = $doc])+ $variant,)+ }

        impl FaultPoint {
            /// Every point, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in the environment and in the log.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

points! {
    /// The browser has brought the code, which is not used yet.
    SignInCode = "sign_in.code",
    /// The code is used, and nothing of what it brought is kept yet.
    SignInExchanged = "sign_in.exchanged",
    /// The browser has its last page; the caller waits for the outcome.
    SignInAnswered = "sign_in.answered",
    /// The use of the refresh token is noted, and has not begun.
    RefreshIntended = "refresh.intended",
    /// The provider has answered, and nothing of it is kept yet.
    RefreshAnswered = "refresh.answered",
    /// What is to be remembered is on its way to the vault.
    RememberBegun = "remember.begun",
    /// It is in the vault, and nobody knows yet.
    Remembered = "remember.done",
    /// Whoever waited is about to be answered.
    Answer = "answer",
    /// The tokens are about to be revoked.
    SignOutAsked = "sign_out.asked",
    /// The provider has revoked them, or could not be told.
    SignOutRevoked = "sign_out.revoked",
    /// The record is about to be removed.
    ForgetBegun = "forget.begun",
    /// It is removed, and nobody knows yet.
    Forgotten = "forget.done",
    /// An empty new file lies beside the old one.
    FileCreated = "vault.file.created",
    /// The new file is written, perhaps not to the disk.
    FileWritten = "vault.file.written",
    /// The new file is on the disk.
    FileSynced = "vault.file.synced",
    /// It has taken the old one's place, perhaps not on the disk.
    FileRenamed = "vault.file.renamed",
    /// It has taken the old one's place for good.
    FolderSynced = "vault.folder.synced",
    /// There is a note of a use, perhaps not on the disk.
    NoteMade = "vault.note.made",
    /// The note is gone, perhaps not from the disk.
    NoteRemoved = "vault.note.removed",
    /// Every record has its new key, and the one before is gone.
    RekeyEnded = "vault.rekey.ended",
    /// Lines of the audit record are written, perhaps not to the disk.
    AuditWritten = "audit.written",
    /// A new head of the audit record lies beside the old one.
    AuditHeadWritten = "audit.head.written",
    /// It has taken the old one's place, perhaps not on the disk.
    AuditHeadRenamed = "audit.head.renamed",
    /// A new file of the audit record is begun, and the head does not know of it.
    AuditRotated = "audit.rotated",
    /// The record is gone, and the note beside it is not.
    RecordRemoved = "vault.record.removed",
}

/// Goes past a point at which the process may die.
#[cfg(not(feature = "fault-points"))]
pub const fn reach(_: FaultPoint) {}

/// Goes past a point at which the process may die, or the disk refuse.
#[cfg(not(feature = "fault-points"))]
pub const fn attempt(_: FaultPoint) -> std::io::Result<()> {
    Ok(())
}

#[cfg(feature = "fault-points")]
pub use armed::{attempt, reach};

#[cfg(feature = "fault-points")]
mod armed {
    use std::io;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use rustix::io::Errno;
    use rustix::process::{Signal, getpid, kill_process};

    use super::FaultPoint;

    /// What is to happen where.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    struct Fault {
        point: FaultPoint,
        passage: u32,
        what: What,
    }

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    enum What {
        Die,
        Stop,
        Refuse(Errno),
    }

    /// Goes past a point at which the process may die.
    pub fn reach(point: FaultPoint) {
        let _cannot_refuse = attempt(point);
    }

    /// Goes past a point at which the process may die, or the disk refuse.
    pub fn attempt(point: FaultPoint) -> io::Result<()> {
        let passage = count(point);
        tracing::trace!("passage {passage} of {}", point.name());
        match armed() {
            Some(fault) if (fault.point, fault.passage) == (point, passage) => fault.what.happen(),
            _ => Ok(()),
        }
    }

    impl What {
        fn happen(self) -> io::Result<()> {
            match self {
                Self::Die => kill_process(getpid(), Signal::KILL)?,
                Self::Stop => kill_process(getpid(), Signal::STOP)?,
                Self::Refuse(errno) => return Err(errno.into()),
            }
            Ok(())
        }
    }

    /// How often a point was passed, this time included.
    fn count(point: FaultPoint) -> u32 {
        static PASSAGES: [AtomicU32; FaultPoint::ALL.len()] =
            [const { AtomicU32::new(0) }; FaultPoint::ALL.len()];
        PASSAGES[point as usize].fetch_add(1, Ordering::Relaxed) + 1
    }

    fn armed() -> Option<Fault> {
        static FAULT: OnceLock<Option<Fault>> = OnceLock::new();
        *FAULT.get_or_init(|| {
            #[expect(clippy::disallowed_methods, reason = "no build that people use reads this")]
            let text = std::env::var("AUTHBROKER_FAULT").ok()?;
            #[expect(clippy::panic, reason = "a test that asks for nonsense has to hear of it")]
            parse(&text).map_or_else(|| panic!("AUTHBROKER_FAULT={text} is no fault"), Some)
        })
    }

    fn parse(text: &str) -> Option<Fault> {
        let (place, what) = text.split_once('=')?;
        let (name, passage) = place.split_once(':')?;
        let what = match what {
            "kill" => What::Die,
            "stop" => What::Stop,
            "enospc" => What::Refuse(Errno::NOSPC),
            "eio" => What::Refuse(Errno::IO),
            _ => return None,
        };
        let point = *FaultPoint::ALL.iter().find(|point| point.name() == name)?;
        Some(Fault { point, passage: passage.parse().ok()?, what })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_fault_names_a_point_a_passage_and_what_happens() {
            let fault = Fault { point: FaultPoint::FileSynced, passage: 2, what: What::Die };
            assert_eq!(parse("vault.file.synced:2=kill"), Some(fault));
            for nonsense in ["", "vault.file.synced", "nowhere:1=kill", "answer:1=dance"] {
                assert_eq!(parse(nonsense), None, "{nonsense:?}");
            }
        }

        #[test]
        fn every_passage_counts() {
            let before = count(FaultPoint::Answer);
            assert_eq!(count(FaultPoint::Answer), before + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_points_share_a_name() {
        let mut names: Vec<_> = FaultPoint::ALL.iter().map(|point| point.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FaultPoint::ALL.len());
    }
}
