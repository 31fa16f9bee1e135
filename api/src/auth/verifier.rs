//! Checks tokens for one API: the rules, the issuers' keys, the proofs and the clock.

use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::request::Parts;
use metrics::{Counter, counter};

use super::{Authenticated, Credentials, Scheme};
use crate::challenge::Challenges;
use crate::claims::{Claims, RawClaims};
use crate::clock::{Clock, SystemClock};
use crate::dpop::{Dpop, MemoryStore, ProofRules, ProofStore};
use crate::error::{Refusal, Rejection};
use crate::introspection::{BELIEVED, Introspection, Introspector};
use crate::issuer::Issuer;
use crate::jwks::{Jwks, NoClient, Pace};
use crate::metadata::{self, ResourceMetadata};
use crate::observe::VERDICTS;
use crate::origin::Addressing;
use crate::verdicts::{self, Fingerprint, Ground, Verdict, Verdicts};
use crate::verify::{
    Invalid, Rules, Unverified, Verified, check_form, decode, is_jws, vouched_for,
};

/// All that a [`Verifier`] is made of. [`Setup::new`] has what most APIs want.
#[non_exhaustive]
pub struct Setup {
    /// What a token must be to be good.
    pub rules: Rules,
    /// What a proof must be to be good, and whether callers may do without.
    pub proofs: ProofRules,
    /// How clients address this API.
    pub addressing: Addressing,
    /// Remembers the proofs that were used; several instances of one API share it.
    pub store: Arc<dyn ProofStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How often the issuers may be asked for their keys.
    pub pace: Pace,
    /// The issuer that is asked about tokens, if one is.
    pub introspection: Option<Introspection>,
    /// How many good tokens are remembered.
    pub remembered: usize,
}

impl Setup {
    /// Strict rules, proofs remembered in this process, the machine's clock.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            proofs: ProofRules::default(),
            addressing: Addressing::default(),
            store: Arc::new(MemoryStore::default()),
            clock: Arc::new(SystemClock::start()),
            pace: Pace::default(),
            introspection: None,
            remembered: verdicts::DEFAULT_CAPACITY,
        }
    }
}

/// Checks tokens for one API.
pub struct Verifier {
    rules: Rules,
    /// One of each issuer of the rules.
    jwks: Vec<Jwks>,
    introspector: Option<Introspector>,
    verdicts: Verdicts,
    dpop: Dpop,
    clock: Arc<dyn Clock>,
    challenges: Arc<Challenges>,
    metadata: ResourceMetadata,
    figures: Figures,
}

impl Verifier {
    /// A verifier with the usual [`Setup`]. It asks an issuer when the first token comes, or at
    /// [`Verifier::warm_up`].
    pub fn new(rules: Rules) -> Result<Self, NoClient> {
        Self::set_up(Setup::new(rules))
    }

    /// A verifier made to order. Its figures go to the recorder of the `metrics` crate that is
    /// installed by then.
    pub fn set_up(setup: Setup) -> Result<Self, NoClient> {
        // Without a choice jsonwebtoken panics as soon as any crate enables its other back end. An
        // error means that the program has chosen already.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let Setup { rules, proofs, addressing, store, clock, pace, introspection, remembered } =
            setup;
        let jwks = |issuer: &Issuer| Jwks::new(issuer.clone(), Arc::clone(&clock), pace);
        let jwks = rules.issuers.iter().map(jwks).collect::<Result<_, _>>()?;
        let introspector = introspection.map(Introspector::new).transpose()?;
        let verdicts = Verdicts::new(remembered);
        let metadata = ResourceMetadata::new(&rules, &proofs);
        let address = metadata::address(&rules.audience, addressing.public_url.as_ref());
        let challenges = Arc::new(Challenges::new(rules.audience.clone(), address, &proofs));
        let dpop = Dpop::new(proofs, addressing, store);
        let figures = Figures::find();
        Ok(Self { rules, jwks, introspector, verdicts, dpop, clock, challenges, metadata, figures })
    }

    /// Fetches the issuers' keys now, and keeps them fresh in the background from now on. Must be
    /// called within a tokio runtime.
    pub fn warm_up(&self) {
        self.jwks.iter().for_each(Jwks::keep_fresh);
    }

    /// Whether tokens of each issuer can be judged now, without asking anybody.
    pub fn readiness(&self) -> Vec<(&Issuer, bool)> {
        self.jwks.iter().map(|jwks| (jwks.issuer(), jwks.is_ready())).collect()
    }

    /// Whether [`super::RequireToken`] has nonces to send ahead.
    pub fn demands_nonces(&self) -> bool {
        self.dpop.demands_nonces()
    }

    /// What clients may know about this API, to be served at [`Verifier::metadata_path`].
    pub fn metadata(&self) -> ResourceMetadata {
        self.metadata.clone()
    }

    /// The path at which clients look for the metadata.
    pub fn metadata_path(&self) -> String {
        metadata::path_of(&self.rules.audience)
    }

    /// Finds out who is calling; and, where callers must use nonces, the next one to send ahead.
    pub(super) async fn authenticate(
        self: Arc<Self>,
        request: &Parts,
    ) -> Result<(Authenticated, Option<HeaderValue>), Rejection> {
        let (scheme, token) = match Credentials::of(request) {
            Ok(Credentials { scheme, token }) => (scheme, token),
            Err(refusal) => return Err(self.reject(refusal, None)),
        };
        match self.check(request, scheme, token).await {
            Ok((claims, ahead)) => Ok((Authenticated { claims, scheme, verifier: self }, ahead)),
            Err(refusal) => Err(self.reject(refusal, Some(scheme))),
        }
    }

    async fn check(
        &self,
        request: &Parts,
        scheme: Scheme,
        token: &str,
    ) -> Result<(Arc<Claims>, Option<HeaderValue>), Refusal> {
        let verified = self.verify(token).await?;
        match scheme {
            Scheme::Bearer if self.dpop.is_required() => Err(Invalid::Unbound.into()),
            Scheme::Bearer => Ok((verified.borne()?, None)),
            Scheme::Dpop => {
                let (claims, key) = verified.bound()?;
                let ahead = self.dpop.check(request, token, key, self.now()).await?;
                Ok((claims, ahead))
            }
        }
    }

    /// Checks a token: by its signature, by its issuer's word, or by both. Who holds it is another
    /// question, which [`Verified::borne`] answers for a caller that merely shows it.
    pub async fn verify(&self, token: &str) -> Result<Verified, Refusal> {
        let Some(introspector) = &self.introspector else {
            return self.by_signature(token).await;
        };
        // Questions are boxed: a request carries its future from layer to layer, and few ask.
        if !is_jws(token) {
            return Box::pin(self.by_word(introspector, token)).await;
        }
        let verified = self.by_signature(token).await?;
        if introspector.confirms(verified.issuer()) {
            Box::pin(self.confirmed(introspector, token, verified)).await
        } else {
            Ok(verified)
        }
    }

    /// Checks a token with the keys of the issuer that it names.
    async fn by_signature(&self, token: &str) -> Result<Verified, Refusal> {
        let fingerprint = Fingerprint::of(token);
        if let Some(verified) = self.remembered(fingerprint).await? {
            return Ok(verified);
        }
        let parts = decode(token)?;
        let unverified = Unverified::parse(&parts, &self.rules)?;
        let jwks = self.jwks_of(unverified.issuer(&self.rules)?)?;
        let mut keys = jwks.current().await?;
        if !unverified.is_for_one_of(&keys) {
            keys = jwks.newest().await?;
        }
        let verified = unverified.verify(&self.rules, &keys, self.now())?;
        Ok(self.remember(fingerprint, verified, Ground::Keys(keys)))
    }

    /// Checks a token that says nothing itself.
    async fn by_word(&self, issuer: &Introspector, token: &str) -> Result<Verified, Refusal> {
        check_form(token)?;
        let fingerprint = Fingerprint::of(token);
        if let Some(verified) = self.remembered(fingerprint).await? {
            return Ok(verified);
        }
        let judge =
            |said: RawClaims<'_>| vouched_for(said, issuer.issuer(), &self.rules, self.now());
        let verified = issuer.ask(token, judge).await?;
        Ok(self.remember(fingerprint, verified, self.word()))
    }

    /// Has the issuer confirm a token that is good by itself.
    async fn confirmed(
        &self,
        issuer: &Introspector,
        token: &str,
        verified: Verified,
    ) -> Result<Verified, Refusal> {
        let fingerprint = Fingerprint::of_confirmed(token);
        if self.remembered(fingerprint).await?.is_none() {
            issuer.ask(token, |_| Ok(())).await?;
            self.remember(fingerprint, verified.clone(), self.word());
        }
        Ok(verified)
    }

    /// The verdict on a token that was judged before, while it counts.
    async fn remembered(&self, token: Fingerprint) -> Result<Option<Verified>, Refusal> {
        let Some(Verdict { verified, ground }) = self.verdicts.get(token) else { return Ok(None) };
        let counts = match ground {
            Ground::Keys(keys) => {
                Arc::ptr_eq(&keys, &self.jwks_of(keys.issuer())?.current().await?)
            }
            Ground::Word(until) => self.clock.monotonic() < until,
        };
        let counts = counts && !verified.has_expired(self.now());
        if counts {
            self.figures.memory.increment(1);
        }
        Ok(counts.then_some(verified))
    }

    fn remember(&self, token: Fingerprint, verified: Verified, ground: Ground) -> Verified {
        self.figures.of(&ground).increment(1);
        self.verdicts.remember(token, Verdict { verified: verified.clone(), ground });
        verified
    }

    fn word(&self) -> Ground {
        Ground::Word(self.clock.monotonic() + BELIEVED)
    }

    fn jwks_of(&self, issuer: &Issuer) -> Result<&Jwks, Invalid> {
        self.jwks.iter().find(|jwks| jwks.issuer() == issuer).ok_or(Invalid::Issuer)
    }

    /// The clock that tokens are judged by.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Seconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.clock.unix_seconds()
    }

    pub(super) fn reject(&self, refusal: Refusal, used: Option<Scheme>) -> Rejection {
        Rejection::new(refusal, used, Arc::clone(&self.challenges))
    }
}

/// What showed that tokens were good. One of them is counted with every request, so none is looked
/// up each time.
struct Figures {
    signature: Counter,
    issuer: Counter,
    memory: Counter,
}

impl Figures {
    /// Those of the recorder that is installed now.
    fn find() -> Self {
        let by = |what: &'static str| counter!(VERDICTS, "by" => what);
        Self { signature: by("signature"), issuer: by("issuer"), memory: by("memory") }
    }

    fn of(&self, ground: &Ground) -> &Counter {
        match ground {
            Ground::Keys(_) => &self.signature,
            Ground::Word(_) => &self.issuer,
        }
    }
}
