//! What this API says of itself, so that a client that was refused can find out by itself where to
//! get a token ([RFC 9728]).
//!
//! The document's address follows from the API's identifier, if that is a URL, and every challenge
//! carries it. An identifier of another form has no such address; then the public URL stands in.
//!
//! [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728

use serde::Serialize;
use url::Url;

use crate::algorithm::SigningAlg;
use crate::claims::{Audience, Scope};
use crate::dpop::ProofRules;
use crate::verify::Rules;

/// Where the document is; the path of the API's identifier follows it ([RFC 9728 §3.1]).
///
/// [RFC 9728 §3.1]: https://www.rfc-editor.org/rfc/rfc9728#section-3.1
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The protected resource metadata ([RFC 9728 §2]).
///
/// [RFC 9728 §2]: https://www.rfc-editor.org/rfc/rfc9728#section-2
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ResourceMetadata {
    /// The identifier of this API, letter for letter as tokens carry it in `aud`.
    pub resource: String,
    /// The issuers whose tokens are accepted.
    pub authorization_servers: Vec<String>,
    /// The scopes that a client may need.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// Where a bearer token may stand: in the header, and nowhere else.
    pub bearer_methods_supported: Vec<&'static str>,
    /// The algorithms that a DPoP proof may be signed with.
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// Whether tokens must be bound to a key.
    pub dpop_bound_access_tokens_required: bool,
}

impl ResourceMetadata {
    pub(crate) fn new(rules: &Rules, proofs: &ProofRules) -> Self {
        Self {
            resource: rules.audience.to_string(),
            authorization_servers: rules.issuers.iter().map(ToString::to_string).collect(),
            scopes_supported: Vec::new(),
            bearer_methods_supported: vec!["header"],
            dpop_signing_alg_values_supported: proofs
                .algs
                .iter()
                .map(SigningAlg::to_string)
                .collect(),
            dpop_bound_access_tokens_required: proofs.required,
        }
    }

    /// The same with scopes that a client may need.
    #[must_use]
    pub fn with_scopes<'a>(mut self, scopes: impl IntoIterator<Item = &'a Scope>) -> Self {
        self.scopes_supported.extend(scopes.into_iter().map(ToString::to_string));
        self
    }
}

/// The document's address, if the identifier or the public URL gives one.
pub(crate) fn address(audience: &Audience, public_url: Option<&Url>) -> Option<Url> {
    let identifier = Url::parse(audience.as_str()).ok();
    let identifier = identifier.filter(|url| matches!(url.scheme(), "https" | "http"));
    let mut url = identifier.or_else(|| public_url.cloned())?;
    url.set_path(&document_path(url.path()));
    url.set_fragment(None);
    Some(url)
}

/// Inserts the well-known part before the path of an identifier.
fn document_path(path: &str) -> String {
    format!("{WELL_KNOWN}{}", path.trim_end_matches('/'))
}

/// The path of the document's address, for the router.
pub(crate) fn path_of(audience: &Audience) -> String {
    address(audience, None).map_or_else(|| WELL_KNOWN.to_owned(), |url| url.path().to_owned())
}
