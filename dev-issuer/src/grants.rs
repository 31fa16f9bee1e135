//! Grants, and the codes and tokens that hang on them.
//!
//! A grant is what a person allowed a client at one sign-in, or what a client may do by itself. Codes, refresh tokens and access
//! tokens only point at it, so removing the grant ends them all: that is how a reused code, a
//! reused refresh token and a revocation work.

use std::collections::{HashMap, HashSet};
use std::io;

use crate::browser::Authentication;
use crate::clock::UnixSeconds;
use crate::error::OAuthError;
use crate::jose::Thumbprint;
use crate::scope::ScopeSet;
use crate::secret;

/// Names a grant inside this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GrantId(u64);

/// What was allowed, in whose name, to whom.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) subject: Subject,
    pub(crate) scopes: ScopeSet,
    pub(crate) resources: Vec<String>,
    pub(crate) nonce: Option<String>,
}

impl Grant {
    /// The `sub` of its tokens. A client that acts for itself is its own subject (RFC 9068 §2.2).
    pub(crate) fn subject_id(&self) -> &str {
        match &self.subject {
            Subject::Person(person) => person.account.subject,
            Subject::Client => &self.client_id,
        }
    }
}

/// In whose name the client acts.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// Somebody's who signed in.
    Person(Authentication),
    /// Its own.
    Client,
}

/// What a code may be redeemed with.
#[derive(Clone, Debug)]
pub(crate) struct CodeTerms {
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    /// The key that must be proven.
    pub(crate) dpop_jkt: Option<Thumbprint>,
    pub(crate) expires_at: UnixSeconds,
}

#[derive(Debug)]
struct Code {
    grant: GrantId,
    terms: CodeTerms,
    use_: Use,
}

#[derive(Debug)]
struct RefreshToken {
    grant: GrantId,
    /// The key that must be proven.
    key: Option<Thumbprint>,
    expires_at: UnixSeconds,
    use_: Use,
}

/// What a refresh token that may be spent stands for.
#[derive(Debug)]
pub(crate) struct Refreshable {
    pub(crate) id: GrantId,
    pub(crate) grant: Grant,
    /// The key that must be proven.
    pub(crate) key: Option<Thumbprint>,
}

/// Whether a code or a refresh token has been used.
#[derive(Clone, Copy, Debug)]
enum Use {
    Fresh,
    Spent { at: UnixSeconds },
}

#[derive(Debug)]
struct AccessToken {
    grant: GrantId,
    expires_at: UnixSeconds,
}

/// All grants and everything that points at one. What has expired is swept out on each issue.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    made: u64,
    by_id: HashMap<GrantId, Grant>,
    codes: HashMap<String, Code>,
    refresh_tokens: HashMap<String, RefreshToken>,
    access_tokens: HashMap<String, AccessToken>,
}

impl Grants {
    /// Remembers a grant. It stays as long as something points at it.
    pub(crate) fn open(&mut self, grant: Grant) -> GrantId {
        self.made += 1;
        let id = GrantId(self.made);
        self.by_id.insert(id, grant);
        id
    }

    /// Remembers a grant and gives the code for it.
    pub(crate) fn issue_code(&mut self, grant: Grant, terms: CodeTerms) -> io::Result<String> {
        let code = secret::fresh()?;
        let id = self.open(grant);
        self.codes.insert(code.clone(), Code { grant: id, terms, use_: Use::Fresh });
        Ok(code)
    }

    /// Spends a code. The caller compares the terms; a code whose terms are not met stays spent.
    /// A second use ends the grant, and with it the tokens of the first (RFC 6749 §4.1.2).
    pub(crate) fn redeem_code(
        &mut self,
        code: &str,
        client_id: &str,
        now: UnixSeconds,
    ) -> Result<(GrantId, Grant, CodeTerms), OAuthError> {
        let unknown = || OAuthError::invalid_grant("this code is unknown or has ended");
        let known = self.codes.get_mut(code).ok_or_else(unknown)?;
        let grant = self.by_id.get(&known.grant).ok_or_else(unknown)?.clone();
        if grant.client_id != client_id {
            return Err(OAuthError::invalid_grant("this code is for another client"));
        }
        if let Use::Spent { .. } = known.use_ {
            let id = known.grant;
            self.end(id);
            return Err(OAuthError::invalid_grant("this code was used before: its tokens ended"));
        }
        known.use_ = Use::Spent { at: now };
        if known.terms.expires_at <= now {
            return Err(OAuthError::invalid_grant("this code has expired"));
        }
        Ok((known.grant, grant, known.terms.clone()))
    }

    /// Finds what a refresh token stands for. Reuse is found here as well as at
    /// [`Grants::spend_refresh`], so that a stolen token is noticed whatever it is used to ask for.
    pub(crate) fn look_up_refresh(
        &mut self,
        token: &str,
        client_id: &str,
        grace: u64,
        now: UnixSeconds,
    ) -> Result<Refreshable, OAuthError> {
        let unknown = || OAuthError::invalid_grant("this refresh token is unknown or has ended");
        let known = self.refresh_tokens.get(token).ok_or_else(unknown)?;
        let grant = self.by_id.get(&known.grant).ok_or_else(unknown)?.clone();
        if grant.client_id != client_id {
            return Err(OAuthError::invalid_grant("this refresh token is for another client"));
        }
        if known.expires_at <= now {
            return Err(OAuthError::invalid_grant("this refresh token has expired"));
        }
        let found = Refreshable { id: known.grant, grant, key: known.key.clone() };
        self.refuse_reuse(token, grace, now)?;
        Ok(found)
    }

    /// Spends a refresh token. Of two requests that come at once with the same one, the second
    /// finds it spent here.
    pub(crate) fn spend_refresh(
        &mut self,
        token: &str,
        grace: u64,
        now: UnixSeconds,
    ) -> Result<(), OAuthError> {
        self.refuse_reuse(token, grace, now)?;
        if let Some(known) = self.refresh_tokens.get_mut(token)
            && let Use::Fresh = known.use_
        {
            known.use_ = Use::Spent { at: now };
        }
        Ok(())
    }

    /// A token that was rotated away ends the grant, unless its first use was less than `grace`
    /// seconds ago (RFC 9700 §4.14).
    fn refuse_reuse(
        &mut self,
        token: &str,
        grace: u64,
        now: UnixSeconds,
    ) -> Result<(), OAuthError> {
        match self.refresh_tokens.get(token) {
            // `now` may be a moment older than a use that came in between.
            Some(RefreshToken { grant, use_: Use::Spent { at }, .. })
                if now.saturating_sub(*at) >= grace =>
            {
                let grant = *grant;
                self.end(grant);
                Err(OAuthError::invalid_grant("this refresh token was used before: all ended"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn issue_refresh(
        &mut self,
        grant: GrantId,
        key: Option<Thumbprint>,
        expires_at: UnixSeconds,
    ) -> io::Result<String> {
        let token = secret::fresh()?;
        let issued = RefreshToken { grant, key, expires_at, use_: Use::Fresh };
        self.refresh_tokens.insert(token.clone(), issued);
        Ok(token)
    }

    /// Remembers an access token by its `jti`, so that it can be revoked.
    pub(crate) fn note_access(&mut self, jti: String, grant: GrantId, expires_at: UnixSeconds) {
        self.access_tokens.insert(jti, AccessToken { grant, expires_at });
    }

    /// The grant behind a live access token.
    pub(crate) fn behind_access(&self, jti: &str, now: UnixSeconds) -> Option<(GrantId, &Grant)> {
        let token = self.access_tokens.get(jti).filter(|token| now < token.expires_at)?;
        Some((token.grant, self.by_id.get(&token.grant)?))
    }

    /// The grant behind a refresh token, whether spent or not.
    pub(crate) fn behind_refresh(&self, token: &str) -> Option<(GrantId, &Grant)> {
        let id = self.refresh_tokens.get(token)?.grant;
        Some((id, self.by_id.get(&id)?))
    }

    /// Ends one access token.
    pub(crate) fn end_access(&mut self, jti: &str) {
        self.access_tokens.remove(jti);
    }

    /// Ends a grant: nothing that points at it is good any more.
    pub(crate) fn end(&mut self, grant: GrantId) {
        self.by_id.remove(&grant);
    }

    /// Ends every grant of a client.
    pub(crate) fn end_all_of(&mut self, client_id: &str) {
        self.by_id.retain(|_, grant| grant.client_id != client_id);
    }

    /// Forgets what has expired and, where nothing points at it any more, its grant.
    pub(crate) fn sweep(&mut self, now: UnixSeconds) {
        self.access_tokens.retain(|_, token| now < token.expires_at);
        self.refresh_tokens.retain(|_, token| now < token.expires_at);
        let tokens = self.refresh_tokens.values().map(|token| token.grant);
        let mut in_use: HashSet<GrantId> =
            tokens.chain(self.access_tokens.values().map(|token| token.grant)).collect();
        // A spent code is kept as long as its tokens, so that a second use still ends them.
        self.codes.retain(|_, code| now < code.terms.expires_at || in_use.contains(&code.grant));
        in_use.extend(self.codes.values().map(|code| code.grant));
        self.by_id.retain(|id, _| in_use.contains(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = 1_000;

    /// A grant with a redeemed code and one refresh token, which lives 60 seconds.
    fn granted(grants: &mut Grants) -> io::Result<(String, String)> {
        let grant = Grant {
            client_id: "app".to_owned(),
            subject: Subject::Client,
            scopes: ScopeSet::default(),
            resources: Vec::new(),
            nonce: None,
        };
        let (redirect_uri, challenge) = (String::new(), String::new());
        let terms = CodeTerms { redirect_uri, challenge, dpop_jkt: None, expires_at: NOW + 10 };
        let code = grants.issue_code(grant, terms)?;
        let redeemed = grants.redeem_code(&code, "app", NOW).map_err(io_error)?;
        let token = grants.issue_refresh(redeemed.0, None, NOW + 60)?;
        Ok((code, token))
    }

    fn io_error(error: OAuthError) -> io::Error {
        io::Error::other(error.description)
    }

    #[test]
    fn of_two_requests_that_both_found_the_token_fresh_one_spends_it() -> io::Result<()> {
        let mut grants = Grants::default();
        let (_, token) = granted(&mut grants)?;
        assert!(grants.look_up_refresh(&token, "app", 0, NOW).is_ok());
        assert!(grants.look_up_refresh(&token, "app", 0, NOW).is_ok());
        assert!(grants.spend_refresh(&token, 0, NOW).is_ok());
        assert!(grants.spend_refresh(&token, 0, NOW).is_err());
        assert!(grants.behind_refresh(&token).is_none(), "the reuse ended the grant");
        Ok(())
    }

    #[test]
    fn a_spent_code_is_remembered_as_long_as_its_tokens() -> io::Result<()> {
        let mut grants = Grants::default();
        let (code, token) = granted(&mut grants)?;
        grants.sweep(NOW + 59);
        assert!(grants.redeem_code(&code, "app", NOW + 59).is_err());
        assert!(grants.behind_refresh(&token).is_none(), "the reuse ended the grant");
        Ok(())
    }

    #[test]
    fn what_has_expired_is_swept_out() -> io::Result<()> {
        let mut grants = Grants::default();
        granted(&mut grants)?;
        grants.sweep(NOW + 60);
        assert!(grants.by_id.is_empty() && grants.codes.is_empty());
        assert!(grants.refresh_tokens.is_empty());
        Ok(())
    }
}
