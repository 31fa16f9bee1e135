//! Discovery documents that cannot be had or must not be believed.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::BadAnswer::{Document, Dripping, Huge, Never, Redirect, Rewritten, Status};
use super::Effect::{Answer, Discovery, ForOauth};
use super::{Endpoint, STRANGER, first_half};

faults! {
    /// The discovery document names another issuer.
    discovery_issuer_mismatch => Discovery(|document| set(document, "issuer", STRANGER)),
    /// The discovery document names the issuer with a slash more.
    discovery_issuer_trailing_slash => Discovery(|document| {
        let issuer = format!("{}/", text(document, "issuer"));
        set(document, "issuer", issuer);
    }),
    /// The discovery document names the issuer in capitals.
    discovery_issuer_in_capitals => Discovery(|document| {
        let issuer = text(document, "issuer").to_ascii_uppercase();
        set(document, "issuer", issuer);
    }),
    /// The discovery document names no issuer.
    discovery_without_issuer => Discovery(|document| without(document, "issuer")),
    /// The discovery document names no authorization endpoint.
    discovery_without_authorization_endpoint => Discovery(|document| {
        without(document, "authorization_endpoint");
    }),
    /// The discovery document names no token endpoint.
    discovery_without_token_endpoint => Discovery(|document| without(document, "token_endpoint")),
    /// The discovery document names no keys.
    discovery_without_jwks_uri => Discovery(|document| without(document, "jwks_uri")),
    /// The discovery document does not say where to revoke tokens.
    discovery_without_revocation_endpoint => Discovery(|document| {
        without(document, "revocation_endpoint");
    }),
    /// The metadata is at the address of RFC 8414 too; nothing is wrong with that.
    discovery_at_oauth_address => ForOauth,
    /// At the address of RFC 8414 is a page for people, with status 200.
    discovery_page_at_oauth_address => Answer(
        Endpoint::OauthMetadata,
        Document(StatusCode::OK, "<!doctype html><title>Hello"),
    ),
    /// The authorization endpoint is a number.
    discovery_authorization_endpoint_mistyped => Discovery(|document| {
        set(document, "authorization_endpoint", 42);
    }),
    /// The token endpoint is a list.
    discovery_token_endpoint_mistyped => Discovery(|document| {
        let list = json!([text(document, "token_endpoint")]);
        set(document, "token_endpoint", list);
    }),
    /// The address of the keys is no address.
    discovery_jwks_uri_mistyped => Discovery(|document| set(document, "jwks_uri", "jwks")),
    /// The authorization endpoint is another machine's, over plain http.
    discovery_authorization_endpoint_plain_http => Discovery(|document| {
        set(document, "authorization_endpoint", "http://stranger.example/authorize");
    }),
    /// The token endpoint is another machine's, over plain http.
    discovery_token_endpoint_plain_http => Discovery(|document| {
        set(document, "token_endpoint", "http://stranger.example/token");
    }),
    /// The keys are another machine's, over plain http.
    discovery_jwks_uri_plain_http => Discovery(|document| {
        set(document, "jwks_uri", "http://stranger.example/jwks");
    }),
    /// The authorization endpoint is a script.
    discovery_authorization_endpoint_javascript => Discovery(|document| {
        set(document, "authorization_endpoint", "javascript:alert(1)//");
    }),
    /// The authorization endpoint is a file.
    discovery_authorization_endpoint_file => Discovery(|document| {
        set(document, "authorization_endpoint", "file:///etc/passwd");
    }),
    /// The authorization endpoint looks like an option of the program that would open it.
    discovery_authorization_endpoint_dash => Discovery(|document| {
        set(document, "authorization_endpoint", "--browser=https://stranger.example");
    }),
    /// The one PKCE method that is announced is `plain`.
    discovery_only_plain_pkce => Discovery(|document| {
        set(document, "code_challenge_methods_supported", json!(["plain"]));
    }),
    /// Algorithms and members are announced that nobody knows yet; nothing else is wrong.
    discovery_unknown_members => Discovery(|document| {
        set(document, "id_token_signing_alg_values_supported", json!(["ML-DSA-65", "RS256", 7]));
        set(document, "id_token_encryption_alg_values_supported", json!(["KEM-1"]));
        set(document, "request_object_signing_alg_values_supported", json!(["ML-DSA-65"]));
        set(document, "response_modes_supported", json!(["telepathy"]));
        set(document, "telepathy_endpoint", json!({ "frequency": "any" }));
    }),
    /// Discovery answers with a page for people.
    discovery_not_json => {
        Answer(Endpoint::Discovery, Document(StatusCode::OK, "<!doctype html><title>Hello"))
    },
    /// Discovery answers with the first half of its document.
    discovery_truncated => Answer(Endpoint::Discovery, Rewritten(first_half)),
    /// Discovery answers 404.
    discovery_404 => Answer(Endpoint::Discovery, Status(StatusCode::NOT_FOUND)),
    /// Discovery answers 500.
    discovery_500 => Answer(Endpoint::Discovery, Status(StatusCode::INTERNAL_SERVER_ERROR)),
    /// Discovery redirects to another host.
    discovery_redirect => Answer(Endpoint::Discovery, Redirect(StatusCode::FOUND)),
    /// Discovery answers with 256 MiB.
    discovery_huge => Answer(Endpoint::Discovery, Huge),
    /// Discovery never answers.
    discovery_hang => Answer(Endpoint::Discovery, Never),
    /// Discovery answers a byte a second.
    discovery_drip => Answer(Endpoint::Discovery, Dripping),
}

fn set(document: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    document.insert(name.to_owned(), value.into());
}

fn without(document: &mut Map<String, Value>, name: &str) {
    document.remove(name);
}

fn text<'a>(document: &'a Map<String, Value>, name: &str) -> &'a str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}
