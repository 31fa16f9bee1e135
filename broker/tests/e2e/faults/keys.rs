//! Keys that are not there, not fit, or in a crowd.

use dev_issuer::Fault;

use super::{DISCOVERY, Ordeal};

const UNPUBLISHED: &str = "signed with a key that it does not publish";

/// A broker that has just been started meets each fault; after it, a good sign-in works at once.
async fn refused(table: &[(Fault, i32, &str)], asked: &[&str]) {
    let mut ordeal = Ordeal::new().await;
    for (fault, code, words) in table {
        ordeal.refuses(&[*fault], *code, words, asked).await;
        ordeal.all_is_well().await;
        ordeal.stand.restart().await;
    }
}

/// A broker that has just been started bears each set of faults.
async fn borne(table: &[&[Fault]]) {
    let mut ordeal = Ordeal::new().await;
    for faults in table {
        ordeal.bears(faults).await;
        ordeal.stand.restart().await;
    }
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_named() {
    let table = [
        (Fault::jwks_500(), 5, "the provider's keys cannot be had: "),
        (Fault::jwks_500(), 5, "/jwks answers 500"),
        (Fault::jwks_redirect(), 1, "/jwks answers with a redirect, which is not followed"),
        (Fault::jwks_not_json(), 1, "/jwks does not answer with JSON"),
        (Fault::jwks_mistyped(), 1, "/jwks does not answer with keys"),
    ];
    refused(&table, &[DISCOVERY, "/token", "/jwks"]).await;
}

#[tokio::test]
async fn keys_without_end_are_not_read_to_it() {
    let ordeal = Ordeal::new().await;
    let before = ordeal.stand.peak_memory();
    let asked = [DISCOVERY, "/token", "/jwks"];
    ordeal.refuses(&[Fault::jwks_huge()], 1, "more than a megabyte", &asked).await;
    let grown = ordeal.stand.peak_memory() - before;
    assert!(grown < 32 * 1024, "{grown} KiB more");
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn keys_that_never_come_are_waited_for_ten_seconds_at_most() {
    let ordeal = Ordeal::new().await;
    let asked = [DISCOVERY, "/token", "/jwks"];
    ordeal.refuses(&[Fault::jwks_hang()], 5, "did not answer within 9 seconds", &asked).await;
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn a_key_that_is_not_published_is_asked_for_once_more_and_then_refused() {
    let table = [
        (Fault::jwks_empty(), 1, UNPUBLISHED),
        (Fault::jwks_other_kids(), 1, UNPUBLISHED),
        (Fault::id_token_unknown_kid(), 1, UNPUBLISHED),
        (Fault::jwks_use_enc(), 1, UNPUBLISHED),
    ];
    refused(&table, &[DISCOVERY, "/token", "/jwks", "/jwks"]).await;
}

#[tokio::test]
async fn ever_new_key_names_make_no_storm_of_requests() {
    let ordeal = Ordeal::warm().await;
    let fetches = || {
        let asked = ordeal.stand.issuer.requests();
        asked.iter().filter(|request| request.path == "/jwks").count()
    };
    let before = fetches();
    ordeal.stand.always(&[Fault::id_token_unknown_kid()]);
    for _ in 0..6 {
        ordeal.bob_tries().await.assert_fails(1, UNPUBLISHED, "");
    }
    assert!((1..=3).contains(&(fetches() - before)), "{} fetches", fetches() - before);
}

#[tokio::test]
async fn an_rsa_key_of_1024_bits_is_refused() {
    let table = [(Fault::jwks_1024_bits(), 1, "an RSA key of 1024 bits, and 2048 are the least")];
    refused(&table, &[DISCOVERY, "/token", "/jwks", "/jwks"]).await;
}

#[tokio::test]
async fn a_key_is_found_among_others_of_its_name() {
    borne(&[
        &[Fault::jwks_decoys()],
        &[Fault::jwks_twins()],
        &[Fault::jwks_unknown_kty()],
        &[Fault::jwks_without_algs()],
    ])
    .await;
}

#[tokio::test]
async fn a_token_without_a_key_name_is_checked_with_those_that_fit() {
    let ordeal = Ordeal::new().await;
    ordeal.bears(&[Fault::id_token_without_kid(), Fault::jwks_one_without_kid()]).await;
    let mut ordeal = Ordeal::new().await;
    // From now on there are two RSA keys, an old one and the one that signs.
    ordeal.stand.issuer.rotate_keys();
    ordeal.bears(&[Fault::id_token_without_kid(), Fault::jwks_without_kids()]).await;
    ordeal.stand.restart().await;
    ordeal.bears(&[Fault::id_token_without_kid(), Fault::jwks_twins()]).await;
}

#[tokio::test]
async fn keys_without_names_that_rotate_are_followed_too() {
    let ordeal = Ordeal::new().await;
    let nameless = [Fault::id_token_without_kid(), Fault::jwks_one_without_kid()];
    ordeal.bears(&nameless).await;
    ordeal.stand.issuer.rotate_keys();
    ordeal.bears(&nameless).await;
}

#[tokio::test]
async fn keys_that_rotate_between_two_sign_ins_or_in_the_middle_of_one_are_followed() {
    let ordeal = Ordeal::warm().await;
    ordeal.stand.issuer.rotate_keys();
    ordeal.stand.issuer.rotate_keys();
    ordeal.bears(&[]).await;
    ordeal.bears(&[Fault::jwks_rotated()]).await;
}
