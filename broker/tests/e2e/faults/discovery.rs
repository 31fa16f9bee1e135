//! Metadata that cannot be had, or must not be believed.

use std::os::unix::fs::PermissionsExt as _;

use authbroker_client::AcquireRequest;
use dev_issuer::Fault;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::pipe;

use super::{DISCOVERY, Ordeal};
use crate::stand::LIMIT;

/// Asks for the metadata once for each fault. A failure is not remembered, so the next one meets
/// the provider as if it were the first.
async fn refused(table: &[(Fault, i32, &str)], asked: &[&str]) {
    let ordeal = Ordeal::new().await;
    for (fault, code, words) in table {
        ordeal.refuses(&[*fault], *code, words, asked).await;
    }
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn metadata_that_names_another_issuer_is_refused_to_the_letter() {
    let another = "its metadata names another issuer";
    let table = [
        (Fault::discovery_issuer_mismatch(), 1, another),
        (Fault::discovery_issuer_trailing_slash(), 1, another),
        (Fault::discovery_issuer_in_capitals(), 1, another),
        (Fault::discovery_without_issuer(), 1, "its metadata names no issuer"),
    ];
    refused(&table, &[DISCOVERY]).await;
}

#[tokio::test]
async fn metadata_without_what_a_sign_in_needs_is_refused() {
    let table = [
        (Fault::discovery_without_authorization_endpoint(), 1, "names no authorization_endpoint"),
        (Fault::discovery_without_token_endpoint(), 1, "names no token_endpoint"),
        (Fault::discovery_without_jwks_uri(), 1, "names no jwks_uri"),
        (
            Fault::discovery_authorization_endpoint_mistyped(),
            1,
            "its authorization_endpoint is no address",
        ),
        (Fault::discovery_token_endpoint_mistyped(), 1, "its token_endpoint is no address"),
        (Fault::discovery_jwks_uri_mistyped(), 1, "its jwks_uri is no address"),
        (Fault::discovery_only_plain_pkce(), 1, "does not support PKCE with S256"),
    ];
    refused(&table, &[DISCOVERY]).await;
}

#[tokio::test]
async fn addresses_that_are_not_https_are_refused() {
    let authorization = "its authorization_endpoint is not an https address";
    let table = [
        (Fault::discovery_authorization_endpoint_plain_http(), 1, authorization),
        (Fault::discovery_authorization_endpoint_javascript(), 1, authorization),
        (Fault::discovery_authorization_endpoint_file(), 1, authorization),
        (
            Fault::discovery_authorization_endpoint_dash(),
            1,
            "its authorization_endpoint is no address",
        ),
        (Fault::discovery_token_endpoint_plain_http(), 1, "its token_endpoint is not an https"),
        (Fault::discovery_jwks_uri_plain_http(), 1, "its jwks_uri is not an https address"),
    ];
    refused(&table, &[DISCOVERY]).await;
}

#[tokio::test]
async fn no_browser_is_opened_with_anything_but_a_web_address() {
    let mut ordeal = Ordeal::new().await;
    let stand = &mut ordeal.stand;
    let (script, opened) = (stand.path("browser"), stand.path("opened"));
    rustix::fs::mkfifoat(rustix::fs::CWD, &opened, rustix::fs::Mode::RWXU).unwrap();
    let opened = pipe::OpenOptions::new().read_write(true).open_receiver(&opened).unwrap();
    let text = format!("#!/bin/sh\necho \"$@\" > '{}'\n", stand.path("opened").display());
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    stand.terminate().await;
    let mut daemon = crate::stand::daemon(stand.folder.path());
    stand.start_as(daemon.env("BROWSER", &script)).await;
    let app = stand.app().await;
    for fault in [
        Fault::discovery_authorization_endpoint_javascript(),
        Fault::discovery_authorization_endpoint_file(),
        Fault::discovery_authorization_endpoint_dash(),
    ] {
        stand.always(&[fault]);
        let pending = app.acquire(AcquireRequest::new()).await.unwrap();
        assert!(pending.done().await.is_err());
        stand.issuer.clear_faults();
    }
    let _pending = app.acquire(AcquireRequest::new()).await.unwrap();
    let first = tokio::time::timeout(LIMIT, BufReader::new(opened).lines().next_line()).await;
    let first = first.expect("a browser opens").unwrap().unwrap();
    assert!(first.starts_with(&format!("{}/authorize?", stand.issuer.url())), "{first}");
}

#[tokio::test]
async fn a_document_that_is_none_is_named_and_so_is_a_missing_one() {
    // Where the first document is of no use, the one of RFC 8414 is looked for.
    let both = [DISCOVERY, "/.well-known/oauth-authorization-server"];
    let table = [
        (Fault::discovery_not_json(), 1, "openid-configuration does not answer with JSON"),
        (Fault::discovery_truncated(), 1, "openid-configuration does not answer with JSON"),
        (Fault::discovery_404(), 1, "openid-configuration answers 404"),
        (Fault::discovery_redirect(), 1, "answers with a redirect, which is not followed"),
    ];
    refused(&table, &both).await;
    refused(&[(Fault::discovery_500(), 5, "openid-configuration answers 500")], &[DISCOVERY]).await;
}

#[tokio::test]
async fn what_the_first_document_leaves_out_is_taken_from_the_one_of_rfc_8414() {
    for (faults, revoked) in [
        (vec![Fault::discovery_404(), Fault::discovery_at_oauth_address()], true),
        (
            vec![
                Fault::discovery_without_revocation_endpoint(),
                Fault::discovery_at_oauth_address(),
            ],
            true,
        ),
        (
            vec![
                Fault::discovery_without_revocation_endpoint(),
                Fault::discovery_page_at_oauth_address(),
            ],
            false,
        ),
    ] {
        let ordeal = Ordeal::new().await;
        ordeal.bears(&faults).await;
        assert_eq!(ordeal.stand.ctl(["logout", "--no-browser"]).await.code, 0);
        let asked = ordeal.asked_since(0);
        assert_eq!(asked.iter().any(|path| path == "/revoke"), revoked, "{faults:?}: {asked:?}");
    }
}

#[tokio::test]
async fn a_document_without_end_is_not_read_to_it() {
    let ordeal = Ordeal::new().await;
    let before = ordeal.stand.peak_memory();
    let both = [DISCOVERY, "/.well-known/oauth-authorization-server"];
    ordeal.refuses(&[Fault::discovery_huge()], 1, "more than a megabyte", &both).await;
    let grown = ordeal.stand.peak_memory() - before;
    assert!(grown < 32 * 1024, "{grown} KiB more");
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn a_provider_that_says_nothing_is_waited_for_ten_seconds_at_most() {
    let ordeal = Ordeal::new().await;
    let words = "127.0.0.1 did not answer within 9 seconds";
    ordeal.refuses(&[Fault::discovery_hang()], 5, words, &[DISCOVERY]).await;
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn a_provider_that_says_a_byte_a_second_is_waited_for_no_longer() {
    let ordeal = Ordeal::new().await;
    let words = "127.0.0.1 did not answer within 9 seconds";
    ordeal.refuses(&[Fault::discovery_drip()], 5, words, &[DISCOVERY]).await;
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn unknown_algorithms_and_members_make_no_metadata_unreadable() {
    Ordeal::new().await.bears(&[Fault::discovery_unknown_members()]).await;
}

#[tokio::test]
async fn a_provider_that_is_gone_is_said_to_be_out_of_reach() {
    let ordeal = Ordeal::new().await;
    // A port that nobody listens on: it was free a moment ago, and is given to no one else.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let alive = ordeal.stand.issuer.url();
    ordeal.stand.reconfigure(|text| text.replace(alive, &dead)).await;
    let ran = ordeal.stand.ctl(["login", "--no-browser"]).await;
    ran.assert_fails(5, "cannot be reached", "check the network");
    ordeal.stand.reconfigure(|text| text.replace(&dead, alive)).await;
    ordeal.all_is_well().await;
}
