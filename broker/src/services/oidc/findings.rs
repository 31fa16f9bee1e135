//! What was seen at a provider, put in words: what works, what is worth knowing, and what stands in
//! the way of a sign-in, each with what helps.

use super::Oidc;
use super::metadata::{Dpop, Pushed, TokenExchange};
use super::survey::{Announced, Keys, Seen};
use crate::config::{ClientAuth, Flow, Use};

/// How far clocks may differ before it is worth a word, in seconds. The date of an answer is cut to
/// whole seconds, and the answer takes its time.
const NOTICEABLE: u64 = 5;
/// How far they may differ before tokens are refused, in seconds: the tolerance of `id_token`.
const TOO_FAR: u64 = 60;

/// One thing that there is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it means.
    pub grade: Grade,
    /// What it is about, in a word or two.
    pub about: &'static str,
    /// What was found.
    pub text: String,
    /// What helps; empty where nothing has to.
    pub cure: String,
}

/// What a finding means for the provider as it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// It works.
    Good,
    /// It works, and somebody may want to know.
    Note,
    /// It does not work until somebody acts.
    Problem,
}

impl Finding {
    /// Something that works.
    pub(crate) fn good(about: &'static str, text: impl Into<String>) -> Self {
        Self { grade: Grade::Good, about, text: text.into(), cure: String::new() }
    }

    /// Something that works, and is worth a word.
    pub(crate) fn note(
        about: &'static str,
        text: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { grade: Grade::Note, about, text: text.into(), cure: cure.into() }
    }

    /// Something that does not work.
    pub(crate) fn problem(
        about: &'static str,
        text: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { grade: Grade::Problem, about, text: text.into(), cure: cure.into() }
    }
}

impl Oidc {
    /// Everything that there is to say.
    pub(super) fn findings(&self, seen: &Seen<'_>) -> Vec<Finding> {
        let mut findings = vec![endpoints(seen), keys(seen)];
        findings.extend(seen.keys.as_ref().ok().and_then(|keys| keys.clock).map(clock));
        findings.extend([
            pkce(&seen.announced),
            self.flow(seen),
            self.client(&seen.announced),
            refresh_tokens(seen),
        ]);
        findings.extend(scopes(seen));
        findings.extend([self.pushed(seen), dpop(seen), exchange(seen), sign_out(seen)]);
        findings
    }

    /// Whether a sign-in goes the configured way.
    fn flow(&self, seen: &Seen<'_>) -> Finding {
        let about = "sign-in";
        let device = seen.metadata.device.is_some();
        let grants = seen.announced.grants.as_deref();
        match seen.settings.flow {
            Flow::Device if !device => {
                let failure = self.no_device();
                Finding::problem(about, failure.message, failure.hint)
            }
            Flow::Device => Finding::good(about, "with a code on another device"),
            Flow::ClientCredentials if lacks(grants, "client_credentials") => Finding::problem(
                about,
                "the provider gives no tokens to clients without a person",
                "have client_credentials allowed at the provider, or remove flow",
            ),
            Flow::ClientCredentials => Finding::good(about, "none: the client speaks for itself"),
            Flow::Browser if device => {
                Finding::good(about, "in the browser; login --device works as well")
            }
            Flow::Browser => Finding::good(about, "in the browser; not on other devices"),
        }
    }

    /// Whether the client can prove itself, and in a way that is known there.
    fn client(&self, announced: &Announced) -> Finding {
        let about = "client";
        if let Err(error) = self.client_proof() {
            let failure = error.to_failure();
            return Finding::problem(about, failure.message, failure.hint);
        }
        let method = method(&self.settings().client_auth);
        if method != "none" && lacks(announced.auth_methods.as_deref(), method) {
            return Finding::problem(
                about,
                format!("the provider does not know {method}"),
                "use another method in client_auth",
            );
        }
        Finding::good(about, if method == "none" { "public, without a secret" } else { method })
    }

    fn pushed(&self, seen: &Seen<'_>) -> Finding {
        let about = "pushed requests";
        match (self.pushed_to(seen.metadata), &seen.metadata.pushed) {
            (Err(failure), _) => Finding::problem(about, failure.message, failure.hint),
            (Ok(Some(_)), _) => Finding::good(about, "used"),
            (Ok(None), Pushed::NotOffered) => Finding::good(about, "not offered"),
            (Ok(None), _) => Finding::good(about, "offered; par = \"always\" uses them"),
        }
    }
}

fn endpoints(seen: &Seen<'_>) -> Finding {
    let hosts = [&seen.metadata.authorization, &seen.metadata.token];
    let mut hosts: Vec<_> = hosts.iter().filter_map(|url| url.host_str()).collect();
    hosts.dedup();
    Finding::good("metadata", format!("sound; sign-ins and tokens at {}", hosts.join(" and ")))
}

fn keys(seen: &Seen<'_>) -> Finding {
    match &seen.keys {
        Err(failure) => Finding::problem("keys", &failure.message, &failure.hint),
        Ok(Keys { usable: 0, .. }) => Finding::problem(
            "keys",
            "there is no key that ID tokens could be checked with",
            "ask the provider for keys of the kinds RSA, EC or Ed25519",
        ),
        Ok(Keys { usable: 1, .. }) => Finding::good("keys", "1 that ID tokens can be checked with"),
        Ok(Keys { usable, .. }) => {
            Finding::good("keys", format!("{usable} that ID tokens can be checked with"))
        }
    }
}

/// What it means that the provider's clock is so many seconds ahead.
fn clock(ahead: i64) -> Finding {
    let seconds = ahead.unsigned_abs();
    let direction = if ahead > 0 { "behind" } else { "ahead of" };
    let text = format!("this machine is {seconds} seconds {direction} the provider");
    match seconds {
        0..NOTICEABLE => Finding::good("clock", "the same as the provider's"),
        NOTICEABLE..=TOO_FAR => Finding::note("clock", text, ""),
        _ => Finding::problem(
            "clock",
            format!("{text}: its tokens will not be believed"),
            "set this machine's clock: timedatectl set-ntp true",
        ),
    }
}

fn pkce(announced: &Announced) -> Finding {
    // A list without S256 has been refused before.
    match announced.challenge_methods {
        Some(_) => Finding::good("PKCE", "S256"),
        None => Finding::note("PKCE", "not announced; S256 is used in any case", ""),
    }
}

fn refresh_tokens(seen: &Seen<'_>) -> Finding {
    let about = "refresh tokens";
    let asked = seen.settings.scopes.contains("offline_access");
    let named = seen.announced.scopes.as_ref().is_some_and(|names| has(names, "offline_access"));
    if seen.settings.flow == Flow::ClientCredentials {
        return Finding::good(about, "not needed");
    }
    if lacks(seen.announced.grants.as_deref(), "refresh_token") {
        let text = "not announced: people will have to sign in whenever a token runs out";
        return Finding::note(about, text, "have refresh_token allowed at the provider");
    }
    match (asked, named) {
        (false, true) => Finding::note(
            about,
            "not asked for: people will have to sign in whenever a token runs out",
            "add offline_access to scopes",
        ),
        (true, true) => Finding::good(about, "asked for with offline_access"),
        (_, false) => Finding::note(
            about,
            "the provider does not name offline_access; whether it gives any shows at the first sign-in",
            "see its documentation, if people have to sign in often",
        ),
    }
}

/// Configured scopes that the provider does not name. It may know them all the same.
fn scopes(seen: &Seen<'_>) -> Option<Finding> {
    let names = seen.announced.scopes.as_ref()?;
    let unknown = seen.settings.scopes.to_words();
    let unknown = unknown.into_iter().filter(|word| !has(names, word) && word != "offline_access");
    let unknown: Vec<_> = unknown.collect();
    let text = format!("the provider does not name {}", unknown.join(", "));
    let cure = "check scopes, if a sign-in fails with invalid_scope";
    (!unknown.is_empty()).then(|| Finding::note("scopes", text, cure))
}

fn dpop(seen: &Seen<'_>) -> Finding {
    match (seen.settings.dpop, seen.metadata.dpop) {
        (Use::Always, Dpop::Unannounced) => Finding::note(
            "DPoP",
            "not announced, and dpop is always: a sign-in fails, if it is not known there",
            "remove dpop, if it does",
        ),
        (Use::Always, Dpop::Announced) => Finding::good("DPoP", "used"),
        (Use::Never, _) => Finding::good("DPoP", "switched off"),
        (Use::Auto, Dpop::Announced) => Finding::good("DPoP", "offered; used where an app asks"),
        (Use::Auto, Dpop::Unannounced) => Finding::good("DPoP", "not offered"),
    }
}

fn exchange(seen: &Seen<'_>) -> Finding {
    Finding::good(
        "token exchange",
        match seen.metadata.exchange {
            TokenExchange::Announced => "offered",
            TokenExchange::Unannounced => "not offered",
        },
    )
}

fn sign_out(seen: &Seen<'_>) -> Finding {
    let about = "sign-out";
    let listed = seen.announced.revocation_methods.as_deref();
    if seen.metadata.revocation.is_some()
        && let Some(finding) = cannot_revoke(listed, method(&seen.settings.client_auth))
    {
        return finding;
    }
    match (seen.metadata.revocation.is_some(), seen.metadata.end_session.is_some()) {
        (true, true) => Finding::good(about, "revokes the tokens and ends the browser's session"),
        (true, false) => Finding::good(about, "revokes the tokens; the browser's session goes on"),
        (false, true) => Finding::note(
            about,
            "ends the browser's session; tokens cannot be revoked, and end by themselves",
            "",
        ),
        (false, false) => Finding::note(
            about,
            "only forgets here: the provider takes no word of it",
            "set endpoints.revocation in the configuration, if its documentation names one",
        ),
    }
}

/// Where tokens are revoked for clients that prove themselves in another way than this one (RFC 8414
/// §2). Some providers want that even of those that they know to have nothing to prove themselves
/// with.
fn cannot_revoke(listed: Option<&[String]>, method: &str) -> Option<Finding> {
    let wanted = listed.filter(|list| !list.is_empty() && !has(list, method))?.join(" or ");
    let own = if method == "none" { "a public client" } else { method };
    Some(Finding::note(
        "sign-out",
        format!("tokens are revoked for {wanted} alone, and this is {own}: they end by themselves"),
        "have such a client registered, and say so in client_auth, if that is not enough",
    ))
}

/// Whether a list was given, and has no such word.
fn lacks(list: Option<&[String]>, word: &str) -> bool {
    list.is_some_and(|list| !has(list, word))
}

fn has(list: &[String], word: &str) -> bool {
    list.iter().any(|known| known == word)
}

/// The method's name (RFC 7591 §2, OpenID Connect Core §9).
const fn method(auth: &ClientAuth) -> &'static str {
    match auth {
        ClientAuth::None => "none",
        ClientAuth::Basic(_) => "client_secret_basic",
        ClientAuth::Post(_) => "client_secret_post",
        ClientAuth::PrivateKey(_) => "private_key_jwt",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_are_told_of_and_too_far_apart_are_a_problem() {
        for (ahead, grade, words) in [
            (0, Grade::Good, "the same"),
            (-4, Grade::Good, "the same"),
            (30, Grade::Note, "30 seconds behind the provider"),
            (-60, Grade::Note, "60 seconds ahead of the provider"),
            (3600, Grade::Problem, "3600 seconds behind the provider: its tokens"),
            (i64::MIN, Grade::Problem, "ahead of the provider"),
        ] {
            let finding = clock(ahead);
            assert_eq!(finding.grade, grade, "{finding:?}");
            assert!(finding.text.contains(words), "{finding:?}");
            assert_eq!(finding.cure.is_empty(), grade != Grade::Problem, "{finding:?}");
        }
    }

    #[test]
    fn a_client_that_may_not_revoke_is_told_before_it_tries() {
        let basic = ["client_secret_basic".to_owned()];
        let finding = cannot_revoke(Some(&basic), "none").unwrap();
        assert_eq!(finding.grade, Grade::Note);
        assert!(finding.text.contains("client_secret_basic alone, and this is a public client"));
        assert!(cannot_revoke(Some(&basic), "private_key_jwt").is_some());
        assert!(cannot_revoke(Some(&basic), "client_secret_basic").is_none());
        assert!(cannot_revoke(None, "none").is_none(), "nobody knows before it is tried");
        assert!(cannot_revoke(Some(&[]), "none").is_none());
    }

    #[test]
    fn a_list_that_was_not_given_lacks_nothing() {
        let list = ["refresh_token".to_owned()];
        assert!(!lacks(None, "refresh_token") && !lacks(Some(&list), "refresh_token"));
        assert!(lacks(Some(&list), "client_credentials"));
    }
}
