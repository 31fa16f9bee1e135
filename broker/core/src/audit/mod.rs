//! The record of who was given what: what a line says, and which deliveries are one line.
//!
//! Nothing secret fits in here: of a token there is a [`Fingerprint`] and no more.

mod coalesce;

use std::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub use self::coalesce::{Deliveries, Delivery, WINDOW};
use crate::caller::Caller;
use crate::failure::{Code, Failure};
use crate::ids::AccountId;
use crate::policy::{Basis, Decision, Verdict};
use crate::resource::Resources;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::{Now, UnixTime};

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What happened.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Event { $($(#[doc = $doc])+ $variant,)+ }

        impl Event {
            /// Every event, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word for it in the record.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

events! {
    /// The broker started.
    Start = "start",
    /// The broker ended as it was asked to.
    Stop = "stop",
    /// A token was given to a caller.
    Token = "token",
    /// A caller was given none.
    Refusal = "refusal",
    /// An API refused a token, and the broker did something about it or named what would help.
    Challenge = "challenge",
    /// A person signed in.
    SignIn = "sign-in",
    /// A sign-in came to nothing.
    SignInFailed = "sign-in-failed",
    /// An account was signed out.
    SignOut = "sign-out",
    /// A sign-out came to nothing.
    SignOutFailed = "sign-out-failed",
    /// The provider gave a new access token.
    Renewal = "renewal",
    /// It gave none.
    RenewalFailed = "renewal-failed",
    /// A person answered what an app may have.
    Consent = "consent",
    /// What holds for callers was changed, or a change of it refused.
    Policy = "policy",
    /// Somebody wanted the vault opened.
    Unlock = "unlock",
    /// Somebody wanted the vault locked.
    Lock = "lock",
    /// Somebody wanted a new key for the vault.
    Rekey = "rekey",
    /// The vault's key came into reach.
    VaultOpened = "vault-opened",
    /// The vault's key went out of reach.
    VaultLocked = "vault-locked",
    /// Lines that should stand here could not be kept.
    Lost = "lost",
    /// The last line before this one was cut off when its broker died, and was taken away.
    Torn = "torn",
    /// From this line on, the chain has another key.
    Key = "key",
    /// The record as it was found is not the one that was left.
    Damage = "damage",
}

/// The first eight bytes of a token's SHA-256: enough to tell tokens apart, and of no use to
/// anybody else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    /// The fingerprint of a token.
    pub fn of(token: &Secret) -> Self {
        let mut first = [0; 8];
        first.copy_from_slice(&Sha256::digest(token.expose())[..8]);
        Self(first)
    }

    /// The fingerprint of a token whose whole hash is known, as `ath` writes it (RFC 9449 §4.2).
    pub fn of_ath(ath: &str) -> Option<Self> {
        let hash = BASE64URL_NOPAD.decode(ath.as_bytes()).ok()?;
        let hash: [u8; 32] = hash.try_into().ok()?;
        hash.first_chunk().copied().map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// One thing that happened, with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// What happened.
    pub event: Event,
    /// Who wanted it.
    pub caller: Option<Caller>,
    /// Whose account it was about.
    pub account: Option<AccountId>,
    /// The APIs it was about.
    pub resources: Resources,
    /// The scopes it was about.
    pub scopes: ScopeSet,
    /// What was decided.
    pub decision: Option<Decision>,
    /// What decided it.
    pub basis: Option<Basis>,
    /// Why it came to nothing, where it did.
    pub error: Option<Code>,
    /// Which token it was about.
    pub fingerprint: Option<Fingerprint>,
    /// The caller's own word for the request.
    pub correlation_id: Option<String>,
    /// What else there is to say, in words.
    pub detail: Option<String>,
}

impl Record {
    /// A record that something happened.
    pub fn of(event: Event) -> Self {
        Self {
            event,
            caller: None,
            account: None,
            resources: Resources::new(),
            scopes: ScopeSet::default(),
            decision: None,
            basis: None,
            error: None,
            fingerprint: None,
            correlation_id: None,
            detail: None,
        }
    }

    /// The same, wanted by a caller.
    #[must_use]
    pub fn by(mut self, caller: &Caller) -> Self {
        self.caller = Some(caller.clone());
        self
    }

    /// The same, about an account.
    #[must_use]
    pub fn about(mut self, account: &AccountId) -> Self {
        self.account = Some(account.clone());
        self
    }

    /// The same, with words to it.
    #[must_use]
    pub fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same, decided in this way.
    #[must_use]
    pub fn decided(mut self, verdict: &Verdict) -> Self {
        self.decision = Some(verdict.decision);
        self.basis = Some(verdict.basis.clone());
        self
    }

    /// The same, come to nothing. Some failures are decisions themselves.
    #[must_use]
    pub fn failed(mut self, failure: &Failure) -> Self {
        self.error = Some(failure.code);
        self.decision = match failure.code {
            Code::PolicyDenied | Code::UserDenied | Code::IdentityUnverified => {
                Some(Decision::Deny)
            }
            Code::ConsentRequired => Some(Decision::Ask),
            _ => self.decision,
        };
        self.detail = Some(failure.message.clone());
        self
    }
}

/// A record, and when that was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamped {
    /// What happened.
    pub record: Record,
    /// When.
    pub at: Now,
}

/// What stands on one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// What happened.
    pub record: Record,
    /// When; the last time, where it happened more than once.
    pub time: UnixTime,
    /// How often this line stands for, and since when. Otherwise it is one time.
    pub repeats: Option<Repeats>,
}

/// Further deliveries of a token that has its line already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Repeats {
    /// How many.
    pub count: u64,
    /// When the first delivery was, which is not among them.
    pub since: UnixTime,
}

impl Line {
    /// The line of what happened once.
    pub const fn once(record: Record, time: UnixTime) -> Self {
        Self { record, time, repeats: None }
    }
}

/// The key of a stretch of the record's chain. It opens nothing else.
#[derive(Clone)]
pub struct ChainKey {
    id: String,
    bytes: Zeroizing<[u8; 32]>,
}

impl ChainKey {
    /// A key and its name, which tells keys apart and says nothing else about them.
    pub const fn new(id: String, bytes: Zeroizing<[u8; 32]>) -> Self {
        Self { id, bytes }
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key itself.
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainKey({}…)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_first_eight_bytes_of_the_hash() {
        // SHA-256 of "abc" (FIPS 180-2, appendix B.1).
        assert_eq!(Fingerprint::of(&Secret::new("abc".into())).to_string(), "ba7816bf8f01cfea");
    }

    #[test]
    fn a_fingerprint_of_the_hash_is_that_of_the_token() {
        let ath = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
        let of_token = Fingerprint::of(&Secret::new("abc".into()));
        assert_eq!(Fingerprint::of_ath(ath), Some(of_token));
        for not_a_hash in ["", "ungWv48Bz-o", "no hash at all"] {
            assert_eq!(Fingerprint::of_ath(not_a_hash), None);
        }
    }

    #[test]
    fn no_two_events_share_a_word() {
        let mut words: Vec<_> = Event::ALL.iter().map(|event| event.name()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Event::ALL.len());
    }

    #[test]
    fn a_refusal_is_a_decision_and_trouble_is_none() {
        let failed = |code| Record::of(Event::Refusal).failed(&Failure::new(code, "no", "help"));
        assert_eq!(failed(Code::PolicyDenied).decision, Some(Decision::Deny));
        assert_eq!(failed(Code::ConsentRequired).decision, Some(Decision::Ask));
        assert_eq!(failed(Code::Offline).decision, None);
    }

    #[test]
    fn a_chain_key_prints_its_name_alone() {
        let key = ChainKey::new("0a1b".into(), Zeroizing::new([7; 32]));
        assert_eq!(format!("{key:?}"), "ChainKey(0a1b…)");
    }
}
