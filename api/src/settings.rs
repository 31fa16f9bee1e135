//! The settings: flags first, then the environment, then the defaults.
//!
//! Each is parsed once, here, into the type that the rest of the program uses; a wrong one ends the
//! program before it listens, with exit code 2 and the name of the flag.

use std::net::{IpAddr, SocketAddr};

use clap::Parser;
use clap::builder::BoolishValueParser;
use ipnet::IpNet;
use private_api::algorithm::SigningAlg;
use private_api::auth::Setup;
use private_api::claims::{Acr, Audience, Scope};
use private_api::issuer::Issuer;
use private_api::verify::Rules;
use tracing_subscriber::EnvFilter;
use url::Url;

/// A model OAuth 2 resource server: anybody can read /public, only holders of a good access token
/// can read /private.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Settings {
    /// The issuers whose tokens are accepted, each exactly as its metadata writes it
    #[arg(long = "issuer", env = "AUTHBROKER_API_ISSUER", value_name = "URL")]
    #[arg(value_delimiter = ',', required = true)]
    issuers: Vec<Issuer>,

    /// The identifier of this API, which tokens must carry in `aud`
    #[arg(long, env = "AUTHBROKER_API_AUDIENCE")]
    audience: Audience,

    /// Where to listen; port 0 takes any free one
    #[arg(long, env = "AUTHBROKER_API_LISTEN", value_name = "ADDRESS:PORT")]
    #[arg(default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,

    /// The accepted signature algorithms
    #[arg(long = "alg", env = "AUTHBROKER_API_ALG", value_name = "ALG", value_delimiter = ',')]
    #[arg(default_values_t = SigningAlg::DEFAULT)]
    algs: Vec<SigningAlg>,

    /// Also accepts tokens of type JWT, for issuers that do not mark their access tokens
    #[arg(long, env = "AUTHBROKER_API_ACCEPT_TYP_JWT", value_parser = BoolishValueParser::new())]
    accept_typ_jwt: bool,

    /// Also accepts tokens without client_id and jti, for issuers that do not send them
    #[arg(long, env = "AUTHBROKER_API_ACCEPT_MISSING_CLAIMS")]
    #[arg(value_parser = BoolishValueParser::new())]
    accept_missing_claims: bool,

    /// The scope that a token needs to read /private
    #[arg(long, env = "AUTHBROKER_API_REQUIRE_SCOPE", value_name = "SCOPE")]
    pub(crate) require_scope: Option<Scope>,

    /// The authentication context classes of which a token needs one to read /private/recent
    #[arg(long, env = "AUTHBROKER_API_RECENT_ACR", value_name = "ACR", value_delimiter = ',')]
    pub(crate) recent_acr: Vec<Acr>,

    #[command(flatten)]
    proofs: ProofSettings,

    /// What to log on stderr, as directives like `info` or `private_api=debug`
    #[arg(long, env = "AUTHBROKER_API_LOG", value_name = "FILTER", default_value = "info")]
    pub(crate) log: EnvFilter,
}

/// What concerns tokens that are bound to a key.
#[derive(Debug, clap::Args)]
struct ProofSettings {
    /// Refuses tokens that are not bound to a key (RFC 9449)
    #[arg(long, env = "AUTHBROKER_API_REQUIRE_DPOP", value_parser = BoolishValueParser::new())]
    require_dpop: bool,

    /// Demands a nonce in every DPoP proof, so that none can be made in advance
    #[arg(long, env = "AUTHBROKER_API_DPOP_NONCES", value_parser = BoolishValueParser::new())]
    dpop_nonces: bool,

    /// Where clients reach this API, if a proxy stands before it
    #[arg(long, env = "AUTHBROKER_API_PUBLIC_URL", value_name = "URL")]
    public_url: Option<Url>,

    /// The proxies whose X-Forwarded-Proto and X-Forwarded-Host are believed
    #[arg(long = "trust-proxy", env = "AUTHBROKER_API_TRUST_PROXY", value_name = "NETWORK")]
    #[arg(value_delimiter = ',', value_parser = network)]
    trusted_proxies: Vec<IpNet>,
}

impl Settings {
    /// How tokens and proofs are checked.
    pub(crate) fn setup(&self) -> Setup {
        let mut setup = Setup::new(self.rules());
        setup.proofs.required = self.proofs.require_dpop;
        setup.proofs.nonces = self.proofs.dpop_nonces;
        setup.addressing.public_url.clone_from(&self.proofs.public_url);
        setup.addressing.trusted_proxies.clone_from(&self.proofs.trusted_proxies);
        setup
    }

    /// What a token must be to be accepted.
    fn rules(&self) -> Rules {
        let mut rules = Rules::several(self.issuers.clone(), self.audience.clone());
        rules.algs.clone_from(&self.algs);
        rules.accept_typ_jwt = self.accept_typ_jwt;
        rules.accept_missing_claims = self.accept_missing_claims;
        rules
    }
}

/// A network, or one address alone.
fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| "not an IP address or network".to_owned())
}
