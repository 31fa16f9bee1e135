//! The device grant (RFC 8628): a device without a browser shows a code, a person types it in
//! elsewhere, and the device polls for the outcome.
//!
//! 1. [`authorization`] gives the device its two codes;
//! 2. [`verification`] is the page where the person types the short one. The sign-in and the question
//!    that follow are those of any authorization (`authorize/`);
//! 3. `token/device_code.rs` answers the polls;
//! 4. [`Devices`] remembers what has been decided, and how fast a device may ask.

use std::collections::HashMap;
use std::io;

use crate::clock::UnixSeconds;
use crate::error::OAuthError;
use crate::grants::Grant;
use crate::scope::ScopeSet;
use crate::secret;

pub(crate) mod authorization;
mod user_code;
pub(crate) mod verification;

pub(crate) use user_code::UserCode;

/// What `slow_down` adds to the interval, in seconds (§3.5).
const SLOWER: u64 = 5;
/// How long an expired code is remembered, so that its device is told what happened, in seconds.
const REMEMBERED: u64 = 60 * 60;

/// What a device asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) client_id: String,
    pub(crate) scopes: ScopeSet,
    pub(crate) resources: Vec<String>,
}

/// How long the codes are good, and how often the device may ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) expires_at: UnixSeconds,
    /// Seconds between two polls.
    pub(crate) interval: u64,
}

/// The two codes of one request.
pub(crate) struct Codes {
    pub(crate) device: String,
    pub(crate) user: UserCode,
}

#[derive(Debug)]
struct Pending {
    wish: Wish,
    user_code: UserCode,
    pace: Pace,
    last_poll: Option<UnixSeconds>,
    decision: Decision,
}

/// What the person has said.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Nothing yet.
    Awaited,
    Allowed(Grant),
    Denied,
}

/// The devices that wait, by their device codes.
#[derive(Debug, Default)]
pub(crate) struct Devices(HashMap<String, Pending>);

impl Devices {
    /// Remembers what a device asks for, and gives the codes for it.
    pub(crate) fn open(&mut self, wish: Wish, pace: Pace, now: UnixSeconds) -> io::Result<Codes> {
        self.0.retain(|_, pending| now < pending.pace.expires_at + REMEMBERED);
        let codes = Codes { device: secret::fresh()?, user: UserCode::fresh()? };
        let (user_code, decision) = (codes.user.clone(), Decision::Awaited);
        let pending = Pending { wish, user_code, pace, last_poll: None, decision };
        self.0.insert(codes.device.clone(), pending);
        Ok(codes)
    }

    /// What is asked for under a code that nobody has answered yet.
    pub(crate) fn wish(&self, user_code: &UserCode, now: UnixSeconds) -> Option<Wish> {
        self.0
            .values()
            .find(|pending| pending.awaits(user_code, now))
            .map(|found| found.wish.clone())
    }

    /// Takes in what the person said, and says whether there was still time for it.
    pub(crate) fn decide(
        &mut self,
        user_code: &UserCode,
        decision: Decision,
        now: UnixSeconds,
    ) -> Result<(), TooLate> {
        let mut waiting = self.0.values_mut();
        let pending = waiting.find(|pending| pending.awaits(user_code, now)).ok_or(TooLate)?;
        pending.decision = decision;
        Ok(())
    }

    /// Answers a poll (§3.5). What was decided is told once.
    pub(crate) fn poll(
        &mut self,
        device_code: &str,
        client_id: &str,
        now: UnixSeconds,
    ) -> Result<Grant, OAuthError> {
        let known = self.0.get_mut(device_code).filter(|known| known.wish.client_id == client_id);
        let pending =
            known.ok_or_else(|| OAuthError::invalid_grant("this device code is unknown"))?;
        if pending.pace.expires_at <= now {
            return Err(OAuthError::new("expired_token", "nobody has answered in time"));
        }
        if let Decision::Awaited = pending.decision {
            return Err(pending.not_yet(now));
        }
        match self.0.remove(device_code).map(|told| told.decision) {
            Some(Decision::Allowed(grant)) => Ok(grant),
            _ => Err(OAuthError::new("access_denied", "the person said no")),
        }
    }
}

/// The code was answered before, or has expired.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooLate;

impl Pending {
    fn awaits(&self, user_code: &UserCode, now: UnixSeconds) -> bool {
        let open = matches!(self.decision, Decision::Awaited) && now < self.pace.expires_at;
        open && self.user_code == *user_code
    }

    /// A poll that comes too soon makes the interval longer for good.
    fn not_yet(&mut self, now: UnixSeconds) -> OAuthError {
        let too_soon = self.last_poll.is_some_and(|last| now < last + self.pace.interval);
        self.last_poll = Some(now);
        if too_soon {
            self.pace.interval += SLOWER;
            return OAuthError::new("slow_down", "five seconds more between polls from now on");
        }
        OAuthError::new("authorization_pending", "nobody has answered yet")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = 1_000;

    /// A device that may ask every five seconds for a minute.
    fn waiting(devices: &mut Devices) -> io::Result<Codes> {
        let (scopes, resources) = (ScopeSet::default(), Vec::new());
        let wish = Wish { client_id: "app".to_owned(), scopes, resources };
        devices.open(wish, Pace { expires_at: NOW + 60, interval: 5 }, NOW)
    }

    #[test]
    fn each_poll_too_soon_makes_the_interval_longer_for_good() -> io::Result<()> {
        let mut devices = Devices::default();
        let code = waiting(&mut devices)?.device;
        let mut poll =
            |after| devices.poll(&code, "app", NOW + after).err().map(|error| error.code);
        assert_eq!(poll(0), Some("authorization_pending"));
        assert_eq!(poll(4), Some("slow_down"));
        assert_eq!(poll(13), Some("slow_down"), "ten seconds by now");
        assert_eq!(poll(27), Some("slow_down"), "fifteen");
        assert_eq!(poll(47), Some("authorization_pending"), "twenty");
        Ok(())
    }

    #[test]
    fn a_decision_is_told_however_soon_the_device_asks() -> io::Result<()> {
        let mut devices = Devices::default();
        let codes = waiting(&mut devices)?;
        assert!(devices.poll(&codes.device, "app", NOW).is_err());
        assert!(devices.decide(&codes.user, Decision::Denied, NOW).is_ok());
        assert!(devices.decide(&codes.user, Decision::Denied, NOW).is_err(), "it is decided");
        let told = devices.poll(&codes.device, "app", NOW).err().map(|error| error.code);
        assert_eq!(told, Some("access_denied"));
        Ok(())
    }
}
