//! The grants: what a client comes to the token endpoint with.

use super::Options;

/// A grant, as the `grant_type` of a token request names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantType {
    /// A code (RFC 6749 §4.1).
    AuthorizationCode,
    /// A refresh token (RFC 6749 §6).
    RefreshToken,
    /// Nothing but the client itself (RFC 6749 §4.4).
    ClientCredentials,
    /// A device's code (RFC 8628 §3.4).
    DeviceCode,
    /// Another token (RFC 8693 §2.1).
    TokenExchange,
}

impl GrantType {
    /// Every grant.
    pub const ALL: [Self; 5] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::TokenExchange,
    ];

    /// The value of the parameter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    /// The grant of this name, if it is served.
    pub(crate) fn served(name: &str, options: &Options) -> Option<Self> {
        options.grant_types().find(|grant| grant.name() == name)
    }

    fn is_on(self, options: &Options) -> bool {
        match self {
            Self::AuthorizationCode | Self::RefreshToken | Self::ClientCredentials => true,
            Self::DeviceCode => options.device.is_on(),
            Self::TokenExchange => options.token_exchange.is_on(),
        }
    }
}

impl Options {
    /// Every grant that is served.
    pub(crate) fn grant_types(&self) -> impl Iterator<Item = GrantType> {
        GrantType::ALL.into_iter().filter(|grant| grant.is_on(self))
    }
}
