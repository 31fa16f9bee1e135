//! The vault's methods of `org.authbroker.Admin1`.

use authbroker_client::wire::frame::Reply;
use authbroker_client::wire::{SecretText, vault as wire};
use authbroker_core::failure::{Code, Failure};
use authbroker_core::secret::Secret;
use serde_json::json;

use super::router::{Parameters, Router, bad, good, read};
use crate::broker::vault::{
    Broken, Depth, Passphrase, PassphraseState, Rekeyed, Retyped, VaultView,
};

impl Router {
    pub(super) async fn vault_status(&self) -> Reply {
        match self.services.broker.vault_status(&self.caller).await {
            Ok(view) => good(&status(view), false),
            Err(failure) => bad(&failure, None),
        }
    }

    pub(super) async fn unlock(&self, parameters: Parameters<'_>) -> Reply {
        let typed = match read(parameters).and_then(passphrase) {
            Ok(typed) => typed,
            Err(failure) => return bad(&failure, None),
        };
        done(self.services.broker.unlock(&self.caller, typed).await)
    }

    pub(super) async fn lock(&self) -> Reply {
        done(self.services.broker.lock(&self.caller).await)
    }

    pub(super) async fn rekey(&self, parameters: Parameters<'_>) -> Reply {
        let typed = match read(parameters).and_then(retyped) {
            Ok(typed) => typed,
            Err(failure) => return bad(&failure, None),
        };
        match self.services.broker.rekey(&self.caller, typed).await {
            Ok(Rekeyed { records, broken }) => {
                good(&wire::Rekeyed { records, broken: broken_records(broken) }, false)
            }
            Err(failure) => bad(&failure, None),
        }
    }
}

fn done(result: Result<(), Failure>) -> Reply {
    match result {
        Ok(()) => good(&json!({}), false),
        Err(failure) => bad(&failure, None),
    }
}

fn passphrase(wire: wire::Unlock) -> Result<Option<Passphrase>, Failure> {
    match (wire.passphrase.map(secret), wire.first.unwrap_or_default()) {
        (Some(text), true) => Ok(Some(Passphrase::First(text))),
        (Some(text), false) => Ok(Some(Passphrase::Known(text))),
        (None, false) => Ok(None),
        (None, true) => Err(without_passphrase("first")),
    }
}

fn retyped(wire: wire::Rekey) -> Result<Option<Retyped>, Failure> {
    match (wire.passphrase.map(secret), wire.new_passphrase.map(secret)) {
        (Some(known), new) => Ok(Some(Retyped { known, new })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(without_passphrase("new_passphrase")),
    }
}

fn without_passphrase(member: &str) -> Failure {
    let message = format!("{member} means nothing without passphrase");
    Failure::new(Code::InvalidArgs, message, "give the passphrase too")
}

fn secret(text: SecretText) -> Secret {
    Secret::new(text.into())
}

fn status(view: VaultView) -> wire::VaultStatus {
    let VaultView { key, state, reason, passphrase, inspection } = view;
    wire::VaultStatus {
        key,
        state: state.to_owned(),
        reason,
        passphrase: passphrase.map(|state| match state {
            PassphraseState::Chosen => "chosen".to_owned(),
            PassphraseState::NotChosen => "not-chosen".to_owned(),
        }),
        records: inspection.records,
        format: inspection.format,
        older: inspection.older,
        depth: match inspection.depth {
            Depth::Opened => "opened".to_owned(),
            Depth::Headers => "headers".to_owned(),
        },
        broken: broken_records(inspection.broken),
        index: inspection.index,
    }
}

fn broken_records(broken: Vec<Broken>) -> Vec<wire::BrokenRecord> {
    let told = |Broken { name, reason }| wire::BrokenRecord { name, reason };
    broken.into_iter().map(told).collect()
}
