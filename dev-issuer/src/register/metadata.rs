//! What a client says of itself (RFC 7591 §2), judged: only native apps may come unasked, and
//! answers to them stay on the person's own machine.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::OAuthError;
use crate::options::{Client, ClientAuth, ClientKeys, GrantType, Options, TokenBinding};
use crate::redirect_uri;

/// A request to be registered. What else it says is ignored, as §2 wants.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    client_name: Option<String>,
    application_type: Option<String>,
    token_endpoint_auth_method: Option<String>,
    jwks: Option<Value>,
    jwks_uri: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    #[serde(default)]
    dpop_bound_access_tokens: bool,
}

impl Metadata {
    /// The client that this is, under its new id.
    pub(super) fn client(self, id: &str, options: &Options) -> Result<Client, OAuthError> {
        self.is_native()?;
        let auth = self.auth()?;
        let grants = self.grants(&auth, options)?;
        self.redirects(&grants)?;
        let required = self.dpop_bound_access_tokens && options.dpop.is_served();
        Ok(Client {
            id: id.to_owned(),
            name: self.client_name.unwrap_or_else(|| "An application without a name".to_owned()),
            auth,
            grants,
            binding: if required { TokenBinding::Required } else { TokenBinding::AsProven },
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
        })
    }

    /// Left out, it would mean `web` (OpenID Connect Dynamic Client Registration §2).
    fn is_native(&self) -> Result<(), OAuthError> {
        match self.application_type.as_deref() {
            Some("native") => Ok(()),
            _ => Err(wrong("application_type must be native")),
        }
    }

    /// Left out, it would mean `client_secret_basic`: a native app keeps no secret that it was sent.
    fn auth(&self) -> Result<ClientAuth, OAuthError> {
        if self.jwks_uri.is_some() {
            return Err(wrong("keys are taken by value, as jwks"));
        }
        match (self.token_endpoint_auth_method.as_deref(), &self.jwks) {
            (Some("none"), _) => Ok(ClientAuth::None),
            (Some("private_key_jwt"), Some(jwks)) => {
                let keys = ClientKeys::parse(jwks).map_err(|error| wrong(error.to_string()))?;
                Ok(ClientAuth::PrivateKeyJwt(keys))
            }
            (Some("private_key_jwt"), None) => Err(wrong("private_key_jwt needs jwks")),
            _ => Err(wrong("token_endpoint_auth_method must be none or private_key_jwt")),
        }
    }

    fn grants(
        &self,
        auth: &ClientAuth,
        options: &Options,
    ) -> Result<BTreeSet<GrantType>, OAuthError> {
        let Some(names) = &self.grant_types else {
            return Ok(BTreeSet::from([GrantType::AuthorizationCode]));
        };
        let known: Option<BTreeSet<_>> =
            names.iter().map(|name| GrantType::served(name, options)).collect();
        let grants = known.ok_or_else(|| wrong("a grant type is not served here"))?;
        match auth {
            ClientAuth::None if grants.contains(&GrantType::ClientCredentials) => {
                Err(wrong("a public client cannot act for itself"))
            }
            _ => Ok(grants),
        }
    }

    fn redirects(&self, grants: &BTreeSet<GrantType>) -> Result<(), OAuthError> {
        if self.response_types.as_ref().is_some_and(|types| types.iter().any(|one| one != "code")) {
            return Err(wrong("only the response type code is served"));
        }
        if grants.contains(&GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            return Err(wrong_redirect("a client that gets codes needs a redirect URI"));
        }
        let mut all = self.redirect_uris.iter().chain(&self.post_logout_redirect_uris);
        match all.find(|uri| !redirect_uri::is_loopback(uri)) {
            Some(_) => Err(wrong_redirect("only http on loopback is taken, without a fragment")),
            None => Ok(()),
        }
    }
}

/// What is told of a registered client: everything that was taken, defaults included (§3.2.1).
pub(super) fn document(client: &Client, options: &Options) -> Value {
    let grants: Vec<_> = client.grants.iter().map(|grant| grant.name()).collect();
    let responses: &[&str] =
        if client.grants.contains(&GrantType::AuthorizationCode) { &["code"] } else { &[] };
    let mut document = json!({
        "client_id": client.id,
        "client_name": client.name,
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "grant_types": grants,
        "response_types": responses,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
    });
    if let ClientAuth::PrivateKeyJwt(keys) = &client.auth {
        document["token_endpoint_auth_method"] = json!("private_key_jwt");
        document["jwks"] = keys.document();
    }
    if options.dpop.is_served() {
        let required = client.binding == TokenBinding::Required;
        document["dpop_bound_access_tokens"] = json!(required);
    }
    document
}

fn wrong(why: impl Into<String>) -> OAuthError {
    OAuthError::new("invalid_client_metadata", why)
}

fn wrong_redirect(why: &'static str) -> OAuthError {
    OAuthError::new("invalid_redirect_uri", why)
}
