//! `org.authbroker.Admin1`: what only the broker's own user may do, on the admin socket alone.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use authbroker_client::wire::admin1 as wire;
use authbroker_client::wire::frame::Reply;
use authbroker_core::failure::Failure;
use authbroker_core::request::{AccountRef, CodePage, SignInRequest, Way};

use super::broker1::follow;
use super::router::{Parameters, Replies, Router, bad, good, read, send};
use crate::config::{ConfigError, Settings};
use crate::fronts::translate;

/// Reads the configuration again.
pub type Reload = Box<dyn Fn() -> Result<Settings, ConfigError> + Send + Sync>;

/// What the daemon knows of itself, beside the broker.
pub struct DaemonFacts {
    /// Where the user's configuration is, or would be.
    pub config: PathBuf,
    /// Where apps find the socket.
    pub socket: PathBuf,
    /// Whether the name on the session bus is ours.
    pub bus: AtomicBool,
    /// Reads the configuration again.
    pub reload: Reload,
}

impl std::fmt::Debug for DaemonFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DaemonFacts").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Router {
    pub(super) async fn sign_in(&self, parameters: Parameters<'_>, more: bool, replies: Replies) {
        let wire = match read::<wire::SignIn>(parameters) {
            Ok(wire) => wire,
            Err(failure) => return send(&replies, bad(&failure, None)).await,
        };
        let correlation_id = wire.correlation_id.clone();
        let pending = sign_in_request(wire)
            .and_then(|request| self.services.broker.sign_in(&self.caller, &request));
        follow(pending, correlation_id, more, replies).await;
    }

    pub(super) fn status(&self) -> Reply {
        let status = self.services.broker.status();
        let facts = &self.services.facts;
        let provider = |(name, issuer)| wire::Provider { name, issuer };
        good(
            &wire::Status {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                uptime: status.uptime.as_secs(),
                config: facts.config.display().to_string(),
                config_error: status.config_error,
                socket: facts.socket.display().to_string(),
                bus: facts.bus.load(Ordering::Relaxed),
                vault: wire::Vault {
                    key: status.vault_key,
                    state: status.vault_state.to_owned(),
                    reason: status.vault_reason,
                },
                providers: status.providers.into_iter().map(provider).collect(),
                accounts: status.accounts,
                problems: status.problems,
            },
            false,
        )
    }

    pub(super) fn reload(&self) -> Reply {
        let loaded = (self.services.facts.reload)().map_err(|error| error.to_string());
        match self.services.broker.reload(loaded) {
            Ok(()) => good(&serde_json::json!({}), false),
            Err(failure) => bad(&failure, None),
        }
    }
}

fn sign_in_request(wire: wire::SignIn) -> Result<SignInRequest, Failure> {
    Ok(SignInRequest {
        target: AccountRef::new(wire.provider),
        way: if wire.device == Some(true) { Way::Device } else { Way::Configured },
        // The caller opens what it wants opened.
        code_page: CodePage::Told,
        scopes: translate::scopes(&wire.scopes)?,
        resources: translate::resources(&wire.resource)?,
        prompt: wire.prompt,
        acr_values: wire.acr_values,
        max_age: wire.max_age.map(translate::seconds),
        token_type: wire.token_type.as_deref().map(translate::token_type).transpose()?,
        login_hint: wire.login_hint,
        timeout: wire.timeout.map(translate::seconds),
        correlation_id: wire.correlation_id,
    })
}
