//! What access tokens (RFC 9068) and ID tokens (OpenID Connect Core §2) say.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use super::TokenRequest;
use super::answer::Issue;
use crate::accounts::Account;
use crate::browser::Authentication;
use crate::grants::{Grant, Subject};
use crate::options::Alg;
use crate::provider::Provider;
use crate::scope::ScopeSet;

/// The claims of an access token, with its key where it is bound to one (RFC 9449 §6.1).
pub(super) fn access(request: &TokenRequest<'_>, grant: &Grant, issue: &Issue, jti: &str) -> Value {
    let TokenRequest { provider, key, now, .. } = request;
    let mut claims = json!({
        "iss": provider.url,
        "sub": grant.subject_id(),
        "aud": audience(provider, &issue.resources),
        "client_id": grant.client_id,
        "scope": issue.scopes.to_string(),
        "jti": jti,
        "iat": now,
        "exp": now + issue.lifetime,
    });
    if let Subject::Person(person) = &grant.subject {
        claims["auth_time"] = json!(person.auth_time);
        claims["acr"] = json!(person.acr.name());
    }
    if let Some(key) = key {
        claims["cnf"] = json!({ "jkt": key.as_str() });
    }
    claims
}

/// One audience as a string, several as an array; none asked means the UserInfo endpoint.
fn audience(provider: &Provider, resources: &[String]) -> Value {
    match resources {
        [] => json!(provider.userinfo_url()),
        [one] => json!(one),
        several => json!(several),
    }
}

/// What an ID token is made of.
pub(super) struct IdClaims<'a> {
    pub(super) person: &'a Authentication,
    pub(super) scopes: &'a ScopeSet,
    pub(super) nonce: &'a Option<String>,
    pub(super) access_token: &'a str,
}

/// The claims of an ID token.
pub(super) fn id(request: &TokenRequest<'_>, about_it: &IdClaims<'_>) -> Value {
    let TokenRequest { provider, client, now, .. } = request;
    let IdClaims { person, scopes, nonce, access_token } = about_it;
    let mut claims = about(person.account, scopes, provider);
    claims.extend([
        ("iss".to_owned(), json!(provider.url)),
        ("aud".to_owned(), json!(client.id)),
        ("iat".to_owned(), json!(now)),
        ("exp".to_owned(), json!(now + provider.options.id_ttl.as_secs())),
        ("auth_time".to_owned(), json!(person.auth_time)),
        ("acr".to_owned(), json!(person.acr.name())),
        ("sid".to_owned(), json!(person.sid)),
        ("at_hash".to_owned(), json!(at_hash(access_token, provider.options.id_alg))),
    ]);
    if let Some(nonce) = nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    Value::Object(claims)
}

/// What the scopes let a client know of an account (OpenID Connect Core §5.4).
pub(crate) fn about(
    account: &Account,
    scopes: &ScopeSet,
    provider: &Provider,
) -> Map<String, Value> {
    let mut claims = Map::from_iter([("sub".to_owned(), json!(account.subject))]);
    if scopes.contains("profile") {
        let (given, family) = account.name.split_once(' ').unwrap_or((account.name, ""));
        let picture = format!("{}{}", provider.url, account.picture_path());
        claims.extend([
            ("name".to_owned(), json!(account.name)),
            ("given_name".to_owned(), json!(given)),
            ("family_name".to_owned(), json!(family)),
            ("preferred_username".to_owned(), json!(account.username)),
            ("picture".to_owned(), json!(picture)),
        ]);
    }
    if scopes.contains("email") {
        claims.insert("email".to_owned(), json!(account.email));
        claims.insert("email_verified".to_owned(), json!(true));
    }
    claims
}

/// The left half of the access token's hash, with the hash of the ID token's own algorithm
/// (OpenID Connect Core §3.1.3.6). Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
fn at_hash(access_token: &str, alg: Alg) -> String {
    match alg {
        Alg::Es256 | Alg::Rs256 | Alg::Ps256 => {
            URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16])
        }
        Alg::EdDsa => URL_SAFE_NO_PAD.encode(&Sha512::digest(access_token)[..32]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Alg, at_hash};

    #[test]
    fn at_hash_is_that_of_the_worked_example() {
        // OpenID Connect Core, appendix A.3 and A.4.
        assert_eq!(
            at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", Alg::Rs256),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
    }
}
