//! The `WWW-Authenticate` headers: what a refused caller should do, and no more.
//!
//! [RFC 6750 §3] and [RFC 9449 §7.1] give the words. A caller without credentials gets no error
//! code (§3.1) but every scheme that would do; one with a bad token learns that it is bad, not why;
//! one who lacks something learns what. The scheme that was used comes first.
//!
//! [RFC 6750 §3]: https://www.rfc-editor.org/rfc/rfc6750#section-3
//! [RFC 9449 §7.1]: https://www.rfc-editor.org/rfc/rfc9449#section-7.1

use axum::http::HeaderValue;
use url::Url;

use crate::algorithm::SigningAlg;
use crate::auth::Scheme;
use crate::claims::Audience;
use crate::dpop::ProofRules;
use crate::error::Refusal;

/// What the challenges of one API have in common.
#[derive(Debug)]
pub(crate) struct Challenges {
    realm: Audience,
    /// Where a client learns the rest (RFC 9728 §5.1).
    metadata: Option<Url>,
    /// The accepted algorithms of proofs, for the challenge of DPoP.
    algs: String,
    schemes: Vec<Scheme>,
}

impl Challenges {
    pub(crate) fn new(realm: Audience, metadata: Option<Url>, proofs: &ProofRules) -> Self {
        let mut schemes = vec![Scheme::Bearer, Scheme::Dpop];
        schemes.retain(|scheme| *scheme == Scheme::Dpop || !proofs.required);
        Self { realm, metadata, algs: SigningAlg::names(&proofs.algs), schemes }
    }

    /// The challenges that answer a refusal of a request that used one scheme or none.
    pub(crate) fn of(&self, refusal: &Refusal, used: Option<Scheme>) -> Vec<HeaderValue> {
        // A scheme that is not taken at all is not worth another try: it is as good as none.
        let used = used.filter(|scheme| self.schemes.contains(scheme));
        let others = self.schemes.iter().filter(|scheme| Some(**scheme) != used);
        let others = others.filter(|_| refusal.may_be_cured_by_another_scheme());
        let own = used.map(|scheme| self.one(scheme, Some(refusal)));
        let refused = if used.is_none() { Some(refusal) } else { None };
        own.into_iter().chain(others.map(|scheme| self.one(*scheme, refused))).collect()
    }

    fn one(&self, scheme: Scheme, refusal: Option<&Refusal>) -> HeaderValue {
        let mut parameters = vec![("realm", self.realm.to_string())];
        parameters.extend(self.metadata.iter().map(|url| ("resource_metadata", url.to_string())));
        parameters.extend(refusal.map(Refusal::parameters).unwrap_or_default());
        if scheme == Scheme::Dpop {
            parameters.push(("algs", self.algs.clone()));
        }
        let quoted = parameters.iter().map(|(name, value)| format!("{name}=\"{value}\""));
        let challenge = format!("{} {}", scheme.name(), quoted.collect::<Vec<_>>().join(", "));
        // The types of the values hold nothing that a header or a quoted string cannot.
        HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static("Bearer realm=\"api\""))
    }
}
