//! Which account and which provider a caller's word means.

use std::sync::Arc;

use authbroker_core::account::Account;
use authbroker_core::caller::Caller;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::ids::AccountId;
use authbroker_core::request::{AccountRef, SignInRequest};

use super::Broker;
use crate::services::oidc::Oidc;
use crate::sign_ins::{Opener, Wish};

impl Broker {
    /// The one account that a caller's word means, among those it knows of. An app that was given
    /// nothing yet knows of none: it may still ask for the one that it can only mean, and hears
    /// whether it may have that.
    pub(super) fn resolve(
        &self,
        caller: &Caller,
        reference: &AccountRef,
    ) -> Result<Arc<Account>, Failure> {
        let settings = self.settings();
        let word = reference.named().or(settings.default_account.as_deref());
        let sessions = &self.0.sessions;
        let Some(word) = word else {
            let found = self.only(sessions.accounts(|account| self.sees(caller, account)), None);
            return found.or_else(|failure| hidden(failure, || sessions.accounts(|_| true)));
        };
        // First the one that a careful app names: it is found without a look at the others.
        let by_id = AccountId::parse(word).ok().and_then(|id| sessions.account(&id));
        if let Some(account) = by_id.as_ref().filter(|account| self.sees(caller, account)) {
            return Ok(Arc::clone(account));
        }
        let means =
            |account: &Account| account.provider.as_str() == word || account.username() == word;
        let seen = |account: &Account| means(account) && self.sees(caller, account);
        let found = self.only(sessions.accounts(seen), Some(word));
        found.or_else(|failure| {
            hidden(failure, || match by_id {
                Some(account) => vec![account],
                None => sessions.accounts(means),
            })
        })
    }

    fn only(
        &self,
        mut found: Vec<Arc<Account>>,
        word: Option<&str>,
    ) -> Result<Arc<Account>, Failure> {
        match (found.len(), word) {
            (1, _) => Ok(found.remove(0)),
            (0, None) => {
                Err(Failure::new(Code::NoSuchAccount, "nobody is signed in", self.login_hint(None)))
            }
            (0, Some(word)) => {
                let message = format!("nobody is signed in as or at {word:?}");
                Err(Failure::new(Code::NoSuchAccount, message, self.login_hint(Some(word))))
            }
            _ => {
                let mut ids: Vec<_> = found.iter().map(|account| account.id.as_str()).collect();
                ids.sort_unstable();
                let message = format!("several accounts match: {}", ids.join(", "));
                Err(Failure::new(
                    Code::AmbiguousAccount,
                    message,
                    "name one of them; brokerctl accounts lists them",
                ))
            }
        }
    }

    fn login_hint(&self, word: Option<&str>) -> String {
        let providers = self.0.providers.all();
        let named = |provider: &&Arc<Oidc>| {
            word.is_none_or(|word| provider.settings().name.as_str() == word)
        };
        match providers.iter().filter(named).collect::<Vec<_>>().as_slice() {
            _ if providers.is_empty() => "add a [provider.NAME] to the configuration; brokerctl config check tells where it is".to_owned(),
            [provider] => format!("brokerctl login {}", provider.settings().name),
            _ => "brokerctl login PROVIDER".to_owned(),
        }
    }

    /// The account whose sign-in is to be made stronger or newer: that is asked of the person who
    /// is signed in, and not of anybody (RFC 9470 §4).
    fn stepping_up(&self, caller: &Caller, request: &SignInRequest) -> Option<AccountId> {
        if request.acr_values.is_empty() && request.max_age.is_none() {
            return None;
        }
        self.resolve(caller, &request.target).ok().map(|account| account.id.clone())
    }

    /// A caller's request for a sign-in, understood.
    pub(super) fn wish(
        &self,
        caller: &Caller,
        request: &SignInRequest,
        opener: Opener,
    ) -> Result<Wish, Failure> {
        let target = self.admit(caller).and_then(|()| self.target(caller, request));
        let target =
            target.inspect_err(|failure| self.record_unserved(caller, request, failure))?;
        let (provider, expected) = target;
        let (request, caller) = (request.clone(), caller.clone());
        Ok(Wish { provider, request, expected, opener, caller })
    }

    /// The provider and the account that a sign-in is about.
    fn target(
        &self,
        caller: &Caller,
        request: &SignInRequest,
    ) -> Result<(Arc<Oidc>, Option<AccountId>), Failure> {
        let settings = self.settings();
        let word = request.target.named().or(settings.default_account.as_deref());
        let providers = self.0.providers.all();
        let by_name =
            providers.iter().find(|provider| Some(provider.settings().name.as_str()) == word);
        match (by_name, word, providers.as_slice()) {
            (Some(provider), ..) | (None, None, [provider]) => {
                Ok((Arc::clone(provider), self.stepping_up(caller, request)))
            }
            (None, Some(_), _) => {
                let account = self.resolve(caller, &request.target)?;
                Ok((self.0.providers.get(&account.provider)?, Some(account.id.clone())))
            }
            (None, None, []) => {
                let hint = self.login_hint(None);
                Err(Failure::new(Code::ConfigInvalid, "no provider is configured", hint))
            }
            (None, None, _) => {
                let message = "several providers are configured";
                let hint = "brokerctl login PROVIDER";
                Err(Failure::new(Code::AmbiguousAccount, message, hint))
            }
        }
    }
}

/// The account that is meant although its caller does not know of it, if there is but one.
fn hidden(
    failure: Failure,
    all: impl FnOnce() -> Vec<Arc<Account>>,
) -> Result<Arc<Account>, Failure> {
    if failure.code != Code::NoSuchAccount {
        return Err(failure);
    }
    match <[Arc<Account>; 1]>::try_from(all()) {
        Ok([account]) => Ok(account),
        Err(_) => Err(failure),
    }
}
