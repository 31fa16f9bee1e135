//! What the machine has to offer.

use super::Finding;
use crate::platform;
use crate::services::vault;

/// Whether the kernel lets a caller be held fast.
pub(super) fn kernel() -> Finding {
    holding(platform::holds_callers_fast())
}

fn holding(fast: bool) -> Finding {
    let about = "kernel";
    if fast {
        return Finding::good(about, "it says which process a caller is (SO_PEERPIDFD)");
    }
    let text = "it has no SO_PEERPIDFD: callers are told apart by number and start time only";
    Finding::note(about, text, "Linux 6.5 or newer knows it")
}

/// The session bus, and the keyring on it where the vault's key is there.
pub(super) async fn bus_and_keyring(keyring: bool) -> Vec<Finding> {
    if let Err(why) = platform::session_bus().await {
        return vec![no_bus(&why, keyring)];
    }
    let mut findings = vec![Finding::good("session bus", "it answers")];
    if keyring {
        findings.push(look_at_keyring().await);
    }
    findings
}

fn no_bus(why: &str, keyring: bool) -> Finding {
    let about = "session bus";
    let text = format!("there is none: {why}");
    if keyring {
        let text = format!("{text}; and the vault's key is in a keyring on it");
        let cure = "log in at a desktop, or set [vault] key = \"passphrase\" in the configuration";
        return Finding::problem(about, text, cure);
    }
    let cure = "apps reach the broker on its socket; for a bus: apt install dbus-user-session";
    Finding::note(about, text, cure)
}

async fn look_at_keyring() -> Finding {
    match vault::look_at_keyring().await {
        Ok(()) => Finding::good("keyring", "it is open"),
        Err(error) => {
            let failure = error.to_failure();
            Finding::problem("keyring", failure.message, failure.hint)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::Grade;

    #[test]
    fn an_old_kernel_is_worth_a_word_and_no_reason_to_fail() {
        assert_eq!(holding(true).grade, Grade::Good);
        let old = holding(false);
        assert_eq!(old.grade, Grade::Note);
        assert!(old.cure.contains("6.5"));
    }

    #[test]
    fn no_bus_matters_to_whoever_has_the_key_there() {
        assert_eq!(no_bus("gone", true).grade, Grade::Problem);
        assert_eq!(no_bus("gone", false).grade, Grade::Note);
    }
}
