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
    pub fn take_up(&self, settings: &Settings) -> Result<(), Failure> {
        let old = self.read().clone();
        let mut providers = BTreeMap::new();
        for (name, settings) in &settings.providers {
            providers.insert(name.clone(), keep_or_make(old.get(name), settings)?);
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = providers;
        Ok(())
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

fn keep_or_make(
    old: Option<&Arc<Oidc>>,
    settings: &ProviderSettings,
) -> Result<Arc<Oidc>, Failure> {
    match old {
        Some(old) if old.settings() == settings => Ok(Arc::clone(old)),
        _ => Oidc::new(settings.clone()).map(Arc::new),
    }
}
