//! How we prove to be the client (RFC 6749 §2.3.1): not at all, or with a secret.
//!
//! The secret is read from its place for each request, so that a rotated one needs no restart.

use ::http::header::{AUTHORIZATION, HeaderValue};
use authbroker_core::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openidconnect::{AuthType, ClientSecret, HttpRequest};
use url::form_urlencoded;

use super::Oidc;
use super::error::TokenError;
use super::exchange::TokenClient;
use crate::config::{ClientAuth, SecretPlace, env};
use crate::platform;

impl Oidc {
    /// Gives the client its secret, if it has one.
    pub(super) fn authenticated(&self, client: TokenClient) -> Result<TokenClient, TokenError> {
        let (place, auth_type) = match &self.settings().client_auth {
            ClientAuth::None => return Ok(client.set_auth_type(AuthType::RequestBody)),
            ClientAuth::Basic(place) => (place, AuthType::BasicAuth),
            ClientAuth::Post(place) => (place, AuthType::RequestBody),
        };
        let secret = ClientSecret::new(read(place)?.expose().to_owned());
        Ok(client.set_client_secret(secret).set_auth_type(auth_type))
    }

    /// Writes the Basic header anew. The library writes a blank as `+`, and some providers undo
    /// only percent codes; `%20` is understood by all.
    pub(super) fn with_basic_header(
        &self,
        mut request: HttpRequest,
    ) -> Result<HttpRequest, TokenError> {
        if let Some(header) = self.basic_header()? {
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        Ok(request)
    }

    /// The Basic header, for a client that sends one.
    pub(super) fn basic_header(&self) -> Result<Option<HeaderValue>, TokenError> {
        let ClientAuth::Basic(place) = &self.settings().client_auth else { return Ok(None) };
        let secret = read(place)?;
        let pair = format!("{}:{}", encode(&self.settings().client_id), encode(secret.expose()));
        let text = format!("Basic {}", STANDARD.encode(pair));
        let header =
            HeaderValue::try_from(text).map_err(|_| unusable("it does not fit a header"))?;
        Ok(Some(sensitive(header)))
    }

    /// The secret, for a client that sends it in the body.
    pub(super) fn posted_secret(&self) -> Result<Option<Secret>, TokenError> {
        match &self.settings().client_auth {
            ClientAuth::Post(place) => read(place).map(Some),
            ClientAuth::None | ClientAuth::Basic(_) => Ok(None),
        }
    }
}

fn sensitive(mut header: HeaderValue) -> HeaderValue {
    header.set_sensitive(true);
    header
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn read(place: &SecretPlace) -> Result<Secret, TokenError> {
    let text = match place {
        SecretPlace::File(path) => platform::read_private_file(path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())),
        SecretPlace::Credential(path) => {
            std::fs::read_to_string(path).map_err(|error| error.to_string())
        }
        SecretPlace::Variable(name) => env::text(name).ok_or(format!("{name} is not set")),
    };
    let text = text.map_err(|why| unusable(&why))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn unusable(why: &str) -> TokenError {
    TokenError::NoSecret(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_characters_are_encoded_so_that_every_provider_undoes_them() {
        assert_eq!(encode("a:%+ é"), "a%3A%25%2B%20%C3%A9");
    }
}
