//! The providers of the configuration in force, ready to be spoken to.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use authbroker_core::failure::{Code, Failure};
use authbroker_core::ids::ProviderName;

use crate::config::{ProviderSettings, Settings};
use crate::services::oidc::Oidc;

/// A handle to the providers; a reload swaps what is behind it.
#[derive(Debug, Clone, Default)]
pub struct Providers(Arc<RwLock<BTreeMap<ProviderName, Arc<Oidc>>>>);

impl Providers {
    /// Takes up the providers of `settings`. One that is configured as before keeps its metadata
    /// and connections.
    pub fn take_up(&self, settings: &Settings) {
        let old = self.read().clone();
        let providers = settings.providers.iter();
        let providers =
            providers.map(|(name, new)| (name.clone(), keep_or_make(old.get(name), new)));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = providers.collect();
    }

    /// One provider.
    pub fn get(&self, name: &ProviderName) -> Result<Arc<Oidc>, Failure> {
        self.read().get(name).cloned().ok_or_else(|| {
            let message = format!("the configuration has no provider {name} any more");
            Failure::new(Code::ConfigInvalid, message, "brokerctl config check")
        })
    }

    /// Every provider, by name.
    pub fn all(&self) -> Vec<Arc<Oidc>> {
        self.read().values().cloned().collect()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<ProviderName, Arc<Oidc>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep_or_make(old: Option<&Arc<Oidc>>, settings: &ProviderSettings) -> Arc<Oidc> {
    match old {
        Some(old) if old.settings() == settings => Arc::clone(old),
        _ => Arc::new(Oidc::new(settings.clone())),
    }
}
