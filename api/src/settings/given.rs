//! The settings as they are given: by flags, by the environment, by a file. Each can be given in all
//! three ways, under the same name; a flag wins over the environment, and that over the file.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use private_api::algorithm::SigningAlg;
use private_api::claims::{Acr, Audience, Scope};
use private_api::issuer::Issuer;
use serde::{Deserialize, Deserializer};
use url::Url;

/// What one of the three says. The texts are those of `--help`.
#[derive(Args, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Given {
    /// The issuers whose tokens are accepted, each exactly as its metadata writes it
    #[arg(long, alias = "issuers", env = "AUTHBROKER_API_ISSUER")]
    #[arg(value_name = "URL", value_delimiter = ',')]
    #[serde(alias = "issuers", deserialize_with = "list")]
    pub(super) issuer: Option<Vec<Issuer>>,

    /// The identifier of this API, which tokens must carry in `aud`
    #[arg(long, env = "AUTHBROKER_API_AUDIENCE")]
    #[serde(deserialize_with = "word")]
    pub(super) audience: Option<Audience>,

    /// Where to listen; port 0 takes any free one [default: 127.0.0.1:3000]
    #[arg(long, env = "AUTHBROKER_API_LISTEN", value_name = "ADDRESS:PORT")]
    pub(super) listen: Option<SocketAddr>,

    /// The certificate chain (PEM) to serve TLS with
    #[arg(long, env = "AUTHBROKER_API_TLS_CERT", value_name = "FILE")]
    pub(super) tls_cert: Option<PathBuf>,

    /// The private key (PEM) of that certificate
    #[arg(long, env = "AUTHBROKER_API_TLS_KEY", value_name = "FILE")]
    pub(super) tls_key: Option<PathBuf>,

    /// The accepted signature algorithms [default: RS256,PS256,ES256,EdDSA]
    #[arg(long, env = "AUTHBROKER_API_ALG", value_delimiter = ',')]
    #[serde(deserialize_with = "list")]
    pub(super) alg: Option<Vec<SigningAlg>>,

    /// Also accepts tokens of type JWT, for issuers that do not mark their access tokens
    #[arg(long, env = "AUTHBROKER_API_ACCEPT_TYP_JWT")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(super) accept_typ_jwt: Option<bool>,

    /// Also accepts tokens without client_id and jti, for issuers that do not send them
    #[arg(long, env = "AUTHBROKER_API_ACCEPT_MISSING_CLAIMS")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(super) accept_missing_claims: Option<bool>,

    /// The scope that a token needs to read the private messages
    #[arg(long, env = "AUTHBROKER_API_REQUIRE_SCOPE", value_name = "SCOPE")]
    #[serde(deserialize_with = "word")]
    pub(super) require_scope: Option<Scope>,

    /// The authentication context classes of which a token needs one to read /private/recent
    #[arg(long, env = "AUTHBROKER_API_RECENT_ACR", value_name = "ACR", value_delimiter = ',')]
    #[serde(deserialize_with = "list")]
    pub(super) recent_acr: Option<Vec<Acr>>,

    /// Refuses tokens that are not bound to a key (RFC 9449)
    #[arg(long, env = "AUTHBROKER_API_REQUIRE_DPOP")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(super) require_dpop: Option<bool>,

    /// Demands a nonce in every DPoP proof, so that none can be made in advance
    #[arg(long, env = "AUTHBROKER_API_DPOP_NONCES")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(super) dpop_nonces: Option<bool>,

    /// The Redis or Valkey server in which the instances of this API share their used proofs
    #[cfg(feature = "redis")]
    #[arg(long, env = "AUTHBROKER_API_PROOF_STORE", value_name = "URL", hide_env_values = true)]
    pub(super) proof_store: Option<String>,

    /// The file that holds the password of that server
    #[cfg(feature = "redis")]
    #[arg(long, env = "AUTHBROKER_API_PROOF_STORE_PASSWORD_FILE", value_name = "FILE")]
    pub(super) proof_store_password_file: Option<PathBuf>,

    /// Where clients reach this API, if a proxy stands before it
    #[arg(long, env = "AUTHBROKER_API_PUBLIC_URL", value_name = "URL")]
    pub(super) public_url: Option<Url>,

    /// The proxies whose X-Forwarded-Proto and X-Forwarded-Host are believed
    #[arg(long, env = "AUTHBROKER_API_TRUST_PROXY", value_name = "NETWORK", value_delimiter = ',')]
    #[serde(deserialize_with = "list")]
    pub(super) trust_proxy: Option<Vec<Network>>,

    /// Asks the issuer about opaque tokens, or about all (RFC 7662)
    #[arg(long, env = "AUTHBROKER_API_INTROSPECT", value_enum)]
    pub(super) introspect: Option<Introspect>,

    /// The issuer that is asked [default: the first]
    #[arg(long, env = "AUTHBROKER_API_INTROSPECTION_ISSUER", value_name = "URL")]
    #[serde(deserialize_with = "word")]
    pub(super) introspection_issuer: Option<Issuer>,

    /// Where it is asked, if its metadata does not say
    #[arg(long, env = "AUTHBROKER_API_INTROSPECTION_ENDPOINT", value_name = "URL")]
    pub(super) introspection_endpoint: Option<Url>,

    /// This API's own client at that issuer
    #[arg(long, env = "AUTHBROKER_API_INTROSPECTION_CLIENT_ID", value_name = "ID")]
    pub(super) introspection_client_id: Option<String>,

    /// The file that holds that client's secret
    #[arg(long, env = "AUTHBROKER_API_INTROSPECTION_SECRET_FILE", value_name = "FILE")]
    pub(super) introspection_secret_file: Option<PathBuf>,

    /// How many good tokens are remembered, so that they need no second check [default: 10000]
    #[arg(long, env = "AUTHBROKER_API_REMEMBER", value_name = "COUNT")]
    pub(super) remember: Option<usize>,

    /// What to log on stderr, as directives like `info` or `private_api=debug` [default: info]
    #[arg(long, env = "AUTHBROKER_API_LOG", value_name = "FILTER")]
    pub(super) log: Option<String>,

    /// How to log it: for people, or one JSON object a line [default: text]
    #[arg(long, env = "AUTHBROKER_API_LOG_FORMAT", value_enum)]
    pub(super) log_format: Option<LogFormat>,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// The tokens that the issuer is asked about.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Introspect {
    /// Those that are no JWTs
    Opaque,
    /// JWTs too, so that the issuer can take them back
    All,
}

/// A network, or one address alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network(pub(super) IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let alone = || text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse().or_else(|_| alone());
        network.map(Self).map_err(|_| "not an IP address or network".to_owned())
    }
}

impl Given {
    /// What is given here, and for the rest what is given there.
    pub(super) fn or(self, there: Self) -> Self {
        Self {
            issuer: self.issuer.or(there.issuer),
            audience: self.audience.or(there.audience),
            listen: self.listen.or(there.listen),
            tls_cert: self.tls_cert.or(there.tls_cert),
            tls_key: self.tls_key.or(there.tls_key),
            alg: self.alg.or(there.alg),
            accept_typ_jwt: self.accept_typ_jwt.or(there.accept_typ_jwt),
            accept_missing_claims: self.accept_missing_claims.or(there.accept_missing_claims),
            require_scope: self.require_scope.or(there.require_scope),
            recent_acr: self.recent_acr.or(there.recent_acr),
            require_dpop: self.require_dpop.or(there.require_dpop),
            dpop_nonces: self.dpop_nonces.or(there.dpop_nonces),
            #[cfg(feature = "redis")]
            proof_store: self.proof_store.or(there.proof_store),
            #[cfg(feature = "redis")]
            proof_store_password_file: self
                .proof_store_password_file
                .or(there.proof_store_password_file),
            public_url: self.public_url.or(there.public_url),
            trust_proxy: self.trust_proxy.or(there.trust_proxy),
            introspect: self.introspect.or(there.introspect),
            introspection_issuer: self.introspection_issuer.or(there.introspection_issuer),
            introspection_endpoint: self.introspection_endpoint.or(there.introspection_endpoint),
            introspection_client_id: self.introspection_client_id.or(there.introspection_client_id),
            introspection_secret_file: self
                .introspection_secret_file
                .or(there.introspection_secret_file),
            remember: self.remember.or(there.remember),
            log: self.log.or(there.log),
            log_format: self.log_format.or(there.log_format),
        }
    }
}

/// Reads a text as the type that a flag of this name has.
fn word<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// The same for a list of texts.
fn list<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    T: FromStr<Err: Display>,
{
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parsed: Result<_, _> = texts.iter().map(|text| text.parse()).collect();
    parsed.map(Some).map_err(serde::de::Error::custom)
}
