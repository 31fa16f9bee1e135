//! A token endpoint out of order while a code is exchanged.

use dev_issuer::Fault;

use super::Ordeal;

/// The code is sent once, whatever comes back, and a good sign-in works afterwards.
async fn refused(table: &[(Fault, i32, &str)]) {
    let ordeal = Ordeal::warm().await;
    for (fault, code, words) in table {
        ordeal.refuses(&[*fault], *code, words, &["/token"]).await;
        ordeal.all_is_well().await;
    }
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_named_and_gets_no_second_try() {
    refused(&[
        (Fault::token_500(), 5, "the provider answers 500"),
        (Fault::token_503_retry_after(), 5, "the provider answers 503"),
        (Fault::token_cut(), 5, "the connection to 127.0.0.1 broke before its answer was there"),
        (Fault::token_302(), 1, "answers with a redirect, which is not followed"),
        (Fault::token_307(), 1, "answers with a redirect, which is not followed"),
    ])
    .await;
}

#[tokio::test]
async fn a_token_endpoint_that_hangs_is_waited_for_ten_seconds_at_most() {
    refused(&[(Fault::token_hang(), 5, "did not answer within 9 seconds")]).await;
}

#[tokio::test]
async fn a_token_endpoint_that_drips_is_waited_for_no_longer() {
    refused(&[(Fault::token_drip(), 5, "did not answer within 9 seconds")]).await;
}

#[tokio::test]
async fn a_token_answer_without_end_is_not_read_to_it() {
    let ordeal = Ordeal::warm().await;
    let before = ordeal.stand.peak_memory();
    ordeal.refuses(&[Fault::token_huge()], 1, "more than a megabyte", &["/token"]).await;
    let grown = ordeal.stand.peak_memory() - before;
    assert!(grown < 32 * 1024, "{grown} KiB more");
    ordeal.all_is_well().await;
}

#[tokio::test]
async fn what_is_no_token_answer_is_refused() {
    refused(&[
        (Fault::token_not_json(), 1, "it is not JSON"),
        (Fault::token_nested(), 1, "it is not JSON"),
        (Fault::token_duplicate_members(), 1, "it says access_token twice"),
        (Fault::token_without_access_token(), 1, "it has no access_token"),
        (Fault::token_access_token_mistyped(), 1, "its member access_token is malformed"),
        (Fault::token_with_line_break(), 1, "characters that no token may hold"),
        (Fault::token_without_type(), 1, "it has no token_type"),
        (Fault::token_unknown_type(), 1, "its token_type is not Bearer"),
        (Fault::token_scope_mistyped(), 1, "its member scope is malformed"),
        (Fault::token_scope_odd(), 1, "its scopes are malformed"),
        (Fault::token_refresh_token_empty(), 1, "characters that no token may hold"),
    ])
    .await;
}

#[tokio::test]
async fn a_refusal_is_told_however_it_is_dressed() {
    refused(&[
        (Fault::token_empty_403(), 1, "the provider answers 403 and gives no reason"),
        (Fault::token_error_in_200(), 1, "the provider answers invalid_grant"),
        (Fault::token_own_error(), 1, "the provider answers invalid_code"),
    ])
    .await;
}

#[tokio::test]
async fn control_characters_reach_neither_the_terminal_nor_the_log() {
    let ordeal = Ordeal::warm().await;
    ordeal.stand.always(&[Fault::token_control_characters()]);
    let ran = ordeal.bob_tries().await;
    ran.assert_fails(1, "the provider answers bad[31m (twolines 2J esrever)", "");
    let hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!ran.err.contains(hidden) && !ordeal.stand.log().contains(hidden));
}

#[tokio::test]
async fn what_a_token_answer_may_leave_out_or_say_in_its_own_way_is_borne() {
    let ordeal = Ordeal::warm().await;
    for fault in [
        Fault::token_type_in_small_letters(),
        Fault::token_without_scope(),
        Fault::token_scope_list(),
        Fault::token_null_members(),
    ] {
        ordeal.bears(&[fault]).await;
    }
}

#[tokio::test]
async fn whatever_a_provider_says_of_its_lifetime_a_token_has_a_sane_one() {
    let ordeal = Ordeal::warm().await;
    for (fault, lifetime) in [
        (Fault::token_expires_in_text(), 300),
        (Fault::token_expires_in_float(), 300),
        (Fault::token_without_expires_in(), 300),
        (Fault::token_expires_in_zero(), 300),
        (Fault::token_expires_in_negative(), 300),
        (Fault::token_expires_in_huge(), 24 * 3600),
    ] {
        ordeal.stand.always(&[fault]);
        let bob = ordeal.bob_tries().await;
        let answer = ordeal.stand.ctl(["token", "--json", bob.line()]).await.json();
        let issued = crate::stand::claims(answer["access_token"].as_str().unwrap())["iat"].as_u64();
        let life = answer["expires_at"].as_u64().unwrap() - issued.unwrap();
        // A second may pass between the issuer's look at the clock and ours.
        assert!(life.abs_diff(lifetime) <= 5, "{fault:?}: {life}");
        ordeal.stand.issuer.clear_faults();
    }
}
