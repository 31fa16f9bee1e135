//! A code for tokens (RFC 6749 §4.1.3), and who it is that signed in.

use authbroker_core::account::{Account, Grant, Person};
use authbroker_core::failure::Failure;
use authbroker_core::ids::AccountId;
use authbroker_core::lifecycle::Arrival;
use authbroker_core::secret::Secret;
use authbroker_core::sign_in::SignIn;
use authbroker_core::token::SlotKey;
use openidconnect::core::{CoreClient, CoreJsonWebKeySet};
use openidconnect::{
    AuthorizationCode, ClientId, EndpointNotSet, EndpointSet, HttpRequest, IssuerUrl,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, TokenUrl,
};

use super::answer::{self, Answer, Asked};
use super::authorize::Authorization;
use super::error::TokenError;
use super::id_token::Occasion;
use super::{Metadata, Oidc};
use crate::platform::clock;

/// A client that can ask the token endpoint, and nothing else.
pub(super) type TokenClient =
    CoreClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

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
        code: &Secret,
    ) -> Result<SignedIn, Failure> {
        let answer = self.exchange_code(metadata, authorization, sign_in, code).await;
        let answer = answer.map_err(|error| error.to_failure())?;
        let Some(id_token) = &answer.id_token else {
            return Err(TokenError::Unusable("it has no ID token".into()).to_failure());
        };
        let occasion = Occasion::SignIn { nonce: sign_in.nonce() };
        let checked =
            self.check_id_token(metadata, id_token, &answer.access.value, &occasion).await;
        let told = checked.map_err(|error| error.to_failure())?;
        let mut person = told.person;
        if person == Person::default() {
            let known = self.person(metadata, &answer.access, &told.subject).await;
            person = known.unwrap_or_default();
        }
        let settings = self.settings();
        let account = Account {
            id: AccountId::derive(
                &settings.name,
                &settings.issuer,
                &settings.client_id,
                &told.subject,
            ),
            provider: settings.name.clone(),
            issuer: settings.issuer.clone(),
            client_id: settings.client_id.clone(),
            subject: told.subject,
            person,
            auth_time: told.auth_time,
        };
        let grant = Grant {
            refresh_token: answer.refresh_token,
            scopes: answer.access.scopes.clone(),
            id_token: Some(told.text),
        };
        let key = SlotKey { resources: answer.access.resources.clone(), ..SlotKey::default() };
        Ok(SignedIn { account, arrival: Arrival { grant, key, access: answer.access } })
    }

    async fn exchange_code(
        &self,
        metadata: &Metadata,
        authorization: &Authorization,
        sign_in: &SignIn,
        code: &Secret,
    ) -> Result<Answer, TokenError> {
        let unusable = |error: &str| TokenError::Unusable(error.to_owned());
        let redirect = RedirectUrl::new(authorization.redirect_uri.clone())
            .map_err(|_| unusable("redirect"))?;
        let client = self.token_client(metadata)?.set_redirect_uri(redirect);
        let resources = self.settings().default_resources();
        let asked = Asked {
            at: clock::now().boot,
            scopes: authorization.scopes.clone(),
            resources: resources.clone(),
        };
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(sign_in.verifier().expose().to_owned()));
        for (name, value) in self.targets(&resources) {
            request = request.add_extra_param(name, value.to_owned());
        }
        let send = |request: HttpRequest| self.send_token_request(request);
        let response = request.request_async(&send).await.map_err(token_error)?;
        answer::read(&response, asked)
    }

    pub(super) fn token_client(&self, metadata: &Metadata) -> Result<TokenClient, TokenError> {
        let settings = self.settings();
        let issuer = IssuerUrl::new(settings.issuer.to_string());
        let issuer = issuer.map_err(|_| TokenError::Unusable("issuer".into()))?;
        let client_id = ClientId::new(settings.client_id.clone());
        let client = CoreClient::new(client_id, issuer, CoreJsonWebKeySet::default())
            .set_token_uri(TokenUrl::from_url(metadata.token.clone()));
        self.authenticated(client)
    }

    pub(super) fn send_token_request(
        &self,
        request: HttpRequest,
    ) -> impl Future<Output = Result<openidconnect::HttpResponse, Carried>> + Send + 'static {
        let (http, request) = (self.http.clone(), self.with_basic_header(request));
        async move { answer::send(&http, request.map_err(Carried)?).await.map_err(Carried) }
    }
}

/// Carries our own error through the library's.
#[derive(Debug, thiserror::Error)]
#[error("the token request failed")]
pub(super) struct Carried(TokenError);

/// Takes our own error out again. The library's parse errors hold the whole answer, tokens
/// included: only the place of the fault is told.
pub(super) fn token_error<E: openidconnect::ErrorResponse + 'static>(
    error: RequestTokenError<Carried, E>,
) -> TokenError {
    match error {
        RequestTokenError::Request(Carried(error)) => error,
        RequestTokenError::Parse(error, _) => {
            let place = error.path().to_string();
            TokenError::Unusable(format!("its member {place} is missing or malformed"))
        }
        _ => TokenError::Unusable("it does not follow RFC 6749".into()),
    }
}
