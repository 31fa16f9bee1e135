//! A code for tokens (RFC 6749 §4.1.3), and who it is that signed in.

use authbroker_core::account::{Account, Grant, Person};
use authbroker_core::authentication::Authentication;
use authbroker_core::failure::Failure;
use authbroker_core::ids::AccountId;
use authbroker_core::lifecycle::Arrival;
use authbroker_core::scope::ScopeSet;
use authbroker_core::secret::Secret;
use authbroker_core::sign_in::SignIn;
use authbroker_core::time::UnixTime;
use authbroker_core::token::{AccessToken, SlotKey};

use super::answer::{self, Answer, Asked};
use super::authorize::Authorization;
use super::dpop::DpopKey;
use super::error::TokenError;
use super::id_token::Occasion;
use super::request::Form;
use super::{Metadata, Oidc};
use crate::platform::clock;

/// Who signed in, and with what.
#[derive(Debug)]
pub struct SignedIn {
    /// The account.
    pub account: Account,
    /// What its session is given.
    pub arrival: Arrival,
}

impl Oidc {
    /// Exchanges a code, once. Whatever is unclear about the answer ends the sign-in, and nothing
    /// of it is kept.
    pub async fn exchange(
        &self,
        metadata: &Metadata,
        authorization: &Authorization,
        sign_in: &SignIn,
        redirect_uri: &str,
        code: &Secret,
    ) -> Result<SignedIn, Failure> {
        let answer = self.exchange_code(metadata, authorization, sign_in, redirect_uri, code).await;
        let answer = answer.map_err(|error| error.to_failure())?;
        let occasion = Occasion::SignIn {
            nonce: Some(sign_in.nonce()),
            acr_values: &authorization.acr_values,
            max_age: authorization.max_age,
        };
        self.signed_in(metadata, authorization, answer, &occasion).await
    }

    /// Who signed in, if the answer is to be believed.
    pub(super) async fn signed_in(
        &self,
        metadata: &Metadata,
        authorization: &Authorization,
        answer: Answer,
        occasion: &Occasion<'_>,
    ) -> Result<SignedIn, Failure> {
        let Answer { mut access, refresh_token, id_token } = answer;
        let Some(id_token) = &id_token else {
            return Err(TokenError::Disbelieved("it has no ID token".into()).to_failure());
        };
        let checked =
            self.check_id_token(metadata, id_token, access.value.as_secret(), occasion).await;
        let told = checked.map_err(|error| error.to_failure())?;
        access.authentication = told.authentication.clone();
        let mut person = told.person;
        if person == Person::default() {
            person = self.person(metadata, &access, &told.subject).await.unwrap_or_default();
        }
        let account = self.account(told.subject, person, told.auth_time);
        let grant = Grant {
            refresh_token,
            scopes: granted(authorization, &access),
            id_token: Some(told.text),
            authentication: told.authentication,
            dpop_key: authorization.dpop_key.clone(),
        };
        let keep_until = authorization.keep_until(&access, clock::now());
        let key = SlotKey { resources: access.resources.clone(), ..SlotKey::default() };
        Ok(SignedIn { account, arrival: Arrival { grant, key, access, keep_until } })
    }

    /// The account of `subject` at this provider.
    pub fn account(&self, subject: String, person: Person, auth_time: UnixTime) -> Account {
        let settings = self.settings();
        Account {
            id: AccountId::derive(&settings.name, &settings.issuer, &settings.client_id, &subject),
            provider: settings.name.clone(),
            issuer: settings.issuer.clone(),
            client_id: settings.client_id.clone(),
            subject,
            person,
            auth_time,
        }
    }

    async fn exchange_code(
        &self,
        metadata: &Metadata,
        authorization: &Authorization,
        sign_in: &SignIn,
        redirect_uri: &str,
        code: &Secret,
    ) -> Result<Answer, TokenError> {
        let form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", sign_in.verifier().expose()),
        ];
        self.redeem(metadata, authorization, form).await
    }

    /// Asks for the tokens of a sign-in with whatever stands for the person's word.
    pub(super) async fn redeem<'a>(
        &'a self,
        metadata: &Metadata,
        authorization: &'a Authorization,
        mut form: Form<'a>,
    ) -> Result<Answer, TokenError> {
        form.extend(self.targets(&authorization.first));
        let key = bound_key(authorization.dpop_key.as_ref())?;
        let asked = Asked {
            at: clock::now().boot,
            scopes: authorization.scopes.clone(),
            resources: authorization.first.clone(),
            bound_to: authorization.dpop_key.clone(),
            authentication: Authentication::default(),
        };
        let response = self.post(&metadata.token, &form, key.as_ref()).await?;
        answer::read(&response, asked)
    }
}

/// The key to sign with, read from what the vault keeps.
pub(super) fn bound_key(text: Option<&Secret>) -> Result<Option<DpopKey>, TokenError> {
    text.map(DpopKey::read).transpose().map_err(TokenError::Unsent)
}

/// What was granted in all. An answer for one API tells of that API's scopes only; then all that
/// was asked for counts as granted, until the provider says otherwise.
fn granted(authorization: &Authorization, access: &AccessToken) -> ScopeSet {
    if access.resources.is_empty() {
        access.scopes.clone()
    } else {
        authorization.scopes.union(&access.scopes)
    }
}
